"""How many messages a second one gateway sends, of which each is answered by the provider after 200 ms.

The floor is the same calls from a bare loop; `naive` adds an insert and an update for each of them.
"""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median

from gateway.runtime.runtime import Clock
from tests.benchmarks.load.sending import Lost, send
from tests.benchmarks.report.progress import tell
from tests.benchmarks.report.rows import Row
from tests.benchmarks.stage import meter
from tests.benchmarks.stage.crowd import seat
from tests.benchmarks.stage.operations import operations
from tests.benchmarks.stage.stage import Stage, opened_stage

PART = "outbound"
NAMES = {
    "bare": "bare aiohttp loop, no database",
    "naive": "the same, an insert and an update each",
    "sent": "gateway, no receipts",
    "delivered": "gateway, a delivered receipt each",
}


@dataclass
class Found:
    """The figures of all rounds: messages a second by who sent, CPU milliseconds a message by who used them."""

    rates: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in NAMES})
    used: dict[tuple[str, str], list[float]] = field(default_factory=dict)


async def measure(*, rounds: int, quick: bool, count: int | None = None) -> list[Row]:
    """The rows. `count`: messages in a round."""
    count, found = count or (300 if quick else 3000), Found()
    async with opened_stage() as stage:
        await seat(stage.db, range(count), Clock()())
        await _gateway(stage, Found(), "sent", count // 10)
        for number in range(rounds):
            for name, words in NAMES.items():
                await (_gateway if name in {"sent", "delivered"} else _floor)(stage, found, name, count)
                tell(f"round {number + 1} of {rounds}: {words}: {found.rates[name][-1]:.0f} messages/s")
    asked = await operations(count, "sent", "delivered")
    return [*_rates(found), *_costs(found), *_operations(asked)]


async def _gateway(stage: Stage, found: Found, success: str, count: int) -> None:
    watched = meter.processes(stage)
    before = meter.seconds(watched)
    async with stage.calling() as http:
        done = await send(http, stage.db, stage.meta, range(count), success)
    found.rates[success].append(done.rate)
    for name, used in meter.seconds(watched).items():
        found.used.setdefault((success, name), []).append((used - before[name]) / count * 1000)


async def _floor(stage: Stage, found: Found, name: str, count: int) -> None:
    """By a process of its own. Raises Lost if a call of it did not work."""
    await stage.meta.begin()
    kept = ["--uri", stage.place.uri, "--name", stage.place.name] if name == "naive" else []
    command = [sys.executable, "-m", "tests.benchmarks.load.calls", stage.meta.url, str(count), *kept]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    seconds, _ = await process.communicate()
    if process.returncode or await stage.meta.count() != count:
        raise Lost(f"{NAMES[name]}: not every call worked")
    found.rates[name].append(count / float(seconds))


def _rates(found: Found) -> list[Row]:
    rates = {name: median(rates) for name, rates in found.rates.items()}
    return [Row(PART, NAMES[name], rate, "messages/s", rate / rates["bare"]) for name, rate in rates.items()]


def _costs(found: Found) -> list[Row]:
    return [
        Row(PART, f"{NAMES[success]}: CPU of the {name}", median(used), "ms a message")
        for (success, name), used in found.used.items()
    ]


def _operations(asked: Mapping[str, float]) -> list[Row]:
    name = "database operations"
    return [Row(PART, f"{NAMES[success]}: {name}", each, "a message") for success, each in asked.items()]
