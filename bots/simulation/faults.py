"""What a stand-in does wrong by chance: the weather in which a gateway has to live."""

from random import Random

from msgspec import Struct


class RandomFaults(Struct, frozen=True, kw_only=True):
    """How likely each fault is, from 0 to 1, for each call of ours or each webhook. All are off at first.

    broken: a 500 before anything was taken. too_many: refused as too frequent. lost_answer: taken, and the answer is
    a broken proxy's. slow: up to `slowest` seconds more until the call is looked at.
    twice: a webhook goes out twice. late: it comes up to `latest` seconds late, and others overtake it. lost: its first
    try does not arrive. unheard: it arrives, but the provider does not hear our answer, and delivers it again.
    """

    broken: float = 0
    too_many: float = 0
    lost_answer: float = 0
    slow: float = 0
    slowest: float = 2
    twice: float = 0
    late: float = 0
    latest: float = 2
    lost: float = 0
    unheard: float = 0

    @staticmethod
    def happens(random: Random, chance: float) -> bool:
        """Nothing is drawn for what is off, so that it disturbs no sequence."""
        return chance > 0 and random.random() < chance

    def slowness(self, random: Random) -> float:
        """Seconds by which this call is slower than others."""
        return random.uniform(0, self.slowest) if self.happens(random, self.slow) else 0
