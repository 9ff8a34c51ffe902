"""The database is away for a while: what everybody is told meanwhile, and that nobody has to be started again."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp

from tests.siege.actors.callers import caller, key_of, order, request
from tests.siege.actors.people import ask
from tests.siege.auditing.books import Books, Order
from tests.siege.auditing.ledger import Report
from tests.siege.field.camp import Camp
from tests.support.client import until

BOUND = 30
"""Seconds within which everybody has an answer, and after which all is well again."""

WANTED = {"healthz": {200}, "readyz": {503}, "order": {503}, "webhook": {500, 502, 503, 504}}

Broken = Callable[[Camp], AbstractAsyncContextManager[None]]
Asking = Mapping[str, Callable[[], Awaitable[int]]]


@dataclass(frozen=True)
class Answer:
    """What somebody was told (status 0: nothing) after so many seconds. `late`: the database was back by then."""

    what: str
    status: int
    seconds: float
    late: bool

    @property
    def wrong(self) -> bool:
        return self.seconds > BOUND or not (self.late or self.status in WANTED[self.what])


async def outages(camp: Camp, books: Books, seconds: float, report: Report) -> None:
    """Killed, and then a black hole."""
    for number, (name, broken) in enumerate({"killed": _killed, "a black hole": _swallowing}.items()):
        answers = await _outage(camp, books, broken, seconds, 9_000_000 + number)
        told = f"database {name} for {seconds:.0f} s: {', '.join(_summary(what, answers) for what in WANTED)}"
        report.figures.append(told)
        report.complaints += [f"database {name}: {answer}" for answer in answers if answer.wrong]
        if not all(program.running and program.starts == 1 for program in camp.programs):
            report.complaints.append(f"database {name}: a process has ended over it")


async def _outage(camp: Camp, books: Books, broken: Broken, seconds: float, number: int) -> list[Answer]:
    """Everybody asks over and over until it is over; then what was asked for is brought to its end."""
    what = Order(f"{number}a", f"+7900{number}", [f"{number}a.0"], ("sms",))
    async with caller(camp, patience=2 * BOUND) as http:
        answers = await _during(camp, broken, seconds, await _asking(camp, books, http, what))
        await until(lambda: _ready(http), patience=BOUND)
        await order(books, http, what)
    return answers


async def _asking(camp: Camp, books: Books, http: aiohttp.ClientSession, what: Order) -> Asking:
    """The webhook is a person's message that the provider delivers again and again."""
    simulator = camp.simulators["telegram"]
    call = (await ask(camp, books, "telegram", simulator.user_of(what.phone), "/start")).delivery.call
    return {
        "healthz": lambda: _status(http.get("/healthz")),
        "readyz": lambda: _status(http.get("/readyz")),
        "order": lambda: _status(http.post("/api/v1/messages", json=request(what), headers=key_of(what))),
        "webhook": lambda: _status(http.post(call.url, data=call.body, headers=dict(call.headers))),
    }


async def _during(camp: Camp, broken: Broken, seconds: float, asking: Asking) -> list[Answer]:
    answers: list[Answer] = []
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group, broken(camp):
        for what, call in asking.items():
            group.create_task(_repeated(what, call, over, answers))
        await asyncio.sleep(seconds)
        over.set()
    return answers


async def _repeated(what: str, call: Callable[[], Awaitable[int]], over: asyncio.Event, answers: list[Answer]) -> None:
    while not over.is_set():
        began = time.monotonic()
        status = await call()
        answers.append(Answer(what, status, time.monotonic() - began, over.is_set()))
        await asyncio.sleep(0.5)


async def _status(asked: AbstractAsyncContextManager[aiohttp.ClientResponse]) -> int:
    with suppress(aiohttp.ClientError, TimeoutError):
        async with asked as response:
            return response.status
    return 0


async def _ready(http: aiohttp.ClientSession) -> bool:
    return await _status(http.get("/readyz")) == 200


@asynccontextmanager
async def _killed(camp: Camp) -> AsyncIterator[None]:
    camp.wire.cut()
    await camp.database.kill()
    yield
    await camp.database.start()
    await camp.wire.mend()


@asynccontextmanager
async def _swallowing(camp: Camp) -> AsyncIterator[None]:
    camp.wire.swallow()
    yield
    await camp.wire.mend()


def _summary(what: str, answers: list[Answer]) -> str:
    """The statuses that were told in time, and how long the slowest took."""
    told = [answer for answer in answers if answer.what == what]
    statuses = sorted({answer.status for answer in told if not answer.late})
    return f"{what} {statuses} within {max(answer.seconds for answer in told):.1f} s"
