"""The files that the server takes: by its own id, by URL, or uploaded. Bot API: Sending files."""

import re
from collections.abc import Mapping
from mimetypes import guess_type
from typing import NamedTuple
from urllib.parse import urlsplit

from bots.telegram.simulator.checks.refusals import TOO_LARGE, Refused, bad_request

FILE_ID = re.compile(r"[A-Za-z0-9_-]{20,}")
MEGABYTE = 1_000_000
BY_URL: Mapping[str, int] = {"photo": 5 * MEGABYTE}
"""Bytes of a file that Telegram gets by URL; 20 MB of other kinds than these."""

UPLOADED: Mapping[str, int] = {"photo": 10 * MEGABYTE}
"""Bytes of an uploaded file; 50 MB of other kinds than these."""

TYPES: Mapping[str, tuple[str, ...]] = {
    "photo": ("image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp"),
    "video": ("video/",),
    "animation": ("image/gif", "video/mp4"),
    "audio": ("audio/",),
    "voice": ("audio/ogg", "audio/mpeg", "audio/mp4", "audio/x-m4a"),
    "document": ("application/pdf", "application/zip", "application/x-zip-compressed", "image/gif"),
    "sticker": ("image/webp", "image/png"),
}
"""What a page has to be, or to begin with, so that it can be sent as this by its URL."""

NOT_BY_URL = {"video_note"}


class File(NamedTuple):
    """A file of a message. `reference`: its URL or id. The rest is known of uploaded files."""

    reference: str
    name: str = ""
    mime: str = ""
    body: bytes = b""


class Fetched(NamedTuple):
    """What a URL led to: its type and its size in bytes."""

    mime: str
    size: int


def file_of(params: Mapping[str, str], uploads: Mapping[str, File], kind: str) -> File:
    """Return the file that a message is to carry. Raises Refused."""
    if kind in uploads:
        return _uploaded(uploads[kind], kind)
    reference = params.get(kind, "")
    if not reference:
        raise bad_request(f"there is no {kind.replace('_', ' ')} in the request")
    if reference.startswith("attach://"):
        name = reference.removeprefix("attach://")
        if name not in uploads:
            raise bad_request("file attachment not found")
        return _uploaded(uploads[name], kind)
    if is_url(reference):
        _check_address(reference, kind)
    elif not FILE_ID.fullmatch(reference):
        raise bad_request("wrong file identifier/HTTP URL specified")
    return File(reference)


def is_url(reference: str) -> bool:
    """Tell whether the server gets the file itself, by its URL."""
    return urlsplit(reference).scheme in {"http", "https"}


def _uploaded(file: File, kind: str) -> File:
    if not file.body:
        raise bad_request("file must be non-empty")
    if len(file.body) > UPLOADED.get(kind, 50 * MEGABYTE):
        raise Refused(TOO_LARGE)
    return file


def _check_address(url: str, kind: str) -> None:
    """Raise Refused for an address that says by its ending that it is no file of this kind."""
    if kind in NOT_BY_URL:
        raise bad_request("can't use file of this type by URL")
    if mime := guess_type(urlsplit(url).path)[0]:
        check_fetched(Fetched(mime, 0), kind)


def check_fetched(file: Fetched, kind: str) -> None:
    """Raise Refused for a file that Telegram does not take by its URL."""
    if not file.mime.startswith(TYPES[kind]):
        raise bad_request("wrong type of the web page content")
    if file.size > BY_URL.get(kind, 20 * MEGABYTE):
        raise bad_request("failed to get HTTP URL content")
