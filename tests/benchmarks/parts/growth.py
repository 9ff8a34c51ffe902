"""Does it cost more when much is stored? The same is done while more and more finished work lies beside it.

Each size is so many conversations, contacts, messages, lines of the chat log and events. The ratio is to the smallest.
"""

from collections.abc import Sequence
from statistics import median

from gateway.runtime.runtime import Clock
from tests.benchmarks.load.sending import send
from tests.benchmarks.load.talking import percentile, talk
from tests.benchmarks.report.progress import tell
from tests.benchmarks.report.rows import Row
from tests.benchmarks.stage import meter
from tests.benchmarks.stage.crowd import fill, seat
from tests.benchmarks.stage.stage import Stage, opened_stage

PART, RATE = "growth", 20
"""People who write in a second: few, so that it is no queue that is measured."""

Figures = dict[str, tuple[float, str]]


async def measure(*, rounds: int, quick: bool, sizes: Sequence[int] = (), count: int | None = None) -> list[Row]:
    """The rows. `count`: messages in a round."""
    sizes, count = sizes or ([1000, 5000] if quick else [1000, 10_000, 100_000]), count or (100 if quick else 1000)
    found = dict[int, Figures]()
    async with opened_stage() as stage:
        await seat(stage.db, range(count), Clock()())
        await _round(stage, count, 0)
        for before, size in zip([0, *sizes], sizes, strict=False):
            tell(f"storing {size}")
            await fill(stage.db, before, size, Clock()())
            found[size] = _medians([await _round(stage, count, size + number) for number in range(rounds)])
            tell(", ".join(f"{name}: {value:.3g} {unit}" for name, (value, unit) in found[size].items()))
    return [row for name in found[sizes[0]] for row in _rows(name, found)]


async def _round(stage: Stage, count: int, number: int) -> Figures:
    """`number` makes it people who have not written before."""
    first = 10_000_000 + number * count
    return await _sent(stage, count) | await _answered(stage, range(first, first + count // 5))


async def _sent(stage: Stage, count: int) -> Figures:
    """CPU, too: neighbours on a busy machine make us slower, but not dearer."""
    watched = meter.processes(stage)
    before = meter.seconds(watched)
    async with stage.calling() as http:
        sent = await send(http, stage.db, stage.meta, range(count), "delivered")
    used = {name: (after - before[name]) / count * 1000 for name, after in meter.seconds(watched).items()}
    costs = {f"CPU of the {name}": (each, "ms a message") for name, each in used.items() if name != "stand-in"}
    return {"sent and delivered": (sent.rate, "messages/s"), **costs}


async def _answered(stage: Stage, people: range) -> Figures:
    told = await talk(stage, people, RATE)
    return {
        f"2xx for a webhook, p50, at {RATE} a second": (percentile(told.acks, 50), "ms"),
        f"the bot's answer, p50, at {RATE} a second": (percentile(told.answers, 50), "ms"),
        f"the bot's answer, p99, at {RATE} a second": (percentile(told.answers, 99), "ms"),
    }


def _medians(rounds: Sequence[Figures]) -> Figures:
    return {name: (median(one[name][0] for one in rounds), unit) for name, (_, unit) in rounds[0].items()}


def _rows(name: str, found: dict[int, Figures]) -> list[Row]:
    smallest = next(iter(found.values()))[name][0]
    return [
        Row(PART, f"{name}, {size} stored", value, unit, value / smallest if smallest else None)
        for size, (value, unit) in ((size, figures[name]) for size, figures in found.items())
    ]
