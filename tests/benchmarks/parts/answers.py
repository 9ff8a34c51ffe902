"""How long people wait for the bot's answer, while a hundred a second write for the first time, to one gateway.

Counted until the answer arrives at the stand-in, which takes 200 ms to say that it has it and then reports delivery.
"""

from collections.abc import Sequence
from statistics import median

from tests.benchmarks.load.talking import Talk, percentile, talk
from tests.benchmarks.report.progress import tell
from tests.benchmarks.report.rows import Row
from tests.benchmarks.stage.stage import opened_stage

PART, RATE = "answers", 100


async def measure(*, rounds: int, quick: bool, seconds: float | None = None) -> list[Row]:
    """The rows. `seconds`: the length of a round."""
    count, talks = round(RATE * (seconds or (3 if quick else 30))), list[Talk]()
    async with opened_stage() as stage:
        await talk(stage, range(RATE // 10), RATE)
        for number in range(rounds):
            start = RATE + number * count
            talks.append(await talk(stage, range(start, start + count), RATE))
            tell(f"round {number + 1} of {rounds}: half were answered in {percentile(talks[-1].answers, 50):.0f} ms")
    acks, answers = [one.acks for one in talks], [one.answers for one in talks]
    return [*_rows("2xx for the webhook", acks), *_rows("the bot's answer at the provider", answers)]


def _rows(what: str, rounds: Sequence[Sequence[float]]) -> list[Row]:
    return [
        Row(PART, f"{what}, p{which}, at {RATE} a second", median(percentile(one, which) for one in rounds), "ms")
        for which in (50, 99)
    ]
