"""What the stand-ins for the providers' servers share: people with phones, faults on demand, webhooks that are
delivered as providers do it (signed by the caller, repeated until a 2xx, and, when told so, twice or out of order).
"""

import asyncio
import math
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
from werkzeug.exceptions import InternalServerError

from bots.simulation.faults import RandomFaults
from gateway.domain.channel.calls import Call
from gateway.domain.model.nouns import Button

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


class Delivery(Struct, kw_only=True):
    """A webhook: when it was first posted and when we first took it, as far as the provider knows (monotonic clock)."""

    call: Call
    posted: float = math.inf
    taken: float = math.inf


class Faults:
    """What the stand-in does wrong, and for how many calls, or by chance. Everything is off at first.

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
        self.random_faults = RandomFaults()
        self.random = random.Random(0)  # noqa: S311 - a repeatable shuffle

    def fail(self, code: object, times: int = 1) -> None:
        """Refuse the next calls with this error code of the provider's."""
        self.planned.extend([str(code)] * times)

    def lose_answers(self, times: int = 1) -> None:
        """Take the next messages, but answer as a broken proxy does: 502 and a page of HTML."""
        self.lost_answers += times

    async def next_error(self) -> str | None:
        """Wait as told; then the error code for this call, if it is to have one.

        Raises InternalServerError where the server breaks over it: a bare 500, in no provider's own words.
        """
        await asyncio.sleep(self.answer_after + self.random_faults.slowness(self.random))
        if self.planned:
            return self.planned.popleft()
        if self.random_faults.happens(self.random, self.random_faults.broken):
            raise InternalServerError
        throttled = self.per_second and self._throttled()
        return (
            self.too_many if throttled or self.random_faults.happens(self.random, self.random_faults.too_many) else None
        )

    def _throttled(self) -> bool:
        now = time.monotonic()
        while self._taken and self._taken[0] <= now - 1:
            self._taken.popleft()
        if len(self._taken) >= self.per_second:
            return True
        self._taken.append(now)
        return False

    def loses_this_answer(self) -> bool:
        if self.lost_answers > 0:
            self.lost_answers -= 1
            return True
        return self.random_faults.happens(self.random, self.random_faults.lost_answer)

    def copies(self) -> int:
        """How many times the next webhook is delivered."""
        return self.webhook_copies + self.random_faults.happens(self.random, self.random_faults.twice)

    def out_of_line(self) -> float | None:
        """By how many seconds a webhook leaves the line in which the others wait for each other; None: it stays."""
        if self.reorder:
            return self.random.uniform(0, 0.1)
        if self.webhook_copies > 1:
            return 0
        late = self.random_faults.happens(self.random, self.random_faults.late)
        return self.random.uniform(0, self.random_faults.latest) if late else None


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
        self.deliveries: list[Delivery] = []
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
        delivery = Delivery(call=call)
        self.deliveries.append(delivery)
        for _ in range(self.faults.copies()):
            task = asyncio.create_task(self._deliver(delivery))
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

    async def _deliver(self, delivery: Delivery) -> None:
        pause = self.faults.out_of_line()
        if pause is None:
            async with self._line:
                await self._bring(delivery)
        else:
            await asyncio.sleep(pause)
            await self._bring(delivery)

    async def _bring(self, delivery: Delivery) -> None:
        delivery.posted = min(delivery.posted, time.monotonic())
        if await self._until_taken(delivery.call):
            delivery.taken = min(delivery.taken, time.monotonic())

    async def _until_taken(self, call: Call) -> bool:
        for attempt in range(200):
            status, body = await self._tried(call, first=attempt == 0)
            self.answers.append((status, body))
            if 200 <= status < 300:  # noqa: PLR2004
                return True
            await asyncio.sleep(PAUSES[min(attempt, len(PAUSES) - 1)])
        return False

    async def _tried(self, call: Call, *, first: bool) -> tuple[int, str]:
        """The answer, if the webhook arrives, and if the answer does."""
        random_faults, draw = self.faults.random_faults, self.faults.random
        if first and random_faults.happens(draw, random_faults.lost):
            return 0, "lost on its way"
        answer = await self._post(call)
        return (0, "its answer was lost") if first and random_faults.happens(draw, random_faults.unheard) else answer

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
