"""Measures whether the gateway's memory stays the same while it sends and answers without a pause for some minutes."""

import asyncio
import time
from contextlib import suppress
from itertools import count
from statistics import linear_regression

import psutil

from gateway.runtime.runtime import Clock
from tests.benchmarks.load.conversations import measure_latencies
from tests.benchmarks.load.sending import send_round
from tests.benchmarks.report.progress import tell
from tests.benchmarks.report.rows import Row
from tests.benchmarks.setup import meter
from tests.benchmarks.setup.data import open_conversations
from tests.benchmarks.setup.setup import RunningSetup, opened_running_setup

PART = "memory"
MINUTES, QUICK = 3.0, 0.25
SENT, WRITING, RATE = 200, 50, 50
EVERY = 1.0
"""Seconds between two samples."""

TELL = 15.0
"""Seconds between two lines of progress."""

WARM = 3
"""The first of so many parts of the run only fills caches and pools, and does not count for the slope."""


async def measure(*, rounds: int, quick: bool, minutes: float | None = None) -> list[Row]:
    """Return the rows. `minutes` is the length of the run."""
    length, samples = 60 * (minutes or (QUICK if quick else MINUTES)), list[tuple[float, float]]()
    async with opened_running_setup() as setup:
        await open_conversations(setup.db, range(SENT), Clock()())
        await _cycle(setup, 0)
        process = meter.processes(setup)["gateway"]
        recording = asyncio.create_task(_record_memory(process, samples))
        message_count = await _load(setup, length)
        recording.cancel()
        with suppress(asyncio.CancelledError):
            await recording
        samples.append((time.monotonic(), meter.megabytes(process)))
    return _rows(samples, message_count, length)


async def _load(setup: RunningSetup, length: float) -> int:
    """Send and answer for `length` seconds. Returns the number of messages, including answers."""
    end, reported_at = time.monotonic() + length, 0.0
    for number in count(1):
        await _cycle(setup, number)
        now, message_count = time.monotonic(), number * (SENT + WRITING)
        if now >= reported_at + TELL:
            tell(f"{max(0, end - now):.0f} s left, {message_count} messages")
            reported_at = now
        if now >= end:
            break
    return message_count


async def _cycle(setup: RunningSetup, number: int) -> None:
    """Send messages to the same people as always, and let other people write."""
    async with setup.opened_session() as http:
        await send_round(http, setup.db, setup.meta, range(SENT), "delivered")
    first = SENT + number * WRITING
    await measure_latencies(setup, range(first, first + WRITING), RATE)


async def _record_memory(process: psutil.Process, samples: list[tuple[float, float]]) -> None:
    while True:
        samples.append((time.monotonic(), meter.megabytes(process)))
        await asyncio.sleep(EVERY)


def _rows(samples: list[tuple[float, float]], message_count: int, length: float) -> list[Row]:
    counted_samples = samples[len(samples) // WARM :]
    times, sizes = zip(*counted_samples, strict=True)
    slope = linear_regression([at / 3600 for at in times], sizes).slope
    run = f"{length / 60:g} min, {message_count} messages"
    return [
        Row(PART, "gateway at the start", samples[0][1], "MB"),
        Row(PART, f"gateway after {run}", samples[-1][1], "MB", samples[-1][1] / samples[0][1]),
        Row(PART, "slope, its first third left out", slope, "MB/h", goal="about 0 in a run of an hour"),
    ]
