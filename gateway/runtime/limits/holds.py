"""Accounts that wait: misconfigured, told to call less often, or with a provider that is down (a circuit breaker).

A hold is stored, so that all processes keep to it and everybody can see it. After it, one message tries; what it
hears ends the hold, or makes the next one longer.
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
from storage.engine.database import Db

log = logging.getLogger(__name__)

FAILURES = 10
"""Sends in a row that found the provider down or silent, after which it is left alone for a while."""

DOWN, DOWN_AT_MOST = timedelta(seconds=5), timedelta(seconds=60)
HELD_AT_MOST = timedelta(minutes=10)
"""How long a provider that is down is left alone first, and at most; and at most an account that is at fault."""

PROBE = timedelta(seconds=10)
"""How long the others wait for the one that tries."""

BREATH = timedelta(seconds=1)
"""How long we wait when we call too often and the provider names no time."""


class Holds:
    """The accounts that are held, as of the last look. Accounts are named channel:name."""

    def __init__(self, db: Db, accounts: Iterable[str]) -> None:
        self._db = db
        self._accounts = tuple(accounts)
        self._known: Mapping[str, Hold] = {}
        self._failures: Counter[str] = Counter()

    async def refresh(self) -> None:
        """Hear it from the others."""
        self._known = await states.holds(self._db, self._accounts)
        for account in self._accounts:
            metrics.HELD_ACCOUNTS.labels(account).set(account in self._known)

    def of(self, account: str, now: datetime) -> Hold | None:
        """The hold that this account is under, if any: it lasts still, or nobody has tried yet whether it has to."""
        hold = self._known.get(account)
        return hold if hold and (hold.until > now or hold.probing) else None

    def begun_since(self, account: str, moment: datetime, now: datetime) -> bool:
        """Is it held now, by a hold that nobody knew of at that moment?"""
        hold = self._known.get(account)
        return hold is not None and hold.since >= moment and hold.until > now

    async def may_try(self, account: str, now: datetime) -> bool:
        """Of those that wait for a hold to end one may go first."""
        won = await states.probe(self._db, account, now, now + PROBE)
        await self.refresh()
        return won

    async def heard(self, account: str, error: SendError | None, began: datetime, now: datetime) -> None:
        """What a send that began then has told us about the account."""
        old = self._known.get(account)
        if old and began < old.since:  # it was under way when the hold began, and says nothing new
            return
        if isinstance(error, Unavailable | Ambiguous) and not isinstance(error, Throttled):
            self._failures[account] += 1
            if self._failures[account] < FAILURES and not (old and old.probing):
                return
        else:
            self._failures[account] = 0
        if hold := _hold(account, error, old, now):
            alarm = logging.ERROR if hold.probing else logging.INFO  # to be asked to slow down is no trouble
            log.log(alarm, "%s is held until %s: %s", account, f"{hold.until:%H:%M:%S} UTC", hold.why)
            self._known = {**self._known, account: hold}  # at once: others may hear the same at this moment
            await states.hold(self._db, hold)
            await self.refresh()
        elif old:
            log.info("%s is well again", account)
            self._known = {name: known for name, known in self._known.items() if name != account}
            await states.release(self._db, account)
            await self.refresh()


def _hold(account: str, error: SendError | None, old: Hold | None, now: datetime) -> Hold | None:
    """The hold that follows from an error, longer each time that trying was in vain; None if the provider answered."""
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
