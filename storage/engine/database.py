"""The connection and the indexes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import ParamSpec, TypeVar

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, IndexModel
from pymongo.errors import OperationFailure, PyMongoError

from storage.documents.documents import Collection, Db, Document

P = ParamSpec("P")
R = TypeVar("R")

DatabaseError = PyMongoError
"""Anything that goes wrong between us and MongoDB. Callers tell it as "try again later"."""

EVENTS_KEPT = timedelta(days=8)
"""A worked-off event is remembered longer than any provider repeats one (WhatsApp: 7 days)."""

RATE_LIMITS_KEPT = timedelta(hours=1)
"""Whoever was free to send an hour ago has nothing to be remembered for."""

RECEIPTS_COME = timedelta(days=8)
"""The chat log is kept at least as long as a provider may take to report: it is where a receipt finds its message."""

KEPT = timedelta(days=90)
"""How long finished messages and the chat log are kept unless set otherwise."""

TRACED = timedelta(days=7)
"""How long calls to providers are kept unless set otherwise."""

TOKENS_REMEMBERED = timedelta(days=1)
"""So long a token that has expired is told from one that never was; and what is counted by the hour is kept."""

LINKS_REMEMBERED = timedelta(days=30)
"""So long people are told that a link has expired; then there is no such link."""

REQUESTS_KEPT = timedelta(days=1)
"""How long an Idempotency-Key is remembered."""


def _kept(field: str, length: timedelta) -> IndexModel:
    """Documents go that long after the time in `field`; those without it stay."""
    return IndexModel([(field, ASCENDING)], sparse=True, expireAfterSeconds=int(length.total_seconds()))


def _sparse(*fields: str) -> IndexModel:
    return IndexModel([(field, ASCENDING) for field in fields], sparse=True)


def indexes_of(kept: timedelta, traced: timedelta) -> Mapping[str, list[IndexModel]]:
    """Live work is in the sparse indexes and leaves them when it is done; then its time runs.

    traced: how long calls to providers are kept.
    kept: how long what is finished is remembered, dead letters among it, and the chat log; a receipt for a message that
    never came stands in the log too. What has no such time stays: sessions and contacts, because whom we may write to
    and who has asked us to stop must not be forgotten; and what we know of accounts and templates, a few small
    documents for each.
    """
    return {
        "inbox": [
            *map(_sparse, ("due_at", "lease", "lane")),
            _kept("done_at", EVENTS_KEPT),
            _kept("dead_at", max(kept, EVENTS_KEPT)),
        ],
        "notifications": [
            _sparse("lane", "due_at"),
            *map(_sparse, ("lease", "person", "group_id", "bulk_id", "dead_at")),
            *map(_sparse, ("recipient.identifiers", "created_at", "untold")),
            _sparse("job_id", "job_at"),
            _kept("done_at", kept),
        ],
        "jobs": [_sparse("created_at"), _sparse("live_from"), _kept("ended_at", kept)],
        "batches": [
            _sparse("lane", "due_at"),
            _sparse("lease"),
            IndexModel([("job", ASCENDING), ("lane", ASCENDING)]),
            _kept("done_at", kept),
        ],
        "addressees": [_sparse("job")],
        "callbacks": [
            *map(_sparse, ("due_at", "lease", "lane")),
            _kept("done_at", EVENTS_KEPT),
            _kept("dead_at", max(kept, EVENTS_KEPT)),
        ],
        "links": [_sparse("message"), _sparse("at"), _kept("expires_at", LINKS_REMEMBERED)],
        "messages": [_kept("at", max(kept, RECEIPTS_COME)), IndexModel([("session", ASCENDING), ("at", ASCENDING)])],
        "sessions": [_sparse("contact"), _sparse("active_at")],
        "contacts": [
            IndexModel([(field, ASCENDING)], unique=True, sparse=True) for field in ("identifiers", "start_code")
        ],
        "optouts": [_sparse("at")],
        "tokens": [_sparse("user"), _sparse("family"), _kept("expires_at", TOKENS_REMEMBERED)],
        "logins": [_kept("since", TOKENS_REMEMBERED)],
        "tallies": [_kept("at", TOKENS_REMEMBERED)],
        "requests": [_kept("at", REQUESTS_KEPT)],
        "rate_limits": [_kept("free_at", RATE_LIMITS_KEPT)],
        "workers": [_kept("at", RATE_LIMITS_KEPT)],
        "traces": [_sparse("notification"), _kept("at", traced)],
        "own_templates": [_sparse("listed_at")],
        "templates": [_sparse("created_at"), _sparse("owner")],
        "template_syncs": [_sparse("lease")],
    }


def connect(uri: str, name: str, patience: timedelta = timedelta(seconds=5)) -> Db:
    """A database handle; nothing is sent yet. Operations fail when no server was found for `patience`.

    Writes wait for a majority, times come back aware and in UTC.
    """
    milliseconds = int(patience.total_seconds() * 1000)
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
        uri,
        w="majority",
        serverSelectionTimeoutMS=milliseconds,
        connectTimeoutMS=5000,
        socketTimeoutMS=20_000,
        appname="gateway",
    )
    return Db(client, name)


async def prepare(db: Db, kept: timedelta = KEPT, traced: timedelta = TRACED) -> None:
    """Make sure of the indexes. May be repeated; another `kept` holds for what is there already, too."""
    for collection, indexes in indexes_of(kept, traced).items():
        try:
            await db[collection].create_indexes(indexes)
        except OperationFailure:  # an index of that name with another time to live
            for index in indexes:
                await _given(db[collection], index)


async def _given(collection: Collection, index: IndexModel) -> None:
    """Make this index, or give the one that is there its length of time.

    It is never taken away for that, so that several processes may do so at once, even with different lengths: the last
    one's holds.
    """
    try:
        await collection.create_indexes([index])
    except OperationFailure:
        seconds = index.document.get("expireAfterSeconds")
        if seconds is None:
            raise
        changed = {"name": index.document["name"], "expireAfterSeconds": seconds}
        await collection.database.command("collMod", collection.name, index=changed)


async def ping(db: Db) -> None:
    """Raise DatabaseError unless the database answers."""
    await db.client.admin.command("ping")


async def insist(write: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
    """Do a write that must not be given up lightly: the database has ten minutes to come back.

    Only for writes that may be repeated, which are those found by their `_id`. The pauses are short, because others
    take the work over once its lease has run out, and know less about it than we do.
    """
    for _ in range(INSIST):
        try:
            return await write(*args, **kwargs)
        except PyMongoError:
            await asyncio.sleep(PAUSE)
    return await write(*args, **kwargs)


INSIST, PAUSE = 600, 1
"""How often it is tried, and the seconds between."""
