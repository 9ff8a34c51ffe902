"""Does the gateway's memory stay the same under load? It sends and answers without a pause for some minutes."""

import asyncio
import time
from contextlib import suppress
from itertools import count
from statistics import linear_regression

import psutil

from gateway.runtime.runtime import Clock
from tests.benchmarks.load.sending import send
from tests.benchmarks.load.talking import talk
from tests.benchmarks.report.progress import tell
from tests.benchmarks.report.rows import Row
from tests.benchmarks.stage import meter
from tests.benchmarks.stage.crowd import seat
from tests.benchmarks.stage.stage import Stage, opened_stage

PART = "memory"
MINUTES, QUICK = 3.0, 0.25
SENT, WRITING, RATE = 200, 50, 50
EVERY = 1.0
"""Seconds between two looks."""

TELL = 15.0
"""Seconds between two words about it."""

WARM = 3
"""Of the run the first part in so many only fills caches and pools, and does not count for the slope."""


async def measure(*, rounds: int, quick: bool, minutes: float | None = None) -> list[Row]:
    """The rows. `minutes`: the length of the run."""
    length, looks = 60 * (minutes or (QUICK if quick else MINUTES)), list[tuple[float, float]]()
    async with opened_stage() as stage:
        await seat(stage.db, range(SENT), Clock()())
        await _cycle(stage, 0)
        process = meter.processes(stage)["gateway"]
        looking = asyncio.create_task(_look(process, looks))
        done = await _load(stage, length)
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        looks.append((time.monotonic(), meter.megabytes(process)))
    return _rows(looks, done, length)


async def _load(stage: Stage, length: float) -> int:
    """How many messages were sent, answers among them."""
    end, told_at = time.monotonic() + length, 0.0
    for number in count(1):
        await _cycle(stage, number)
        now, done = time.monotonic(), number * (SENT + WRITING)
        if now >= told_at + TELL:
            tell(f"{max(0, end - now):.0f} s left, {done} messages")
            told_at = now
        if now >= end:
            break
    return done


async def _cycle(stage: Stage, number: int) -> None:
    """The same people are sent to, others write each time."""
    async with stage.calling() as http:
        await send(http, stage.db, stage.meta, range(SENT), "delivered")
    first = SENT + number * WRITING
    await talk(stage, range(first, first + WRITING), RATE)


async def _look(process: psutil.Process, looks: list[tuple[float, float]]) -> None:
    while True:
        looks.append((time.monotonic(), meter.megabytes(process)))
        await asyncio.sleep(EVERY)


def _rows(looks: list[tuple[float, float]], done: int, length: float) -> list[Row]:
    counted = looks[len(looks) // WARM :]
    times, sizes = zip(*counted, strict=True)
    slope = linear_regression([at / 3600 for at in times], sizes).slope
    run = f"{length / 60:g} min, {done} messages"
    return [
        Row(PART, "gateway at the start", looks[0][1], "MB"),
        Row(PART, f"gateway after {run}", looks[-1][1], "MB", looks[-1][1] / looks[0][1]),
        Row(PART, "slope, its first third left out", slope, "MB/h", goal="about 0 in a run of an hour"),
    ]
