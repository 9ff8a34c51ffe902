"""Measures how many messages one gateway sends per second, each answered by the provider after 200 ms.

The floor is the same calls from a bare loop; `naive` adds an insert and an update for each of them.
"""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from gateway.runtime.runtime import Clock
from tests.benchmarks.load.sending import Lost, send_round
from tests.benchmarks.report.progress import tell
from tests.benchmarks.report.rows import Row
from tests.benchmarks.setup import meter
from tests.benchmarks.setup.data import open_conversations
from tests.benchmarks.setup.operations import operations
from tests.benchmarks.setup.setup import RunningSetup, opened_running_setup

PART = "outbound"
NAMES = {
    "bare": "bare aiohttp loop, no database",
    "naive": "the same, an insert and an update each",
    "sent": "gateway, no receipts",
    "delivered": "gateway, a delivered receipt each",
}


@dataclass
class Figures:
    """The figures of all rounds. rates: messages per second by sender. cpu: milliseconds per message by process."""

    rates: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in NAMES})
    cpu: dict[tuple[str, str], list[float]] = field(default_factory=dict)


async def measure(*, rounds: int, quick: bool, count: int | None = None) -> list[Row]:
    """Return the rows. `count` is the number of messages in a round."""
    count, figures = count or (300 if quick else 3000), Figures()
    async with opened_running_setup() as setup:
        await open_conversations(setup.db, range(count), Clock()())
        await _gateway(setup, Figures(), "sent", count // 10)
        for number in range(rounds):
            for name, words in NAMES.items():
                await (_gateway if name in {"sent", "delivered"} else _floor)(setup, figures, name, count)
                tell(f"round {number + 1} of {rounds}: {words}: {figures.rates[name][-1]:.0f} messages/s")
    command_counts = await operations(count, "sent", "delivered")
    return [*_rates(figures), *_costs(figures), *_operations(command_counts)]


async def _gateway(setup: RunningSetup, figures: Figures, success: str, count: int) -> None:
    processes = meter.processes(setup)
    before = meter.seconds(processes)
    async with setup.opened_session() as http:
        result = await send_round(http, setup.db, setup.meta, range(count), success)
    figures.rates[success].append(result.rate)
    for name, cpu_seconds in meter.seconds(processes).items():
        figures.cpu.setdefault((success, name), []).append((cpu_seconds - before[name]) / count * 1000)


async def _floor(setup: RunningSetup, figures: Figures, name: str, count: int) -> None:
    """Measure the bare loop in a process of its own. Raises Lost if a call did not work."""
    await setup.meta.begin()
    options = ["--uri", setup.database.uri, "--name", setup.database.name] if name == "naive" else []
    command = [sys.executable, "-m", "tests.benchmarks.load.calls", setup.meta.url, str(count), *options]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    seconds, _ = await process.communicate()
    if process.returncode or await setup.meta.count() != count:
        raise Lost(f"{NAMES[name]}: not every call worked")
    figures.rates[name].append(count / float(seconds))


def _rates(figures: Figures) -> list[Row]:
    rates = {name: median(rates) for name, rates in figures.rates.items()}
    return [Row(PART, NAMES[name], rate, "messages/s", rate / rates["bare"]) for name, rate in rates.items()]


def _costs(figures: Figures) -> list[Row]:
    return [
        Row(PART, f"{NAMES[success]}: CPU of the {name}", median(milliseconds), "ms a message")
        for (success, name), milliseconds in figures.cpu.items()
    ]


def _operations(command_counts: Mapping[str, float]) -> list[Row]:
    name = "database operations"
    return [Row(PART, f"{NAMES[success]}: {name}", count, "a message") for success, count in command_counts.items()]
