"""People who write to the bot at a steady pace, and how long they wait: for the acknowledgement, and for the answer."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import quantiles

from tests.benchmarks.load.posting import Poster
from tests.benchmarks.load.sending import PATIENCE, Lost
from tests.benchmarks.stage.account import SECRET, address, said
from tests.benchmarks.stage.meta import Entry
from tests.benchmarks.stage.stage import Ground, webhooks_of
from tests.support.client import until


@dataclass(frozen=True)
class Talk:
    """Seconds from the moment at which each message was to be written: to its 2xx, and to the answer's arrival."""

    acks: Sequence[float]
    answers: Sequence[float]


def percentile(seconds: Sequence[float], which: int) -> float:
    """In milliseconds."""
    return quantiles(seconds, n=100)[which - 1] * 1000


async def talk(ground: Ground, people: range, rate: float, *statuses: str) -> Talk:
    """Each of them writes once; `statuses` are reported of each answer. Raises Lost unless each has one answer."""
    await ground.meta.begin(*(statuses or ("delivered",)))
    async with Poster.opened(webhooks_of(ground.port), SECRET) as poster:
        began = time.monotonic()
        due = [began + index / rate for index in range(len(people))]
        acked = await asyncio.gather(*(_write(poster, n, at) for n, at in zip(people, due, strict=True)))

    async def answered() -> bool:
        return await ground.meta.count() >= len(people)

    try:
        await until(answered, PATIENCE)
    except TimeoutError:
        raise Lost(f"not everybody was answered within {PATIENCE:.0f} s") from None
    answers = _answers(people, await ground.meta.book())
    return Talk(
        [at - then for at, then in zip(acked, due, strict=True)], [a - d for a, d in zip(answers, due, strict=True)]
    )


async def _write(poster: Poster, number: int, due: float) -> float:
    """When it was acknowledged. It counts from when it was due, so that a queue before us is not left out."""
    await asyncio.sleep(due - time.monotonic())
    status = await poster.post(said(number, "/help", f"{due}", datetime.now(UTC)))
    if status != 200:
        raise Lost(f"a webhook was answered {status}")
    return time.monotonic()


def _answers(people: range, book: Sequence[Entry]) -> list[float]:
    """When each was answered."""
    times = Counter(entry.to for entry in book)
    if wrong := {n: times[address(n).user] for n in people if times[address(n).user] != 1}:
        raise Lost(f"{len(wrong)} people were not answered once: {dict(list(wrong.items())[:3])}")
    arrived = {entry.to: entry.at for entry in book}
    return [arrived[address(n).user] for n in people]
