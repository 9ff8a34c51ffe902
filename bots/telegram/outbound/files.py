"""Gets files to Telegram: by their address where it fetches them itself, otherwise uploaded. Bot API: Sending files."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple
from weakref import WeakValueDictionary

import aiohttp
from aiogram.types import BufferedInputFile, Message
from msgspec.structs import replace

from bots.telegram.errors import NotFetched
from bots.telegram.outbound.messages import BY_TYPE
from bots.telegram.outbound.pieces import MAX_FILE, MAX_PHOTO
from bots.wire import files
from gateway.domain.channel.errors import Unavailable
from gateway.domain.channel.file import File, Load
from gateway.domain.model.nouns import Content, Media

FETCHED = {".pdf", ".zip", ".gif"}
"""The documents that Telegram fetches by itself."""

SHOWN = {
    "image": {"image/jpeg", "image/png", "image/webp"},
    "video": {"video/mp4"},
    "audio": {"audio/mpeg", "audio/mp4", "audio/x-m4a"},
}
"""The content types that go as more than a document, where we upload."""

Key = tuple[str, str, str]
"""The file's type, its address or our id of it, and its name."""

Call = Callable[[Content, str | BufferedInputFile], Awaitable[Message]]
"""Sends a content with its file: an id, an address, or the bytes."""


@dataclass(frozen=True)
class Limits:
    """How much one bot's uploads may take.

    kept: how long an uploaded file is sent again by its id: a job batch uploads its document once.
    remembered: files that are remembered.
    held: files that may be in memory at once, each of up to `largest` bytes.
    patience: how long a message waits for its file, well within the lease of a send.
    """

    kept: timedelta = timedelta(minutes=10)
    remembered: int = 500
    held: int = 4
    largest: int = MAX_FILE
    patience: timedelta = timedelta(seconds=30)


class Files:
    """The files of one bot."""

    def __init__(self, http: aiohttp.ClientSession, load: Load) -> None:
        self.limits = Limits()
        self._http = http
        self._load = load
        self._room = asyncio.Semaphore(self.limits.held)
        self._ids: dict[Key, Known] = {}
        self._locks: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()

    async def send(self, content: Content, media: Media, call: Call) -> Message:
        """Send the content with its file. Raises SendError.

        A file that is too large to be uploaded goes as a link under the text.
        """
        if media.id or (is_fetched(media) and not media.file):
            try:
                return await call(content, media.id or media.url)
            except NotFetched:
                if media.id:
                    raise
        try:
            return await self._send_uploaded(content, media, call)
        except files.TooLarge:
            return await call(files.as_link(content), "")

    async def _send_uploaded(self, content: Content, media: Media, call: Call) -> Message:
        """Upload the file, unless Telegram has it already. Messages with the same file wait for the first of them."""
        key = (media.type, media.file or media.url, media.name)
        async with AsyncExitStack() as held:
            file = self._known(key) or await self._fetch(key, media, held)
            if isinstance(file, File):
                kind = media.type if is_shown(media.type, file) else "document"
                upload = BufferedInputFile(file.body, files.file_name(media, file.content_type))
                message = await call(_as(content, media, kind), upload)
                self._remember(key, kind, message)
                return message
        return await call(_as(content, media, file.kind), file.id)

    async def _fetch(self, key: Key, media: Media, held: AsyncExitStack) -> "File | Known":
        """Return the file, with room for it in memory while it is held; or its id, if it was uploaded meanwhile."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        try:
            async with asyncio.timeout(self.limits.patience.total_seconds()):
                await held.enter_async_context(lock)
                if known := self._known(key):
                    return known
                await held.enter_async_context(self._room)
                if media.file:
                    return await self._load(media.file)
                return await files.fetch(self._http, media.url, self.limits.largest)
        except TimeoutError:
            raise Unavailable("the file has not come yet", self.limits.patience) from None

    def _known(self, key: Key) -> "Known | None":
        known = self._ids.get(key)
        return known if known and known.until > time.monotonic() else None

    def _remember(self, key: Key, kind: str, message: Message) -> None:
        """Remember the file's id, and forget the oldest one if there are too many."""
        if file_id := file_id_of(message):
            self._ids.pop(key, None)
            self._ids[key] = Known(time.monotonic() + self.limits.kept.total_seconds(), kind, file_id)
            if len(self._ids) > self.limits.remembered:
                del self._ids[next(iter(self._ids))]


class Known(NamedTuple):
    """A file that Telegram has: until when we rely on it, as what it went, and its id there."""

    until: float
    kind: str
    id: str


def is_fetched(media: Media) -> bool:
    """Tell whether Telegram fetches the file by its address, and under the name that people are to read."""
    if media.type != "document":
        return True
    return files.extension(media.url) in FETCHED and media.name in ("", files.file_name(replace(media, name="")))


def is_shown(kind: str, file: File) -> bool:
    """Tell whether Telegram shows an uploaded file as what it is, and not as a document."""
    types = SHOWN.get(kind)
    return types is None or (file.content_type in types and (kind != "image" or len(file.body) <= MAX_PHOTO))


def file_id_of(message: Message) -> str:
    """Return the id of the file in a message that Telegram has taken; "" where it names none."""
    if message.photo:
        return message.photo[-1].file_id
    sent = (getattr(message, field) for _, field in BY_TYPE.values() if field != "photo")
    return next((file.file_id for file in sent if file), "")


def _as(content: Content, media: Media, kind: str) -> Content:
    return replace(content, media=replace(media, type=kind))
