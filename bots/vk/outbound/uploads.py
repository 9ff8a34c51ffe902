"""Keeps track of files for messages: which VK has already, which are being uploaded, and how many at once."""

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta
from types import NoneType

import aiohttp

from bots.vk.api import Api
from bots.vk.outbound.pieces import IMAGES
from bots.vk.outbound.uploader import NotTaken, Uploader
from bots.wire import files
from gateway.domain.channel.errors import Ambiguous, Refused, Unavailable
from gateway.domain.channel.file import File, Load, load_nothing
from gateway.domain.model.nouns import Media

SOUNDS = {"audio", "voice"}
OGG = {"audio/ogg", "audio/opus", "application/ogg", ".ogg", ".opus", ".oga"}
"""What VK takes as an audio message. VK API: Uploading an audio message."""

Key = tuple[bool, str, str]
"""Whether it is a photo, the URL or our id of it, and the name that people read."""


@dataclass(frozen=True)
class Limits:
    """How much one community's uploads may take.

    kept: how long an uploaded file is sent again by its name: a job batch uploads its picture once.
    remembered: files that are remembered.
    held: files that may be in memory at once, each of up to `files.MOST` bytes.
    patience: how long a message waits for its file. The upload goes on, and the next attempt finds it done.
    """

    kept: timedelta = timedelta(minutes=10)
    remembered: int = 500
    held: int = 4
    patience: timedelta = timedelta(seconds=45)


class Uploads:
    """The files of one community. An error here always means that no message was sent."""

    def __init__(
        self, api: Api, http: aiohttp.ClientSession, files: aiohttp.ClientSession, load: Load = load_nothing
    ) -> None:
        self.limits = Limits()
        self._uploader = Uploader(api, http)
        self._files = files
        self._load = load
        self._room = asyncio.Semaphore(self.limits.held)
        self._tasks: dict[Key, tuple[float, asyncio.Task[str]]] = {}

    async def attachment(self, peer: str, media: Media) -> str:
        """Return the file's name at VK. Raises Unavailable where another attempt may work, Refused where none will."""
        if media.id:
            return media.id
        if not (media.url or media.file):
            raise Refused("the media has neither an id nor a url")
        patience = self.limits.patience
        try:
            async with asyncio.timeout(patience.total_seconds()):
                return await asyncio.shield(self._shared_upload(peer, media))
        except TimeoutError:
            raise Unavailable("the file is still on its way to VK", patience) from None

    async def close(self) -> None:
        """Cancel the uploads that are under way."""
        for _, task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*(task for _, task in self._tasks.values()), return_exceptions=True)

    def _shared_upload(self, peer: str, media: Media) -> asyncio.Task[str]:
        """Return the one upload for all messages with the same file."""
        key, now = _key(media), time.monotonic()
        self._make_room(key, now)
        if key not in self._tasks:
            task = asyncio.create_task(self._upload(peer, media))
            task.add_done_callback(lambda finished: self._forget_failed(key, finished))
            self._tasks[key] = now + self.limits.kept.total_seconds(), task
        return self._tasks[key][1]

    def _make_room(self, key: Key, now: float) -> None:
        """Forget expired files, and the oldest one if there are too many; the oldest are first in order."""
        while self._tasks:
            oldest = next(iter(self._tasks))
            full = key not in self._tasks and len(self._tasks) >= self.limits.remembered
            if not full and self._tasks[oldest][0] > now:
                return
            del self._tasks[oldest]

    def _forget_failed(self, key: Key, task: asyncio.Task[str]) -> None:
        """Forget an upload that may go better the next time."""
        if task.cancelled() or not isinstance(task.exception(), NotTaken | NoneType):
            self._tasks.pop(key, None)

    async def _upload(self, peer: str, media: Media) -> str:
        try:
            async with self._room:
                loading = self._load(media.file) if media.file else files.fetch(self._files, media.url)
                return await self._upload_as(peer, media, await loading)
        except Ambiguous as error:
            raise Unavailable(f"the file did not reach VK: {error}") from None

    async def _upload_as(self, peer: str, media: Media, file: File) -> str:
        """Upload a picture as a photo, a recording as an audio message, and what VK does not take so as a document."""
        try:
            if media.type in IMAGES:
                return await self._uploader.photo(peer, file)
            if media.type in SOUNDS and (file.content_type in OGG or files.extension(media.url) in OGG):
                return await self._uploader.audio_message(peer, file)
        except NotTaken:
            pass
        return await self._uploader.document(peer, file, media.name)


def _key(media: Media) -> Key:
    """Return what makes two uploads the same; a photo has no name at VK."""
    is_photo = media.type in IMAGES
    return is_photo, media.file or media.url, "" if is_photo else media.name
