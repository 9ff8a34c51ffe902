"""What the stand-ins for the providers' servers share: people with phones, faults, and webhooks.

Webhooks are delivered as providers do it: signed by the caller, repeated until a 2xx, and, on demand or at random,
twice, late or out of order.
"""

import asyncio
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
from msgspec import Struct
from quart import Blueprint

from bots.simulation.faults import FaultsOnDemand
from gateway.domain.channel.calls import Call
from gateway.domain.model.nouns import Button

Clock = Callable[[], datetime]
PAUSES = (0.1, 0.3, 1.0, 2.0, 5.0)
"""Seconds between deliveries of a webhook that was not answered 2xx; the last one goes on (real providers: hours)."""


def utcnow() -> datetime:
    """Return the current time in UTC: the clock of a stand-in that is given no other."""
    return datetime.now(UTC)


class Bubble(Struct, kw_only=True):
    """One message on a person's screen. `mine`: the person wrote it. `media`: a URL or the provider's id of a file.

    state: what the person's messenger knows of the message: sent, delivered, read, failed.
    """

    id: str
    mine: bool
    at: datetime
    text: str = ""
    buttons: list[Button] = []
    media: str = ""
    state: str = ""


class Phone(Struct, kw_only=True):
    """A person's phone at this provider. `reads`: its owner opens what arrives. `reachable`: it is on, with the app."""

    user: str
    name: str
    reads: bool = True
    reachable: bool = True
    blocked: bool = False
    last_wrote_at: datetime | None = None
    screen: list[Bubble] = []


class Accepted(Struct, kw_only=True):
    """An entry of the provider's own ledger: a message that it took from us. Audits count these."""

    id: str
    user: str
    at: datetime
    text: str
    request: Any


class Delivery(Struct, kw_only=True):
    """A webhook and its times on the monotonic clock, in seconds: when it was first posted, and when we first took it.

    taken: as far as the provider knows; infinite where it does not.
    """

    call: Call
    posted: float = math.inf
    taken: float = math.inf


class Simulator(ABC):
    """A provider's server, for one account of ours. `blueprint` takes our calls; `say` and `press` are people's
    actions.

    A channel's `simulator` module offers `Server`, a subclass built as `Server(account, webhook_url, clock)`, and
    `demo_account(api_url)`, the settings of an account that lives on it, with fresh secrets.
    `errors` lists the provider's error codes that it can imitate (`faults.fail(code)`), each with a word on it.
    `answers` holds our answers to webhooks: status and body.
    """

    name: str
    errors: Mapping[str, str]
    too_many = "429"
    """The code with which the provider says that we call too often."""

    def __init__(self, webhook_url: str, clock: Clock = utcnow) -> None:
        self.webhook_url = webhook_url
        self.clock = clock
        self.faults = FaultsOnDemand(self.too_many)
        self.phones: dict[str, Phone] = {}
        self.accepted: list[Accepted] = []
        self.answers: list[tuple[int, str]] = []
        self.deliveries: list[Delivery] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._fifo = asyncio.Lock()
        self._http: aiohttp.ClientSession | None = None

    @abstractmethod
    def blueprint(self) -> Blueprint:
        """Return the provider's HTTP API, to be mounted under `/<name>`."""

    @abstractmethod
    async def say(self, user: str, text: str) -> None:
        """Let a person type a message to us."""

    async def share_file(self, user: str, body: bytes, name: str, content_type: str) -> None:
        """Let a person send us a file. Raises NotImplementedError where people cannot."""
        raise NotImplementedError

    async def start(self, user: str, code: str = "") -> None:
        """Let a person start a chat with us, through our deep link with this code, or without one."""
        await self.say(user, f"/start {code}".strip())

    @abstractmethod
    async def press(self, user: str, bubble: str, button: str) -> None:
        """Let a person press the button with this text under the message with this id."""

    @abstractmethod
    def user_of(self, phone: str) -> str:
        """Return the id under which this provider knows the person with that E.164 number."""

    def known_as(self, user: str) -> str:
        """Return the id by which the provider's webhooks name this person to us; mostly it is the same."""
        return user

    def pending_templates(self) -> list[str]:
        """Return the templates that wait for the provider's word, as name/language."""
        return []

    def judge_template(self, template: str, *, approve: bool) -> None:
        """Approve or reject a pending template, and report it. Raises NotImplementedError where there are none."""
        raise NotImplementedError

    def phone(self, user: str, name: str = "") -> Phone:
        """Return the person's phone, created when first needed."""
        return self.phones.setdefault(user, Phone(user=user, name=name or user, screen=[]))

    def deliver(self, call: Call) -> None:
        """Post a webhook in the background until it is answered 2xx. The headers already hold its proof."""
        delivery = Delivery(call=call)
        self.deliveries.append(delivery)
        for _ in range(self.faults.copies()):
            task = asyncio.create_task(self._deliver(delivery))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def quiet(self) -> None:
        """Wait until every webhook posted so far has been taken."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Cancel the deliveries under way and close the HTTP session."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http:
            await self._http.close()

    async def _deliver(self, delivery: Delivery) -> None:
        delay = self.faults.webhook_delay()
        if delay is None:
            async with self._fifo:
                await self._post_and_time(delivery)
        else:
            await asyncio.sleep(delay)
            await self._post_and_time(delivery)

    async def _post_and_time(self, delivery: Delivery) -> None:
        delivery.posted = min(delivery.posted, time.monotonic())
        if await self._repeat_until_taken(delivery.call):
            delivery.taken = min(delivery.taken, time.monotonic())

    async def _repeat_until_taken(self, call: Call) -> bool:
        for attempt in range(200):
            status, body = await self._attempt(call, first=attempt == 0)
            self.answers.append((status, body))
            if 200 <= status < 300:  # noqa: PLR2004
                return True
            await asyncio.sleep(PAUSES[min(attempt, len(PAUSES) - 1)])
        return False

    async def _attempt(self, call: Call, *, first: bool) -> tuple[int, str]:
        """Post a webhook once. Returns our answer, or status 0 where the webhook or its answer is lost."""
        random_faults, draw = self.faults.random_faults, self.faults.random
        if first and random_faults.happens(draw, random_faults.lost):
            return 0, "lost on its way"
        answer = await self.post_webhook(call)
        return (0, "its answer was lost") if first and random_faults.happens(draw, random_faults.unheard) else answer

    async def post_webhook(self, call: Call) -> tuple[int, str]:
        """Post one webhook once. Returns the HTTP status and the text of the answer; 0 where there was none."""
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
