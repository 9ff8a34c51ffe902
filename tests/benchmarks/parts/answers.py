"""Measures the wait for the bot's answer while a hundred people a second write to one gateway for the first time.

The time ends when the answer arrives at the stand-in, which responds after 200 ms and then reports delivery.
"""

from collections.abc import Sequence
from statistics import median

from tests.benchmarks.load.conversations import Latencies, measure_latencies, percentile
from tests.benchmarks.report.progress import tell
from tests.benchmarks.report.rows import Row
from tests.benchmarks.setup.setup import opened_running_setup

PART, RATE = "answers", 100


async def measure(*, rounds: int, quick: bool, seconds: float | None = None) -> list[Row]:
    """Return the rows. `seconds` is the length of a round."""
    count, latencies = round(RATE * (seconds or (3 if quick else 30))), list[Latencies]()
    async with opened_running_setup() as setup:
        await measure_latencies(setup, range(RATE // 10), RATE)
        for number in range(rounds):
            start = RATE + number * count
            latencies.append(await measure_latencies(setup, range(start, start + count), RATE))
            tell(
                f"round {number + 1} of {rounds}: half were answered in {percentile(latencies[-1].answers, 50):.0f} ms"
            )
    acks, answers = [latency.acks for latency in latencies], [latency.answers for latency in latencies]
    return [*_rows("2xx for the webhook", acks), *_rows("the bot's answer at the provider", answers)]


def _rows(name: str, rounds: Sequence[Sequence[float]]) -> list[Row]:
    return [
        Row(
            PART,
            f"{name}, p{which}, at {RATE} a second",
            median(percentile(seconds, which) for seconds in rounds),
            "ms",
        )
        for which in (50, 99)
    ]
