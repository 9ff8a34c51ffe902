"""What the stand-ins for the providers' servers share: people with phones, faults on demand, webhooks that are
delivered as providers do it (signed by the caller, repeated until a 2xx, and, when told so, twice or out of order).
"""

import asyncio
import random
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
from msgspec import Struct
from quart import Blueprint

from gateway.channel import Call
from gateway.model import Button

Clock = Callable[[], datetime]
PAUSES = (0.1, 0.3, 1.0, 2.0, 5.0)
"""Seconds between deliveries of a webhook that was not answered 2xx; the last one goes on (real providers: hours)."""


def utcnow() -> datetime:
    return datetime.now(UTC)


class Bubble(Struct, kw_only=True):
    """One message on a person's screen. `state` is what their messenger knows: sent, delivered, read, failed."""

    id: str
    mine: bool
    at: datetime
    text: str = ""
    buttons: list[Button] = []
    media: str = ""
    state: str = ""


class Phone(Struct, kw_only=True):
    """A person at this provider. `reads`: opens what arrives. `reachable`: has the app, and a phone that is on."""

    user: str
    name: str
    reads: bool = True
    reachable: bool = True
    blocked: bool = False
    last_wrote_at: datetime | None = None
    screen: list[Bubble] = []


class Accepted(Struct, kw_only=True):
    """A line of the provider's own book: a message that it took from us. Audits count these."""

    id: str
    user: str
    at: datetime
    text: str
    request: Any


class Faults:
    """What the stand-in does wrong, and for how many calls. Everything is off at first.

    per_second: calls beyond so many in a second are refused with `too_many`, the provider's code for that.
    """

    def __init__(self, too_many: str) -> None:
        self.planned: deque[str] = deque()
        self.too_many = too_many
        self.per_second = 0
        self._taken: deque[float] = deque()
        self.lost_answers = 0
        self.answer_after = 0.0
        self.webhook_copies = 1
        self.reorder = False
        self.random = random.Random(0)  # noqa: S311 - a repeatable shuffle

    def fail(self, code: object, times: int = 1) -> None:
        """Refuse the next calls with this error code of the provider's."""
        self.planned.extend([str(code)] * times)

    def lose_answers(self, times: int = 1) -> None:
        """Take the next messages, but answer as a broken proxy does: 502 and a page of HTML."""
        self.lost_answers += times

    async def next_error(self) -> str | None:
        """Wait as told; then the error code for this call, if it is to have one."""
        await asyncio.sleep(self.answer_after)
        if self.planned:
            return self.planned.popleft()
        return self.too_many if self.per_second and self._throttled() else None

    def _throttled(self) -> bool:
        now = time.monotonic()
        while self._taken and self._taken[0] <= now - 1:
            self._taken.popleft()
        if len(self._taken) >= self.per_second:
            return True
        self._taken.append(now)
        return False

    def loses_this_answer(self) -> bool:
        self.lost_answers -= 1 if (lost := self.lost_answers > 0) else 0
        return lost


class Simulator(ABC):
    """A provider's server, for one account of ours. `blueprint` takes our calls; `say` and `press` are people acting.

    A channel's `simulator` module offers `Server`, a subclass built as `Server(account, webhook_url, clock)`, and
    `demo_account(api_url)`, the settings of an account that lives on it, with fresh secrets.
    `errors` lists the provider's error codes that it can imitate (`faults.fail(code)`), each with a word on it.
    `title` is the messenger's name as people write it.
    """

    name: str
    title: str = ""
    errors: Mapping[str, str]
    too_many = "429"
    """The code by which the provider says that we call too often."""

    def __init__(self, webhook_url: str, clock: Clock = utcnow) -> None:
        self.webhook_url = webhook_url
        self.clock = clock
        self.faults = Faults(self.too_many)
        self.phones: dict[str, Phone] = {}
        self.accepted: list[Accepted] = []
        self.answers: list[tuple[int, str]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._line = asyncio.Lock()
        self._http: aiohttp.ClientSession | None = None

    @abstractmethod
    def blueprint(self) -> Blueprint:
        """The provider's HTTP API, to be mounted under `/<name>`."""

    @abstractmethod
    async def say(self, user: str, text: str) -> None:
        """A person types a message to us."""

    async def start(self, user: str, code: str = "") -> None:
        """A person begins to talk to us, having come by our deep link with this code, or by themselves."""
        await self.say(user, f"/start {code}".strip())

    @abstractmethod
    async def press(self, user: str, bubble: str, button: str) -> None:
        """A person presses the button with this text under the message with this id."""

    @abstractmethod
    def user_of(self, phone: str) -> str:
        """The id under which this provider knows the person with that E.164 number."""

    def phone(self, user: str, name: str = "") -> Phone:
        """The person's phone, bought when first needed."""
        return self.phones.setdefault(user, Phone(user=user, name=name or user, screen=[]))

    def deliver(self, call: Call) -> None:
        """Post a webhook in the background, until it is answered 2xx. The headers hold its proof already."""
        for _ in range(self.faults.webhook_copies):
            task = asyncio.create_task(self._deliver(call))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def quiet(self) -> None:
        """Wait until every webhook so far has been taken."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Give up what is under way and hang up."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http:
            await self._http.close()

    async def _deliver(self, call: Call) -> None:
        if self.faults.reorder or self.faults.webhook_copies > 1:
            await asyncio.sleep(self.faults.random.uniform(0, 0.1) if self.faults.reorder else 0)
            await self._until_taken(call)
        else:
            async with self._line:
                await self._until_taken(call)

    async def _until_taken(self, call: Call) -> None:
        for attempt in range(200):
            status, body = await self._post(call)
            self.answers.append((status, body))
            if 200 <= status < 300:  # noqa: PLR2004
                return
            await asyncio.sleep(PAUSES[min(attempt, len(PAUSES) - 1)])

    async def _post(self, call: Call) -> tuple[int, str]:
        self._http = self._http or aiohttp.ClientSession()
        try:
            async with self._http.request(
                call.method,
                call.url,
                data=call.body,
                headers=dict(call.headers),
                params=dict(call.query) or None,
            ) as response:
                return response.status, await response.text()
        except (aiohttp.ClientError, OSError):
            return 0, "no connection"
