"""Files for messages, in VK's three steps. VK API: Uploading files.

An address is asked for, the bytes go there, and what comes back is saved under a name that messages.send takes.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import aiohttp
import msgspec

from bots import files, wire
from bots.vk.api import OK, SERVER_ERROR, Api
from bots.vk.contents import attachable
from bots.vk.updates import File, read
from gateway.channel import Ambiguous, Refused, Unavailable
from gateway.model import Media

IMAGES = {"image", "sticker"}
KEPT = 600.0
"""Seconds for which an uploaded file is sent again by its name: a mailing uploads its picture once."""

MOST = 500
PATIENCE = 45.0
"""Seconds that a message waits for its file; the upload goes on without it, and the next try finds it done."""

TIMEOUT = aiohttp.ClientTimeout(total=300, sock_connect=5)


class Uploads:
    """The files of one community. Nothing here is a message: what fails has sent nothing."""

    def __init__(self, api: Api, http: aiohttp.ClientSession, outside: aiohttp.ClientSession) -> None:
        self._api = api
        self._http = http
        self._files = outside
        self._done: dict[tuple[bool, str], tuple[float, asyncio.Task[str]]] = {}

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
        key, now = (media.type in IMAGES, media.url), time.monotonic()
        self._make_room(key, now)
        if key not in self._done:
            task = asyncio.create_task(self._upload(peer, media))
            task.add_done_callback(lambda done: self._forget_failed(key, done))
            self._done[key] = now + KEPT, task
        return self._done[key][1]

    def _make_room(self, key: tuple[bool, str], now: float) -> None:
        """Forget what is too old, and the oldest one if there is one too many; the oldest stand first."""
        while self._done:
            oldest = next(iter(self._done))
            full = key not in self._done and len(self._done) >= MOST
            if not full and self._done[oldest][0] > now:
                return
            del self._done[oldest]

    def _forget_failed(self, key: tuple[bool, str], task: asyncio.Task[str]) -> None:
        if task.cancelled() or task.exception():
            self._done.pop(key, None)

    async def _upload(self, peer: str, media: Media) -> str:
        file = await files.fetch(self._files, media.url)
        try:
            return await (self._photo(peer, file) if media.type in IMAGES else self._document(peer, file, media.name))
        except Ambiguous as unclear:
            raise Unavailable(f"the file did not reach VK: {unclear}") from None

    async def _photo(self, peer: str, file: files.File) -> str:
        target = await self._api.call("photos.getMessagesUploadServer", {"peer_id": peer})
        taken = await self._post(target, "photo", file)
        saved = await self._api.call("photos.saveMessagesPhoto", _texts(taken, "photo", "server", "hash"))
        return _name("photo", saved[0] if isinstance(saved, list) and saved else None)

    async def _document(self, peer: str, file: files.File, name: str) -> str:
        target = await self._api.call("docs.getMessagesUploadServer", {"type": "doc", "peer_id": peer})
        taken = await self._post(target, "file", file)
        saved = await self._api.call("docs.save", {**_texts(taken, "file"), "title": name or file.name})
        return _name("doc", saved.get("doc") if isinstance(saved, dict) else None)

    async def _post(self, target: Any, field: str, file: files.File) -> Mapping[str, Any]:
        """Hand the bytes over; what VK answers goes into the call that saves them."""
        url = target.get("upload_url") if isinstance(target, dict) else None
        if not isinstance(url, str):
            raise Unavailable("VK named no address for the file")
        form = aiohttp.FormData()
        form.add_field(field, file.body, filename=file.name, content_type=file.content_type)
        reply = await wire.call(self._http, "POST", url, form=form, timeout=TIMEOUT)
        if reply.status >= SERVER_ERROR:
            raise Unavailable(f"VK's file server answers {reply.status}")
        answer = reply.json if isinstance(reply.json, dict) else {}
        if reply.status != OK or answer.get(field) in (None, "", "[]"):
            raise Refused(f"VK does not take the file: {answer.get('error', f'HTTP {reply.status}')}")
        return answer


def _texts(answer: Mapping[str, Any], *names: str) -> dict[str, str]:
    return {name: str(answer.get(name, "")) for name in names}


def _name(kind: str, fields: Any) -> str:
    try:
        file = read(fields, File)
    except msgspec.ValidationError:
        raise Unavailable("VK saved the file and named no id for it") from None
    return attachable(kind, file)
