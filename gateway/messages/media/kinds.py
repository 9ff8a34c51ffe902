"""What a file is, by its bytes: neither a provider's nor a client's word for it decides how it is shown. Pure."""

import codecs
from mimetypes import guess_extension
from pathlib import PurePosixPath

import puremagic

HEAD = 8192
"""Bytes of a file by which its kind is told."""

UNKNOWN, TEXT = "application/octet-stream", "text/plain"
BY_EXTENSION = {
    ".m4a": "audio/mp4",
    ".amr": "audio/amr",
    ".mp3": "audio/mpeg",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
}
"""The types of formats of which the library knows more names than types."""

PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
"""What is shown as a picture: a browser runs nothing that stands in it."""

SURE = 0.3
"""How sure the library has to be. It holds any ZIP for a document of Office, a bit less sure than that it is a ZIP."""

ZIP = b"PK\x03\x04"
LONGEST = 256
"""Characters of a file's name."""


def content_type_of(head: bytes, name: str = "") -> str:
    """Return the media type of a file that begins so. name: decides between types that begin alike."""
    try:
        matches = puremagic.magic_string(head, filename=name or None)
    except (puremagic.PureError, ValueError):
        matches = []
    types = [BY_EXTENSION.get(match.extension) or match.mime_type for match in matches if match.confidence >= SURE]
    if head.startswith(ZIP) and PurePosixPath(name).suffix.lower() not in {match.extension for match in matches}:
        return "application/zip"
    return next(filter(None, types), "") or (TEXT if head and _is_text(head) else UNKNOWN)


def _is_text(head: bytes) -> bool:
    """Tell whether the bytes are UTF-8, of which the last character may be cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return b"\0" not in head


def media_type(content_type: str) -> str:
    """Return as what a file of this type is sent."""
    kind = content_type.partition("/")[0]
    return "image" if content_type in PICTURES else kind if kind in {"video", "audio"} else "document"


def file_name(name: str, kind: str, content_type: str) -> str:
    """Return a name to save a file under: the given one, or its kind's; with an extension, if one is known."""
    name = "".join(character for character in name if character.isprintable() and character not in '/\\"')
    name = name.strip(". ")[-LONGEST:] or kind
    return name if PurePosixPath(name).suffix else name + (guess_extension(content_type) or "")
