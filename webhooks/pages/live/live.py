"""Live pages: one stream of hints for each browser. A hint names what has changed; the page then reads it again.

Nothing is written for it, and nothing is asked while nobody looks: what somebody of this process watches is asked for
once in a while, once for all who watch it. A lost hint costs a delay, and never shows a wrong page.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from quart import Blueprint, Response, current_app, g, request
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.roles import Role
from gateway.people import page_access
from gateway.people.access import Denied
from gateway.runtime.runtime import Runtime
from storage.engine.database import DatabaseError
from webhooks.http.answers import Refusal
from webhooks.http.context import runtime
from webhooks.http.cookie import cookie_name
from webhooks.http.guard import allow
from webhooks.http.server import stopping
from webhooks.pages.live.topics import TOPICS, Topic
from webhooks.pages.watchers import HINTS
from webhooks.pages.words import gettext

blueprint = Blueprint("live", __name__)

STREAMS, STREAMS_OF_ONE = 500, 10
"""The most open streams of a process, and of one user."""

TOPICS_OF_ONE, LONGEST_TOPIC = 40, 300
ALIVE = 15.0
"""Seconds after which a quiet stream says that it is there, and looks whether its user is still signed in."""


@dataclass
class _Watched:
    topic: Topic
    key: str
    queues: set[asyncio.Queue[str]] = field(default_factory=set)
    users: Counter[str] = field(default_factory=Counter)
    last: object = None
    due_at: float = 0.0


class Hints:
    """What is watched in this process, and by which streams."""

    def __init__(self, gateway: Runtime) -> None:
        self._gateway = gateway
        self._watched: dict[str, _Watched] = {}
        self._streams: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None

    @property
    def streams(self) -> int:
        """Return how many streams are open."""
        return self._streams.total()

    @asynccontextmanager
    async def watching(self, names: Sequence[str], user: str) -> AsyncIterator[asyncio.Queue[str]]:
        """Watch these topics for a user's stream as long as the block runs. Yields where the hints arrive."""
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._streams[user] += 1
        for name in names:
            kind, _, key = name.partition(":")
            watched = self._watched.setdefault(name, _Watched(TOPICS[kind], key))
            watched.queues.add(queue)
            watched.users[user] += 1
        try:
            await self._look_once()  # so that what changes from now on is noticed
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._look())
            yield queue
        finally:
            self._streams[user] -= 1
            for name in names:
                self._watched[name].queues.discard(queue)
                self._watched[name].users[user] -= 1

    def others(self, name: str, user: str) -> list[str]:
        """Return which other users watch a topic here at this moment."""
        watched = self._watched.get(name)
        return sorted(each for each in +watched.users if each != user) if watched else []

    def full(self, user: str) -> bool:
        """Return whether there is no room for one more stream."""
        return self.streams >= STREAMS or self._streams[user] >= STREAMS_OF_ONE

    async def is_signed_in(self, secret: str) -> bool:
        """Return whether this page token still opens pages. To watch does not extend it."""
        try:
            await page_access.identify(self._gateway.db, secret, self._gateway.clock(), extend=False)
        except Denied:
            return False
        return True

    async def _look(self) -> None:
        """Look at what is due, until nobody watches anything."""
        while self._watched:
            await asyncio.sleep(0.25)
            await self._look_once()

    async def _look_once(self) -> None:
        loop = asyncio.get_running_loop()
        for name, watched in list(self._watched.items()):
            if not watched.queues:
                self._watched.pop(name, None)
            elif watched.due_at <= loop.time():
                await self._look_at(name, watched)
                watched.due_at = loop.time() + watched.topic.every

    async def _look_at(self, name: str, watched: _Watched) -> None:
        try:
            digest = await watched.topic.digest(self._gateway, watched.key), sorted(+watched.users)
        except DatabaseError:  # whoever opens the page is told; what has changed meanwhile shows afterwards
            return
        if watched.due_at and digest != watched.last:
            for queue in watched.queues:
                queue.put_nowait(name)
        watched.last = digest


@blueprint.get("/live")
@allow(Role.OPERATOR)
@hide
async def stream() -> ResponseReturnValue:
    """Stream hints on the topics `t`, until the browser goes, the sign-in ends, or the process stops."""
    names = sorted({name for name in request.args.getlist("t") if name})
    known = all(name.partition(":")[0] in TOPICS and len(name) <= LONGEST_TOPIC for name in names)
    if not known or len(names) > TOPICS_OF_ONE:
        raise Refusal(400, gettext("There is no such topic."), {"field": "t"})
    hints = current_hints()
    if hints.full(g.caller):
        raise Refusal(503, gettext("Too many pages are open."))
    secret = request.cookies.get(cookie_name(), "")
    lines = _lines(hints, names, g.caller, secret, stopping(current_app))
    response = Response(lines, content_type="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    response.timeout = None
    return response


def current_hints() -> Hints:
    """Return the hints of the app that handles the current request."""
    hints: Hints = current_app.extensions.setdefault(HINTS, Hints(runtime()))
    return hints


async def _lines(
    hints: Hints, names: Sequence[str], user: str, secret: str, stop: asyncio.Event
) -> AsyncIterator[bytes]:
    async with hints.watching(names, user) as queue:
        yield b"retry: 3000\ndata: all\n\n"  # what has changed before the first look
        while not stop.is_set():
            if name := await _next(queue, stop):
                yield f"data: {name}\n\n".encode()
            elif await hints.is_signed_in(secret):
                yield b": alive\n\n"
            else:
                return


async def _next(queue: asyncio.Queue[str], stop: asyncio.Event) -> str:
    """Return the next hint; "" if there is none for a while."""
    waiting = [asyncio.create_task(queue.get()), asyncio.create_task(stop.wait())]
    try:
        await asyncio.wait(waiting, timeout=ALIVE, return_when=asyncio.FIRST_COMPLETED)
        return str(waiting[0].result()) if waiting[0].done() else ""
    finally:
        for task in waiting:
            task.cancel()
