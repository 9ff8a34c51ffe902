"""Ids of files: what a person sent is named by its line in the chat log, what a client uploaded by chance. Pure."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from datetime import datetime
from hashlib import sha256
from secrets import token_urlsafe

from msgspec import Struct
from msgspec.structs import replace

from gateway.domain.model.nouns import Content, Media

PERSONS, UPLOADED = "m", "u"
"""How the id of a file begins that a person sent, and of one that a client uploaded."""

LONGEST = 2048
"""Characters of an id."""


class StoredFile(Struct, frozen=True, omit_defaults=True):
    """A file that we have, or are to keep, until a moment.

    content_type: "" until its bytes are stored. size: in bytes. due_at, lease, tries: of a person's file that has to be
    fetched yet. reason: why it could not be.
    """

    id: str
    until: datetime
    name: str = ""
    content_type: str = ""
    size: int = 0
    due_at: datetime | None = None
    lease: str | None = None
    tries: int = 0
    reason: str = ""


def new_id() -> str:
    """Return the id of a file that is uploaded: nobody can guess it."""
    return UPLOADED + token_urlsafe(16)


def id_once(name: str, digest: bytes) -> str:
    """Return the id of a file that may come again under this name, which nobody else knows: the same for it."""
    return UPLOADED + urlsafe_b64encode(sha256(name.encode() + digest).digest()[:16]).decode().rstrip("=")


def id_of(line: str, index: int) -> str:
    """Return the id of a file in a chat log's line: the first one has the index 0."""
    return PERSONS + urlsafe_b64encode(f"{index}:{line}".encode()).decode().rstrip("=")


def read_id(key: str) -> tuple[str, int] | None:
    """Return the chat log's line and the index that a file's id names; None for an id of another kind, or of none."""
    if not key.startswith(PERSONS) or len(key) > LONGEST:
        return None
    try:
        coded = key.removeprefix(PERSONS)
        index, _, line = urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode().partition(":")
    except (Error, ValueError):
        return None
    return (line, int(index)) if index.isascii() and index.isdigit() and len(index) < LONGEST_INDEX else None


LONGEST_INDEX = 4
"""Digits of an index, and one more."""


def files_of(content: Content) -> tuple[Media, ...]:
    """Return all files of a message, in order."""
    return (content.media, *content.others) if content.media else content.others


def with_ids(content: Content, line: str) -> Content:
    """Return what a person said in this line of the chat log, its files with their ids."""
    if content.media is None:
        return content
    media, *others = (replace(file, file=id_of(line, index)) for index, file in enumerate(files_of(content)))
    return replace(content, media=media, others=tuple(others))
