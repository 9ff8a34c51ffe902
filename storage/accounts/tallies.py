"""Tallies of our accounts' sends, failures and last inbound events.

Each process counts for itself and adds its counts to the database every few seconds.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from storage.documents.documents import Db

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Tally:
    """The counts of one account in this hour and the last one."""

    sends: int = 0
    failures: int = 0
    last_inbound_at: datetime | None = None


@dataclass
class Counts:
    """What this process has counted by account and not written yet."""

    sends: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    last_inbound: dict[str, datetime] = field(default_factory=dict)

    def count_send(self, account: str, *, failed: bool) -> None:
        """Count an attempt to send."""
        self.sends[account] += 1
        self.failures[account] += failed

    def count_event(self, account: str, at: datetime) -> None:
        """Note an inbound event."""
        self.last_inbound[account] = max(at, self.last_inbound.get(account, at))

    async def write(self, db: Db, now: datetime) -> None:
        """Add the counts to the database and start anew. A crash loses a few seconds' worth of them."""
        sends, failures, last_inbound = self.sends, self.failures, self.last_inbound
        self.sends, self.failures, self.last_inbound = Counter(), Counter(), {}
        for account in sends.keys() | last_inbound.keys():
            hour = {"$inc": {"sends": sends[account], "failures": failures[account]}, "$set": {"at": now}}
            await db["tallies"].update_one({"_id": _key(account, now)}, hour, upsert=True)
            if account in last_inbound:
                latest = {"$max": {"heard_at": last_inbound[account]}}
                await db["tallies"].update_one({"_id": account}, latest, upsert=True)


async def of_accounts(db: Db, accounts: Sequence[str], now: datetime) -> dict[str, Tally]:
    """Return the tally of each of these accounts (channel:name)."""
    counts = await asyncio.gather(*(_tally(db, account, now) for account in accounts))
    return dict(zip(accounts, counts, strict=True))


async def _tally(db: Db, account: str, now: datetime) -> Tally:
    shared, keys = db.shared("tallies"), (account, _key(account, now), _key(account, now - HOUR))
    latest, *hours = await asyncio.gather(*map(shared.get, keys))
    counts = [hour for hour in hours if hour]
    sends, failures = (sum(int(hour.get(name, 0)) for hour in counts) for name in ("sends", "failures"))
    return Tally(sends, failures, latest["heard_at"] if latest else None)


async def by_hour(db: Db, account: str, now: datetime) -> Sequence[tuple[datetime, int, int]]:
    """Return the beginnings of this hour and the 23 before it, in order, with the sends and the failures of each."""
    this = now.replace(minute=0, second=0, microsecond=0)
    hours = {_key(account, at): at for at in (this - HOUR * back for back in reversed(range(DAY)))}
    found = {hour["_id"]: hour for hour in await db.shared("tallies").several(list(hours))}
    counts = [(at, found.get(key, {})) for key, at in hours.items()]
    return [(at, int(hour.get("sends", 0)), int(hour.get("failures", 0))) for at, hour in counts]


DAY = 24
"""Hours whose counts are kept."""


def _key(account: str, at: datetime) -> str:
    return f"{account}/{at:%Y%m%d%H}"
