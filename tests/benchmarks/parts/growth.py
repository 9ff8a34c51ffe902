"""Measures whether the costs grow with the stored data: the same load runs beside more and more finished work.

A size is a number of conversations, contacts, messages, lines of the chat log and events. The ratio is to the smallest.
"""

from collections.abc import Sequence
from statistics import median

from gateway.runtime.runtime import Clock
from tests.benchmarks.load.conversations import measure_latencies, percentile
from tests.benchmarks.load.sending import send_round
from tests.benchmarks.report.progress import tell
from tests.benchmarks.report.rows import Row
from tests.benchmarks.setup import meter
from tests.benchmarks.setup.data import fill, open_conversations
from tests.benchmarks.setup.setup import RunningSetup, opened_running_setup

PART, RATE = "growth", 20
"""People who write per second: few, so that no queue is measured."""

Figures = dict[str, tuple[float, str]]


async def measure(*, rounds: int, quick: bool, sizes: Sequence[int] = (), count: int | None = None) -> list[Row]:
    """Return the rows. `count` is the number of messages in a round."""
    sizes, count = sizes or ([1000, 5000] if quick else [1000, 10_000, 100_000]), count or (100 if quick else 1000)
    figures = dict[int, Figures]()
    async with opened_running_setup() as setup:
        await open_conversations(setup.db, range(count), Clock()())
        await _round(setup, count, 0)
        for before, size in zip([0, *sizes], sizes, strict=False):
            tell(f"storing {size}")
            await fill(setup.db, before, size, Clock()())
            figures[size] = _medians([await _round(setup, count, size + number) for number in range(rounds)])
            tell(", ".join(f"{name}: {value:.3g} {unit}" for name, (value, unit) in figures[size].items()))
    return [row for name in figures[sizes[0]] for row in _rows(name, figures)]


async def _round(setup: RunningSetup, count: int, number: int) -> Figures:
    """Run one round, in which the people depend on `number` and have not written before."""
    first = 10_000_000 + number * count
    return await _sending_figures(setup, count) | await _answering_figures(setup, range(first, first + count // 5))


async def _sending_figures(setup: RunningSetup, count: int) -> Figures:
    """Return rate and CPU time; other programs on the machine change the rate, but hardly the CPU time."""
    processes = meter.processes(setup)
    before = meter.seconds(processes)
    async with setup.opened_session() as http:
        result = await send_round(http, setup.db, setup.meta, range(count), "delivered")
    milliseconds = {name: (after - before[name]) / count * 1000 for name, after in meter.seconds(processes).items()}
    costs = {f"CPU of the {name}": (cost, "ms a message") for name, cost in milliseconds.items() if name != "stand-in"}
    return {"sent and delivered": (result.rate, "messages/s"), **costs}


async def _answering_figures(setup: RunningSetup, people: range) -> Figures:
    latencies = await measure_latencies(setup, people, RATE)
    return {
        f"2xx for a webhook, p50, at {RATE} a second": (percentile(latencies.acks, 50), "ms"),
        f"the bot's answer, p50, at {RATE} a second": (percentile(latencies.answers, 50), "ms"),
        f"the bot's answer, p99, at {RATE} a second": (percentile(latencies.answers, 99), "ms"),
    }


def _medians(rounds: Sequence[Figures]) -> Figures:
    return {name: (median(figures[name][0] for figures in rounds), unit) for name, (_, unit) in rounds[0].items()}


def _rows(name: str, by_size: dict[int, Figures]) -> list[Row]:
    smallest = next(iter(by_size.values()))[name][0]
    return [
        Row(PART, f"{name}, {size} stored", value, unit, value / smallest if smallest else None)
        for size, (value, unit) in ((size, figures[name]) for size, figures in by_size.items())
    ]
