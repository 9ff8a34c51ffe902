"""Holds: accounts that wait since they are misconfigured, throttled, or their provider is down (a circuit breaker).

A hold is stored, so that all processes keep to it and everybody can see it. When it has ended, one message tries; its
result ends the hold for good, or makes the next one longer.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from gateway.domain.channel.errors import Ambiguous, Misconfigured, SendError, Throttled, Unavailable
from gateway.domain.model.attempt import HOLD
from gateway.runtime.telemetry import metrics
from storage.accounts import states
from storage.accounts.states import Hold
from storage.documents.documents import Db

log = logging.getLogger(__name__)

FAILURES = 10
"""Failures in a row, by a provider that is down or silent, after which the account is held."""

DOWN, DOWN_AT_MOST = timedelta(seconds=5), timedelta(seconds=60)
HELD_AT_MOST = timedelta(minutes=10)
"""The first and the longest hold for a provider that is down, and the longest for a misconfigured account."""

PROBE = timedelta(seconds=10)
"""How long other messages wait for the one that tries."""

BREATH = timedelta(seconds=1)
"""How long a throttled account is held where the provider names no time."""


class Holds:
    """The accounts that are held, as of the last refresh. Accounts are named channel:name."""

    def __init__(self, db: Db, accounts: Iterable[str]) -> None:
        self._db = db
        self._accounts = tuple(accounts)
        self._holds: Mapping[str, Hold] = {}
        self._failures: Counter[str] = Counter()

    async def refresh(self) -> None:
        """Read the holds of all processes."""
        self._holds = await states.holds(self._db, self._accounts)
        for account in self._accounts:
            metrics.HELD_ACCOUNTS.labels(account).set(account in self._holds)

    def of(self, account: str, now: datetime) -> Hold | None:
        """Return the account's hold, if it still lasts or no message has yet tried whether it has to."""
        hold = self._holds.get(account)
        return hold if hold and (hold.until > now or hold.probing) else None

    def begun_since(self, account: str, moment: datetime, now: datetime) -> bool:
        """Tell whether the account is held now, by a hold that began at that moment or later."""
        hold = self._holds.get(account)
        return hold is not None and hold.since >= moment and hold.until > now

    async def may_try(self, account: str, now: datetime) -> bool:
        """Claim the right to try first after a hold; only one message over all processes gets it."""
        claimed = await states.probe(self._db, account, now, now + PROBE)
        await self.refresh()
        return claimed

    async def end(self, hold: Hold, now: datetime) -> None:
        """Let one message try now whether the account works again, and not only when its hold is over."""
        await states.shorten_hold(self._db, hold.account, now)
        await self.refresh()

    async def record(self, account: str, error: SendError | None, began: datetime, now: datetime) -> None:
        """Hold or release the account by the result of a send that began at `began`; `error` is None for a success."""
        old = self._holds.get(account)
        if old and began < old.since:  # it was under way when the hold began, and says nothing new
            return
        if isinstance(error, Unavailable | Ambiguous) and not isinstance(error, Throttled):
            self._failures[account] += 1
            if self._failures[account] < FAILURES and not (old and old.probing):
                return
        else:
            self._failures[account] = 0
        if hold := _next_hold(account, error, old, now):
            alarm = logging.ERROR if hold.probing else logging.INFO  # being throttled is no trouble
            log.log(alarm, "%s is held until %s: %s", account, f"{hold.until:%H:%M:%S} UTC", hold.why)
            self._holds = {**self._holds, account: hold}  # at once: other sends may fail at this moment
            await states.hold(self._db, hold)
            await self.refresh()
        elif old:
            log.info("%s is well again", account)
            self._holds = {name: hold for name, hold in self._holds.items() if name != account}
            await states.release(self._db, account)
            await self.refresh()


def _next_hold(account: str, error: SendError | None, old: Hold | None, now: datetime) -> Hold | None:
    """Return the hold that follows from an error, longer after each try in vain; None if the provider answered."""
    strikes = old.strikes + 1 if old and old.probing else 1
    growth = 2 ** min(strikes - 1, 10)
    match error:
        case Misconfigured():
            return Hold(account, now + min(HOLD * growth, HELD_AT_MOST), str(error), now, strikes=strikes)
        case Throttled():
            until = now + (error.retry_after or BREATH)
            return Hold(account, until, str(error), now, patient=False, probing=False)
        case Unavailable() | Ambiguous():
            until = now + min(DOWN * growth, DOWN_AT_MOST)
            return Hold(account, until, f"the provider is down: {error}", now, patient=False, strikes=strikes)
    return None
