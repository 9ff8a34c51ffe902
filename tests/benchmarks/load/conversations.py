"""Measures how long people who write at a steady rate wait for the acknowledgement and for the answer."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import quantiles

from tests.benchmarks.load.posting import Poster
from tests.benchmarks.load.sending import PATIENCE, Lost
from tests.benchmarks.setup.account import SECRET, address, message_webhook
from tests.benchmarks.setup.meta import Entry
from tests.benchmarks.setup.setup import Setup, webhooks_of
from tests.support.client import until


@dataclass(frozen=True)
class Latencies:
    """Seconds from the time at which each message was due: to its 2xx, and to the answer's arrival."""

    acks: Sequence[float]
    answers: Sequence[float]


def percentile(seconds: Sequence[float], which: int) -> float:
    """Return this percentile in milliseconds."""
    return quantiles(seconds, n=100)[which - 1] * 1000


async def measure_latencies(setup: Setup, people: range, rate: float, *statuses: str) -> Latencies:
    """Let each of them write once and report `statuses` of each answer. Raises Lost unless each has one answer."""
    await setup.meta.begin(*(statuses or ("delivered",)))
    due, ack_times = await _write_all(setup, people, rate)

    async def all_answered() -> bool:
        return await setup.meta.count() >= len(people)

    try:
        await until(all_answered, PATIENCE)
    except TimeoutError:
        raise Lost(f"not everybody was answered within {PATIENCE:.0f} s") from None
    answers = _answer_times(people, await setup.meta.book())
    return Latencies(
        [at - due_at for at, due_at in zip(ack_times, due, strict=True)],
        [a - d for a, d in zip(answers, due, strict=True)],
    )


async def measure_acks(setup: Setup, people: range, rate: float) -> Sequence[float]:
    """Let each of them write once. Returns the seconds from the time at which each message was due to its 2xx."""
    due, ack_times = await _write_all(setup, people, rate)
    return [at - due_at for at, due_at in zip(ack_times, due, strict=True)]


async def _write_all(setup: Setup, people: range, rate: float) -> tuple[Sequence[float], Sequence[float]]:
    """Let each of them write once. Returns the times at which their messages were due, and those of their 2xx."""
    async with Poster.opened(webhooks_of(setup.port), SECRET) as poster:
        began = time.monotonic()
        due = [began + index / rate for index in range(len(people))]
        return due, await asyncio.gather(*(_write(poster, n, at) for n, at in zip(people, due, strict=True)))


async def _write(poster: Poster, number: int, due: float) -> float:
    """Write when it is due. Returns the time of the acknowledgement; a queue before us counts, too."""
    await asyncio.sleep(due - time.monotonic())
    status = await poster.post(message_webhook(number, "/help", f"{due}", datetime.now(UTC)))
    if status != 200:
        raise Lost(f"a webhook was answered {status}")
    return time.monotonic()


def _answer_times(people: range, book: Sequence[Entry]) -> list[float]:
    """Return the time of each person's answer. Raises Lost."""
    times = Counter(entry.to for entry in book)
    if wrong_counts := {n: times[address(n).user] for n in people if times[address(n).user] != 1}:
        raise Lost(f"{len(wrong_counts)} people were not answered once: {dict(list(wrong_counts.items())[:3])}")
    arrivals = {entry.to: entry.at for entry in book}
    return [arrivals[address(n).user] for n in people]
