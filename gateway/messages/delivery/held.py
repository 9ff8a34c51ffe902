"""What waits for an account that is held, and trying at once whether the account works again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Progress
from gateway.messages.delivery import recording
from gateway.runtime.limits.admission import LOOK_AROUND
from gateway.runtime.runtime import Runtime
from storage.accounts.states import Hold
from storage.messages import waiting
from storage.messages.waiting import Waiting

MOST = 1000
"""Messages that are read of each lane, and made due at once."""

FIRST = 10
"""Of these, the longest waiting, one tries: they do not keep to the moment of their own next try either."""


@dataclass(frozen=True)
class Backlog:
    """The messages that wait for an account: how many have been counted, and since when the first of them waits."""

    count: int
    since: datetime | None


async def backlog(runtime: Runtime, hold: Hold) -> Backlog:
    """Return what waits for a held account. It counts up to MOST."""
    found = await _found(runtime, hold)
    since = min((each.fifo_since for each in found if each.fifo_since), default=None)
    return Backlog(min(len(found), MOST), since)


async def look_now(runtime: Runtime, account: str) -> bool:
    """End an account's hold at once, so that one message tries; up to MOST of those that wait are due again with it.

    Returns False if it is not held, or only throttled: its provider has then said how long to wait.
    """
    await runtime.gate.holds.refresh()
    now = runtime.clock()
    hold = runtime.gate.holds.of(account, now)
    if hold is None or not hold.probing:
        return False
    found = sorted(await _found(runtime, hold), key=lambda each: (each.fifo_since or now, each.id))[:MOST]
    await runtime.gate.holds.end(hold, now)
    for each in found[:FIRST]:
        await recording.change(runtime, each.id, lambda old: _hastened(old, account, now))
    await waiting.hasten(runtime.db, account, [each.id for each in found[FIRST:]], now)
    runtime.outbox_bell.set()
    return True


def _hastened(old: Notification, account: str, now: datetime) -> Notification | None:
    """Return a message due now, if it still waits for this account."""
    if old.fifo != account or old.lease:
        return None
    attempts = tuple(
        replace(each, retry_at=now) if each.progress is Progress.RETRYING else each for each in old.attempts
    )
    return replace(old, due_at=now, attempts=attempts)


async def _found(runtime: Runtime, hold: Hold) -> Sequence[Waiting]:
    """Return those that wait for the end of the hold, or until it is known how the one fares that tries."""
    until = max(hold.until, runtime.clock() + LOOK_AROUND)
    return await waiting.of_account(runtime.db, hold.account, until, MOST)
