"""Files for messages: which VK has already, which are on their way, and how many of them at once."""

import asyncio
import time
from datetime import timedelta

import aiohttp

from bots.vk.api import Api
from bots.vk.outbound.filing import Filing
from bots.wire import files
from gateway.domain.channel.errors import Ambiguous, Refused, Unavailable
from gateway.domain.model.nouns import Media

IMAGES = {"image", "sticker"}
KEPT = 600.0
"""Seconds for which an uploaded file is sent again by its name: a mailing uploads its picture once."""

MOST = 500
HELD = 4
"""Files of one community that are in memory at once; each may have `files.MOST` bytes."""

PATIENCE = 45.0
"""Seconds that a message waits for its file; the upload goes on without it, and the next try finds it done."""

Key = tuple[bool, str, str]
"""Whether it is a photo, the URL, and the name that people read."""


class Uploads:
    """The files of one community. Nothing here is a message: what fails has sent nothing."""

    def __init__(self, api: Api, http: aiohttp.ClientSession, outside: aiohttp.ClientSession) -> None:
        self._filing = Filing(api, http)
        self._files = outside
        self._room = asyncio.Semaphore(HELD)
        self._done: dict[Key, tuple[float, asyncio.Task[str]]] = {}

    async def attachment(self, peer: str, media: Media) -> str:
        """The file's name at VK. Raises Unavailable where another try may work, Refused where none will."""
        if media.id:
            return media.id
        if not media.url:
            raise Refused("the media has neither an id nor a url")
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.shield(self._uploading(peer, media))
        except TimeoutError:
            raise Unavailable("the file is still on its way to VK", timedelta(seconds=PATIENCE)) from None

    async def close(self) -> None:
        for _, task in self._done.values():
            task.cancel()
        await asyncio.gather(*(task for _, task in self._done.values()), return_exceptions=True)

    def _uploading(self, peer: str, media: Media) -> asyncio.Task[str]:
        """One upload for everybody who asks for the same file."""
        key, now = _key(media), time.monotonic()
        self._make_room(key, now)
        if key not in self._done:
            task = asyncio.create_task(self._upload(peer, media))
            task.add_done_callback(lambda done: self._forget_failed(key, done))
            self._done[key] = now + KEPT, task
        return self._done[key][1]

    def _make_room(self, key: Key, now: float) -> None:
        """Forget what is too old, and the oldest one if there is one too many; the oldest stand first."""
        while self._done:
            oldest = next(iter(self._done))
            full = key not in self._done and len(self._done) >= MOST
            if not full and self._done[oldest][0] > now:
                return
            del self._done[oldest]

    def _forget_failed(self, key: Key, task: asyncio.Task[str]) -> None:
        if task.cancelled() or task.exception():
            self._done.pop(key, None)

    async def _upload(self, peer: str, media: Media) -> str:
        try:
            async with self._room:
                file = await files.fetch(self._files, media.url)
                if media.type in IMAGES:
                    return await self._filing.photo(peer, file)
                return await self._filing.document(peer, file, media.name)
        except Ambiguous as unclear:
            raise Unavailable(f"the file did not reach VK: {unclear}") from None


def _key(media: Media) -> Key:
    """What else would be the same upload; a photo has no name at VK."""
    photo = media.type in IMAGES
    return photo, media.url, "" if photo else media.name
