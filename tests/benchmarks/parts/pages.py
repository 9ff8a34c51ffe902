"""Measures how long webhooks wait while operators look, a job runs, and a long file of rows is read.

Everything is in one gateway process. The same is measured with nobody looking and no job, for the ratio.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from statistics import median
from typing import Any

from aiohttp import ClientSession, ClientTimeout

from gateway.messages.jobs.progress import UNDER_WAY
from gateway.runtime.runtime import Clock
from tests.benchmarks.load.conversations import measure_acks, percentile
from tests.benchmarks.load.operators import looking, opened_operators
from tests.benchmarks.load.sending import PATIENCE, Lost
from tests.benchmarks.report.progress import tell
from tests.benchmarks.report.rows import Row
from tests.benchmarks.setup.account import address, phone
from tests.benchmarks.setup.data import TEXT, open_conversations
from tests.benchmarks.setup.setup import RunningSetup, opened_running_setup
from tests.support.client import until
from tests.support.jobs import table

PART, RATE, OPERATORS = "pages", 50, 20
SENT, READ = 10_000, 100_000
"""Rows of the job that runs, and of the file that is read meanwhile."""

PAGES = ("/ui/overview", "/ui/conversations", "/ui/messages", "/ui/accounts")
WRITING = 600_000_000
"""The index of the first person who writes; nobody of the job is one of them."""


async def measure(*, rounds: int, quick: bool, seconds: float | None = None, sent: int | None = None) -> list[Row]:
    """Return the rows. seconds: the length of a measurement; sent: rows of the job, a tenth of those of the file."""
    seconds, sent = seconds or (5 if quick else 30), sent or (SENT // 10 if quick else SENT)
    alone, busy, looks = list[float](), list[float](), list[float]()
    async with opened_running_setup() as setup, opened_operators(setup, OPERATORS) as browsers:
        await open_conversations(setup.db, range(sent), Clock()())
        await measure_acks(setup, range(WRITING - RATE, WRITING), RATE)
        for number in range(rounds):
            people = _people(number, seconds)
            alone.append(percentile(await measure_acks(setup, people, RATE), 99))
            async with running_job(setup, sent) as job, looking(browsers, (*PAGES, f"/ui/jobs/{job}")) as seen:
                acks = await measure_acks(setup, range(people.stop, people.stop + len(people)), RATE)
            busy.append(percentile(acks, 99))
            looks += seen
            tell(f"round {number + 1} of {rounds}: p99 {alone[-1]:.0f} ms, then {busy[-1]:.0f} ms; {len(seen)} looks")
    return _rows(alone, busy, looks, f"{OPERATORS} look, a job runs, {sent * 10} rows are read")


def _people(number: int, seconds: float) -> range:
    """Return who writes in the first half of a round; as many after them write in the second."""
    count = max(2, round(RATE * seconds))
    return range(start := WRITING + 2 * number * count, start + count)


@asynccontextmanager
async def running_job(setup: RunningSetup, sent: int) -> AsyncIterator[str]:
    """Yield the id of a job that runs, while another one's file is read. Raises Lost if anybody got a message twice."""
    await setup.meta.begin("delivered")
    async with setup.opened_session() as http:
        job, other = await _draft(http), await _draft(http)
        await _upload(http, job, range(sent))
        await _post(http, f"/api/v1/jobs/{job}/start")
        reading = asyncio.create_task(_upload(http, other, range(sent * 10)))
        yield job
        await reading
        async with http.post(f"/api/v1/jobs/{job}/cancel"):  # unless it is done
            pass
        await _wait_for_end(http, job)
    times = Counter(entry.to for entry in await setup.meta.book() if entry.to < address(WRITING - RATE).user)
    if twice := [to for to, count in times.items() if count > 1]:
        raise Lost(f"{len(twice)} people of the job were written to twice: {twice[:3]}")


async def _wait_for_end(http: ClientSession, job: str) -> None:
    """Wait until nothing of the job is under way any more, so that the next measurement has nothing of it."""

    async def nothing_is_under_way() -> bool:
        async with http.get(f"/api/v1/jobs/{job}") as response:
            return UNDER_WAY.isdisjoint((await response.json())["byStatus"])

    await until(nothing_is_under_way, PATIENCE)


async def _draft(http: ClientSession) -> str:
    channels = [{"channel": "whatsapp", "text": TEXT.text}]
    return str((await _post(http, "/api/v1/jobs", json={"name": "November", "channels": channels}))["id"])


async def _upload(http: ClientSession, job: str, people: range) -> None:
    raw = table(["phone"], *([phone(number)] for number in people))
    answer = await _post(http, f"/api/v1/jobs/{job}/rows", data=raw, timeout=ClientTimeout(total=PATIENCE))
    if answer["faults"]:
        raise Lost(f"rows were refused: {answer['faults'][:3]}")


async def _post(http: ClientSession, path: str, **options: Any) -> Any:
    async with http.post(path, **options) as response:
        if response.status >= 300:
            raise Lost(f"{path} was answered {response.status}: {await response.text()}")
        return await response.json()


def _rows(alone: Sequence[float], busy: Sequence[float], looks: Sequence[float], load: str) -> list[Row]:
    ratio = median(again / once for once, again in zip(alone, busy, strict=True))
    return [
        Row(PART, f"2xx p99 at {RATE} events/s, nobody looks", median(alone), "ms", 1.0),
        Row(PART, f"2xx p99 at {RATE} events/s, {load}", median(busy), "ms", ratio, "under 250 ms"),
        Row(PART, "a page is read, p50", percentile(looks, 50), "ms"),
        Row(PART, "a page is read, p99", percentile(looks, 99), "ms"),
    ]
