"""Uploads files of ours to Meta, to be sent by the id that Meta gives them. Cloud API: Media, Upload media."""

import asyncio
import time
from collections.abc import Mapping
from io import BytesIO
from typing import NamedTuple
from weakref import WeakValueDictionary

import aiohttp
from msgspec.structs import replace

from bots.whatsapp.item import word
from bots.whatsapp.outbound.sending import Graph
from gateway.domain.channel.errors import Ambiguous, Refused, Unavailable
from gateway.domain.channel.file import File, Load
from gateway.domain.model.nouns import Media

KEPT = 600
"""Seconds for which an uploaded file is sent again by its id; Meta has it for 30 days."""

REMEMBERED = 500
HELD = 4
"""Files that are remembered, and that may be in memory at once."""

TYPES: Mapping[str, str] = {"audio/x-m4a": "audio/mp4", "audio/mp3": "audio/mpeg", "audio/opus": "audio/ogg"}
"""Meta's words for some types of content."""


class Known(NamedTuple):
    """A file that Meta has: until when we rely on it, by time.monotonic(), and its id there."""

    until: float
    id: str


class Uploads:
    """The uploaded files of one number. An error here always means that no message was sent."""

    def __init__(self, graph: Graph, load: Load) -> None:
        self._graph, self._load = graph, load
        self._room = asyncio.Semaphore(HELD)
        self._known: dict[str, Known] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def uploaded(self, media: Media) -> Media:
        """Return the file by Meta's id of it. Messages with the same file wait for the first of them."""
        async with self._locks.setdefault(media.file, asyncio.Lock()):
            known = self._known.get(media.file)
            if known is None or known.until < time.monotonic():
                known = await self._upload(media.file)
                self._remember(media.file, known)
        return replace(media, url="", id=known.id)

    async def _upload(self, key: str) -> Known:
        async with self._room:
            file = await self._load(key)
            try:
                answer = await self._graph.post_form("/media", _form(file))
            except Ambiguous as error:
                raise Unavailable(f"the file did not reach Meta: {error}") from None
        if not (media_id := word(answer, "id")):
            raise Refused("Meta took the file and named no id for it")
        return Known(time.monotonic() + KEPT, media_id)

    def _remember(self, key: str, known: Known) -> None:
        """Remember a file, and forget the oldest one if there are too many."""
        self._known.pop(key, None)
        self._known[key] = known
        if len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]


def _form(file: File) -> aiohttp.FormData:
    kind = TYPES.get(file.content_type, file.content_type)
    form = aiohttp.FormData()
    form.add_field("messaging_product", "whatsapp")
    form.add_field("type", kind)
    form.add_field("file", BytesIO(file.body), filename=file.name, content_type=kind)
    return form
