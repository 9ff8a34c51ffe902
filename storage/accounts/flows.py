"""How many messages came to which status, by channel and time: what the plots show.

Each process counts for itself and adds its counts to the database every few seconds, for five minutes and for an hour.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from storage.documents.documents import Db

NARROW, WIDE = timedelta(minutes=5), timedelta(hours=1)
KEPT = {NARROW: timedelta(days=3), WIDE: timedelta(days=400)}
"""How long the counts of each width are kept."""

TRIED, ENDED = "tried", "ended"
"""Counted beside the statuses: attempts that were begun on a channel, and messages that found their person there."""

Flow = Mapping[str, Mapping[str, int]]
"""Counts by channel ("" before any was tried), and by status or one of the words above."""


@dataclass
class Flows:
    """What this process has counted and not written yet, by channel and word."""

    counted: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, channel: str, word: str) -> None:
        """Count a message that came to a status, was tried, or has ended."""
        self.counted[channel or NOWHERE, word] += 1

    async def write(self, db: Db, now: datetime) -> None:
        """Add the counts to the database and start anew. A crash loses a few seconds' worth of them."""
        counted, self.counted = self.counted, Counter()
        if not counted:
            return
        added = {f"by.{channel}.{word}": count for (channel, word), count in counted.items()}
        for width, kept in KEPT.items():
            start = beginning(now, width)
            fields = {"$inc": added, "$set": {"expires_at": start + kept}}
            await db["flows"].update_one({"_id": _key(start, width)}, fields, upsert=True)


NOWHERE = "-"
"""The channel's name in the database where there is none: a field needs a name."""


async def between(db: Db, start: datetime, end: datetime, width: timedelta) -> Sequence[tuple[datetime, Flow]]:
    """Return the counts of each span of this width (NARROW or WIDE) from `start` until `end`, in order."""
    first = beginning(start, width)
    starts = [first + index * width for index in range(-(-(end - first) // width))]
    keys = {_key(each, width): each for each in starts}
    found = {document["_id"]: document["by"] async for document in db["flows"].find({"_id": {"$in": list(keys)}})}
    return [(each, _flow(found.get(key, {}))) for key, each in keys.items()]


def beginning(at: datetime, width: timedelta) -> datetime:
    """Return when the span of this width began that a moment is in. Pure."""
    return at - timedelta(seconds=at.timestamp() % width.total_seconds())


def _flow(by: Mapping[str, Mapping[str, int]]) -> Flow:
    return {"" if channel == NOWHERE else channel: dict(counts) for channel, counts in by.items()}


def _key(start: datetime, width: timedelta) -> str:
    return f"{int(width.total_seconds())}/{start:%Y%m%d%H%M}"
