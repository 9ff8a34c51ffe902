"""Files in a chat: what each is called, how large it is, and where a browser gets it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from quart import url_for

from gateway.domain.model.files import StoredFile, files_of, id_of
from gateway.domain.model.nouns import Content, Media, Message, TemplateMessage
from gateway.messages.media.kinds import PICTURES
from storage import files
from webhooks.http.context import runtime

SHOWN = frozenset({"image", "photo"})
"""The types of files that are shown although nobody knows their bytes yet: a browser shows what is a picture."""

Stored = Mapping[str, StoredFile]


@dataclass(frozen=True)
class ShownFile:
    """A file in a bubble. address: "" where it cannot be had. size: in bytes, where it is known. foreign: not ours."""

    type: str
    name: str
    address: str
    size: int | None
    is_picture: bool
    foreign: bool = False


async def stored_files(lines: Iterable[Message], contents: Iterable[Content | None]) -> Stored:
    """Return what we have of the files of these lines, and of contents that are in no line yet, by their ids."""
    keys = [_key(line, index, media) for line in lines for index, media in enumerate(_media_of(line))]
    keys += [content.media.file for content in contents if content and content.media]
    return await files.several(runtime().db, sorted({*filter(None, keys)}))


def files_of_line(line: Message, stored: Stored) -> list[ShownFile]:
    """Return the files of a line of the chat log."""
    return [_shown(media, _key(line, index, media), stored) for index, media in enumerate(_media_of(line))]


def files_unsent(content: Content | None, template: TemplateMessage | None, stored: Stored) -> list[ShownFile]:
    """Return the files of a message that is in no line yet."""
    return [_shown(media, media.file, stored) for media in _all(content, template)]


def _media_of(line: Message) -> list[Media]:
    return _all(line.content, line.template)


def _all(content: Content | None, template: TemplateMessage | None) -> list[Media]:
    head = template.header.media if template and template.header else None
    return [*(files_of(content) if content else ()), *([head] if head else [])]


def _key(line: Message, index: int, media: Media) -> str:
    """Return our id of a file: of one that people sent, or that was uploaded; "" of one by its address."""
    return media.file if line.notification else id_of(line.id, index)


def _shown(media: Media, key: str, stored: Stored) -> ShownFile:
    file = stored.get(key)
    here = file if file and file.content_type else None
    if key and key == media.file and not here:  # an upload whose time is over
        return ShownFile(media.type, media.name, "", None, is_picture=False)
    name = media.name or (here.name if here else "")
    if not key:
        return ShownFile(media.type, name, media.url, None, is_picture=False, foreign=True)
    is_picture = here.content_type in PICTURES if here else media.type in SHOWN
    return ShownFile(media.type, name, url_for("ui.media.show", key=key), here.size if here else None, is_picture)
