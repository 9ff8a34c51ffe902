"""Messages that wait in an account's FIFO: how many they are, and making them due at once."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from gateway.domain.model.notification import Priority, lane_of
from storage.documents.documents import Db, from_document
from storage.documents.queue import EPOCH


class Waiting(Struct, frozen=True):
    """A message that waits in the FIFO of an account (channel:name), since `fifo_since`."""

    id: str
    fifo: str | None = None
    fifo_since: datetime | None = None
    lease: str | None = None


async def of_account(db: Db, account: str, until: datetime, most: int) -> Sequence[Waiting]:
    """Return messages that wait for this account and are due again by `until`.

    Of each lane, up to `most` are read, whosever they are: the lanes of priorities have other accounts' messages too.
    """
    found: list[Waiting] = []
    for lane in (lane_of(priority, name) for priority in Priority for name in ("", account)):
        query = {"lane": lane, "due_at": {"$gt": EPOCH, "$lte": until}}
        documents = db["notifications"].find(query, dict.fromkeys(Waiting.__struct_fields__[1:], 1)).limit(most)
        found += [from_document(Waiting, document) async for document in documents]
    return [each for each in found if each.fifo == account and each.lease is None]


async def hasten(db: Db, account: str, keys: Sequence[str], now: datetime) -> None:
    """Make those due now that still wait for this account. Whoever changes one meanwhile decides when it is due."""
    still = {"$and": [{"$eq": ["$fifo", account]}, {"$eq": [{"$ifNull": ["$lease", ""]}, ""]}]}
    update = [{"$set": {"due_at": {"$cond": [still, now, "$due_at"]}}}]
    for start in range(0, len(keys), AT_ONCE):
        await db["notifications"].update_many({"_id": {"$in": sorted(keys[start : start + AT_ONCE])}}, update)


AT_ONCE = 100
"""Ids in one write: some servers need a hundred times as long for ten times as many."""
