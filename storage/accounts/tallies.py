"""What our accounts have done of late: counted in each process, and written together every few seconds."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from storage.documents.documents import Db

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Tally:
    """Of this hour and the last one."""

    sends: int = 0
    failures: int = 0
    last_inbound_at: datetime | None = None


@dataclass
class Counts:
    """What this process has counted and not written yet, by account."""

    sends: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    heard: dict[str, datetime] = field(default_factory=dict)

    def sent(self, account: str, *, failed: bool) -> None:
        self.sends[account] += 1
        self.failures[account] += failed

    def came(self, account: str, at: datetime) -> None:
        self.heard[account] = max(at, self.heard.get(account, at))

    async def write(self, db: Db, now: datetime) -> None:
        """Those that a crash loses are a few seconds' worth."""
        sends, failures, heard = self.sends, self.failures, self.heard
        self.sends, self.failures, self.heard = Counter(), Counter(), {}
        for account in sends.keys() | heard.keys():
            update = {"$inc": {"sends": sends[account], "failures": failures[account]}, "$set": {"at": now}}
            await db["tallies"].update_one({"_id": _key(account, now)}, update, upsert=True)
            if account in heard:
                await db["tallies"].update_one({"_id": account}, {"$max": {"heard_at": heard[account]}}, upsert=True)


async def of(db: Db, accounts: Sequence[str], now: datetime) -> dict[str, Tally]:
    return dict(zip(accounts, await asyncio.gather(*(_of(db, account, now) for account in accounts)), strict=True))


async def _of(db: Db, account: str, now: datetime) -> Tally:
    shared = db.shared("tallies")
    here, *hours = await asyncio.gather(*map(shared.get, (account, _key(account, now), _key(account, now - HOUR))))
    counts = [hour for hour in hours if hour]
    sends, failures = (sum(int(hour.get(name, 0)) for hour in counts) for name in ("sends", "failures"))
    return Tally(sends, failures, here["heard_at"] if here else None)


def _key(account: str, at: datetime) -> str:
    return f"{account}/{at:%Y%m%d%H}"
