"""The connection to the database, and its indexes."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import ParamSpec, TypeVar

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ASCENDING, IndexModel
from pymongo.errors import InvalidURI, OperationFailure, PyMongoError

from storage.documents.documents import Collection, Db, Document

P = ParamSpec("P")
R = TypeVar("R")

DatabaseError = PyMongoError
"""Any failure between us and MongoDB. Callers report it as "try again later"."""

EVENTS_KEPT = timedelta(days=8)
"""How long a completed event is kept: longer than any provider repeats one (WhatsApp: 7 days)."""

RATE_LIMITS_KEPT = timedelta(hours=1)
"""How long a rate limit is kept after the moment at which it permits sending again."""

RECEIPTS_COME = timedelta(days=8)
"""The least time that the chat log is kept: a receipt finds its message there, and may come that late."""

KEPT = timedelta(days=90)
"""How long finished messages and the chat log are kept unless set otherwise."""

TRACED = timedelta(days=7)
"""How long calls to providers are kept unless set otherwise."""

TOKENS_REMEMBERED = timedelta(days=1)
"""How long an expired token is distinguished from an unknown one; and how long hourly counts are kept."""

LINKS_REMEMBERED = timedelta(days=30)
REPLIES_KEPT = timedelta(days=366)
"""How long an expired link is reported as expired; after that it is unknown."""

AUDIT_KEPT = timedelta(days=400)
"""How long the audit remembers what somebody has done."""

PENDING_KEPT = timedelta(days=2)
"""How long a file is kept that waits to be read, or whose columns do not fit."""

HEADINGS_KEPT = timedelta(days=400)
"""How long it is remembered what a heading was said to mean."""

REQUESTS_KEPT = timedelta(days=1)
"""How long an Idempotency-Key is remembered."""


def _kept(field: str, length: timedelta) -> IndexModel:
    """Return an index that deletes documents that long after the time in `field`; those without it stay."""
    return IndexModel([(field, ASCENDING)], sparse=True, expireAfterSeconds=int(length.total_seconds()))


def _sparse(*fields: str) -> IndexModel:
    return IndexModel([(field, ASCENDING) for field in fields], sparse=True)


def indexes_of(kept: timedelta, traced: timedelta) -> Mapping[str, list[IndexModel]]:
    """Return the indexes of each collection. Live work is in the sparse indexes, and leaves them when it is done.

    traced: how long calls to providers are kept.
    kept: how long finished work, dead letters and the chat log are kept; a receipt for an unknown message is in the log
    too. Collections without such a time are never deleted: sessions and contacts, because whom we may write to and who
    has asked us to stop must not be forgotten; and the few small documents on each account and template.
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
            *map(_sparse, ("recipient.identifiers", "recipient.contact", "recipient.session", "created_at", "untold")),
            _sparse("job_id", "job_at"),
            _kept("done_at", kept),
        ],
        "jobs": [_sparse("created_at"), _sparse("live_from"), _kept("ended_at", kept)],
        "batches": [
            _sparse("lane", "due_at"),
            _sparse("lease"),
            IndexModel([("job", ASCENDING), ("lane", ASCENDING)]),
            _sparse("job", "upload"),
            _kept("done_at", kept),
        ],
        "refused_rows": [_sparse("job", "upload"), _kept("at", kept)],
        "job_files": [_sparse("job", "upload"), _sparse("digest"), _kept("at", kept)],
        "pending_files": [_sparse("due_at"), _sparse("lease"), _kept("at", PENDING_KEPT)],
        "pending_pieces": [_kept("at", PENDING_KEPT)],
        "headings": [_kept("at", HEADINGS_KEPT)],
        "addressees": [_sparse("job")],
        "callbacks": [
            *map(_sparse, ("due_at", "lease", "lane")),
            _kept("done_at", EVENTS_KEPT),
            _kept("dead_at", max(kept, EVENTS_KEPT)),
        ],
        "files": [*map(_sparse, ("until", "due_at", "lease"))],
        "links": [_sparse("message"), _sparse("at"), _kept("expires_at", LINKS_REMEMBERED)],
        "replies": [_kept("used_at", REPLIES_KEPT)],
        "messages": [_kept("at", max(kept, RECEIPTS_COME)), IndexModel([("session", ASCENDING), ("at", ASCENDING)])],
        "sessions": [*map(_sparse, ("contact", "active_at", "unseen_from", "name_key", "phone_tail"))],
        "contacts": [
            *(IndexModel([(field, ASCENDING)], unique=True, sparse=True) for field in ("identifiers", "start_code")),
            *map(_sparse, ("name_key", "phone_tail")),
        ],
        "optouts": [_sparse("at")],
        "tokens": [_sparse("user"), _sparse("family"), _kept("expires_at", TOKENS_REMEMBERED)],
        "audit": [_kept("at", AUDIT_KEPT), _sparse("who", "at"), _sparse("act", "at"), _sparse("target", "at")],
        "logins": [_kept("since", TOKENS_REMEMBERED)],
        "flows": [_kept("expires_at", timedelta(0))],
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
    """Return a database handle without connecting yet. Operations fail if no server is found within `patience`.

    Raises DatabaseError if this is no URI of a database.

    Writes wait for a majority, times come back aware and in UTC.
    """
    milliseconds = int(patience.total_seconds() * 1000)
    try:
        client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            uri,
            w="majority",
            serverSelectionTimeoutMS=milliseconds,
            connectTimeoutMS=5000,
            socketTimeoutMS=20_000,
            appname="gateway",
        )
    except ValueError as error:  # a port beyond 65535, among others
        raise InvalidURI(str(error)) from None
    return Db(client, name)


async def prepare(db: Db, kept: timedelta = KEPT, traced: timedelta = TRACED) -> None:
    """Create the indexes. May be repeated; a new `kept` also applies to existing documents."""
    for collection, indexes in indexes_of(kept, traced).items():
        try:
            await db[collection].create_indexes(indexes)
        except OperationFailure:  # an index of that name with another time to live
            for index in indexes:
                await _create_or_change(db[collection], index)


async def _create_or_change(collection: Collection, index: IndexModel) -> None:
    """Create this index, or change the time to live of the existing one.

    It is never dropped for that, so that several processes may do so at once, even with different times: the last one
    wins.
    """
    try:
        await collection.create_indexes([index])
    except OperationFailure:
        seconds = index.document.get("expireAfterSeconds")
        if seconds is None:
            raise
        change = {"name": index.document["name"], "expireAfterSeconds": seconds}
        await collection.database.command("collMod", collection.name, index=change)


async def ping(db: Db) -> None:
    """Raise DatabaseError unless the database answers."""
    await db.client.admin.command("ping")


async def insist(write: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
    """Retry a write for ten minutes while the database is unavailable. Returns its result; the last error is raised.

    Only for writes that may be repeated, which are those found by their `_id`. The pauses are short, because others
    take over the work once its lease has ended, and know less about it than we do.
    """
    for _ in range(INSIST):
        try:
            return await write(*args, **kwargs)
        except PyMongoError:
            await asyncio.sleep(PAUSE)
    return await write(*args, **kwargs)


INSIST, PAUSE = 600, 1
"""How often it is retried, and the seconds between."""
