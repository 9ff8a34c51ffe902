"""What a stand-in does wrong: faults on demand, which somebody orders, and random faults, which happen by chance."""

import asyncio
import random
import time
from collections import deque

from msgspec import Struct
from werkzeug.exceptions import InternalServerError


class RandomFaults(Struct, frozen=True, kw_only=True):
    """How likely each fault is, from 0 to 1, for each call of ours or each webhook. All are off at first.

    Calls: `broken`: a 500 before anything was taken. `too_many`: refused as too frequent. `lost_answer`: taken, and the
    answer is a broken proxy's. `slow`: up to `slowest` more seconds until the call is handled. Webhooks: `twice`:
    posted twice. `late`: up to `latest` seconds late, and others overtake it. `lost`: the first try does not arrive.
    `unheard`: it arrives, but the provider does not get our answer, and delivers it again.
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
    def happens(draw: random.Random, likelihood: float) -> bool:
        """Tell whether a fault of this likelihood happens now.

        Nothing is drawn for what is off, so that it does not disturb the random sequence.
        """
        return likelihood > 0 and draw.random() < likelihood

    def slowness(self, draw: random.Random) -> float:
        """Return the seconds by which this call is slower than others."""
        return draw.uniform(0, self.slowest) if self.happens(draw, self.slow) else 0


class FaultsOnDemand:
    """The faults of one stand-in, each ordered for so many calls or until it is switched off. All are off at first.

    planned: the error codes of the next calls, in order; "" lets a call pass. answer_after: seconds that each call
    takes. per_second: calls beyond so many in a second are refused with `too_many`, the provider's code for that.
    lost_answers: of so many next messages, the answer is lost. webhook_copies: how often each webhook is posted.
    reorder: webhooks overtake each other. random_faults: what goes wrong by chance besides, drawn from `random`.
    """

    def __init__(self, too_many: str) -> None:
        self.planned: deque[str] = deque()
        self.too_many = too_many
        self.per_second = 0
        self._call_times: deque[float] = deque()
        self.lost_answers = 0
        self.answer_after = 0.0
        self.webhook_copies = 1
        self.reorder = False
        self.random_faults = RandomFaults()
        self.random = random.Random(0)  # noqa: S311 - a repeatable shuffle

    def fail(self, code: object, times: int = 1) -> None:
        """Refuse the next calls with this error code of the provider's."""
        self.planned.extend([str(code)] * times)

    def lose_answers(self, times: int = 1) -> None:
        """Take the next messages, but answer as a broken proxy does: 502 and a page of HTML."""
        self.lost_answers += times

    async def next_error(self) -> str | None:
        """Wait as long as this call has to take; then return its error code, if it is to fail.

        Raises InternalServerError for a random `broken` fault: a bare 500, in no provider's own words.
        """
        await asyncio.sleep(self.answer_after + self.random_faults.slowness(self.random))
        if self.planned:
            return self.planned.popleft()
        if self.random_faults.happens(self.random, self.random_faults.broken):
            raise InternalServerError
        throttled = self.per_second and self._throttled()
        return (
            self.too_many if throttled or self.random_faults.happens(self.random, self.random_faults.too_many) else None
        )

    def _throttled(self) -> bool:
        now = time.monotonic()
        while self._call_times and self._call_times[0] <= now - 1:
            self._call_times.popleft()
        if len(self._call_times) >= self.per_second:
            return True
        self._call_times.append(now)
        return False

    def loses_this_answer(self) -> bool:
        """Tell whether the answer to this message is lost, on demand or by chance."""
        if self.lost_answers > 0:
            self.lost_answers -= 1
            return True
        return self.random_faults.happens(self.random, self.random_faults.lost_answer)

    def copies(self) -> int:
        """Return how many times the next webhook is delivered."""
        return self.webhook_copies + self.random_faults.happens(self.random, self.random_faults.twice)

    def webhook_delay(self) -> float | None:
        """Return the seconds after which a webhook is posted out of order; None: it waits for those before it."""
        if self.reorder:
            return self.random.uniform(0, 0.1)
        if self.webhook_copies > 1:
            return 0
        late = self.random_faults.happens(self.random, self.random_faults.late)
        return self.random.uniform(0, self.random_faults.latest) if late else None
