"""Takes the database away for a while and checks all answers meanwhile, and that no process ends over it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp

from tests.siege.actors.callers import caller, headers_of, order_body, place_order
from tests.siege.actors.people import write
from tests.siege.auditing.books import Books, Order
from tests.siege.auditing.ledger import Report
from tests.siege.field.camp import Camp
from tests.support.client import until

BOUND = 30
"""Seconds within which every request is answered, and after which everything works again."""

EXPECTED = {"healthz": {200}, "readyz": {503}, "order": {503}, "webhook": {500, 502, 503, 504}}

Outage = Callable[[Camp], AbstractAsyncContextManager[None]]
Requests = Mapping[str, Callable[[], Awaitable[int]]]


@dataclass(frozen=True)
class Answer:
    """An answer (status 0 for none) and the seconds until then. is_late: the database was back by then."""

    kind: str
    status: int
    seconds: float
    is_late: bool

    @property
    def wrong(self) -> bool:
        return self.seconds > BOUND or not (self.is_late or self.status in EXPECTED[self.kind])


async def outages(camp: Camp, books: Books, seconds: float, report: Report) -> None:
    """Kill the database, and then swallow its traffic, for so many seconds each."""
    for number, (name, outage) in enumerate({"killed": _kill_database, "a black hole": _swallow_traffic}.items()):
        answers = await _outage(camp, books, outage, seconds, 9_000_000 + number)
        figure = f"database {name} for {seconds:.0f} s: {', '.join(_summary(kind, answers) for kind in EXPECTED)}"
        report.figures.append(figure)
        report.complaints += [f"database {name}: {answer}" for answer in answers if answer.wrong]
        if not all(program.running and program.starts == 1 for program in camp.programs):
            report.complaints.append(f"database {name}: a process has ended over it")


async def _outage(camp: Camp, books: Books, outage: Outage, seconds: float, number: int) -> list[Answer]:
    """Repeat all requests during the outage, then place the order. Returns the answers."""
    order = Order(f"{number}a", f"+7900{number}", [f"{number}a.0"], ("sms",))
    async with caller(camp, patience=2 * BOUND) as http:
        answers = await _during(camp, outage, seconds, await _requests(camp, books, http, order))
        await until(lambda: _ready(http), patience=BOUND)
        await place_order(books, http, order)
    return answers


async def _requests(camp: Camp, books: Books, http: aiohttp.ClientSession, order: Order) -> Requests:
    """Return the requests to repeat. The webhook is one message that the provider delivers again and again."""
    simulator = camp.simulators["telegram"]
    call = (await write(camp, books, "telegram", simulator.user_of(order.phone), "/start")).delivery.call
    return {
        "healthz": lambda: _status(http.get("/healthz")),
        "readyz": lambda: _status(http.get("/readyz")),
        "order": lambda: _status(http.post("/api/v1/messages", json=order_body(order), headers=headers_of(order))),
        "webhook": lambda: _status(http.post(call.url, data=call.body, headers=dict(call.headers))),
    }


async def _during(camp: Camp, outage: Outage, seconds: float, requests: Requests) -> list[Answer]:
    answers: list[Answer] = []
    end = asyncio.Event()
    async with asyncio.TaskGroup() as group, outage(camp):
        for kind, call in requests.items():
            group.create_task(_repeat(kind, call, end, answers))
        await asyncio.sleep(seconds)
        end.set()
    return answers


async def _repeat(kind: str, call: Callable[[], Awaitable[int]], end: asyncio.Event, answers: list[Answer]) -> None:
    while not end.is_set():
        begin = time.monotonic()
        status = await call()
        answers.append(Answer(kind, status, time.monotonic() - begin, end.is_set()))
        await asyncio.sleep(0.5)


async def _status(request: AbstractAsyncContextManager[aiohttp.ClientResponse]) -> int:
    with suppress(aiohttp.ClientError, TimeoutError):
        async with request as response:
            return response.status
    return 0


async def _ready(http: aiohttp.ClientSession) -> bool:
    return await _status(http.get("/readyz")) == 200


@asynccontextmanager
async def _kill_database(camp: Camp) -> AsyncIterator[None]:
    camp.wire.cut()
    await camp.database.kill()
    yield
    await camp.database.start()
    await camp.wire.mend()


@asynccontextmanager
async def _swallow_traffic(camp: Camp) -> AsyncIterator[None]:
    camp.wire.swallow()
    yield
    await camp.wire.mend()


def _summary(kind: str, answers: list[Answer]) -> str:
    """Return the statuses that came during the outage, and the time of the slowest answer."""
    results = [answer for answer in answers if answer.kind == kind]
    statuses = sorted({answer.status for answer in results if not answer.is_late})
    return f"{kind} {statuses} within {max(answer.seconds for answer in results):.1f} s"
