"""Retention: what is finished is forgotten after its time, and nothing else is."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from pymongo import IndexModel
from pymongo.errors import OperationFailure

from gateway.domain.model.attempt import Step
from gateway.domain.model.event import Receipt
from gateway.domain.model.identifier import identifiers
from gateway.domain.model.notification import Notification, Recipient, Status
from gateway.domain.model.nouns import Cause, Content, Progress
from gateway.runtime.runtime import Clock, opened_database
from gateway.runtime.settings.settings import Settings, load
from storage.documents.documents import Db
from storage.engine.database import EVENTS_KEPT, KEPT, prepare
from storage.messages import chat_log, notification_writes, notifications
from storage.messages.inbox import Inbox
from tests.support.client import ApiClient, until

DAY = timedelta(days=1)
LONG_AGO = Clock()() - 400 * DAY
BY_SETTING = {"notifications": "done_at_1", "messages": "at_1", "inbox": "dead_at_1"}


async def lifetimes(db: Db, collection: str) -> Mapping[str, timedelta]:
    """Return {index: how long documents live after the time in its field}."""
    indexes = await db[collection].index_information()
    return {
        name: timedelta(seconds=index["expireAfterSeconds"])
        for name, index in indexes.items()
        if "expireAfterSeconds" in index
    }


async def configured_lifetimes(db: Db) -> set[timedelta]:
    """Return the lifetimes that depend on the settings."""
    return {(await lifetimes(db, collection))[name] for collection, name in BY_SETTING.items()}


def notification(name: str) -> Notification:
    step = Step("sms", content=Content("Hi"))
    return Notification(
        name, Recipient(identifiers(phone="+79000000001")), (step,), LONG_AGO, LONG_AGO + DAY, due_at=LONG_AGO
    )


async def test_finished_messages_the_log_and_events_have_their_time(db: Db) -> None:
    assert await lifetimes(db, "notifications") == {"done_at_1": KEPT}
    assert await lifetimes(db, "messages") == {"at_1": KEPT}
    assert await lifetimes(db, "inbox") == {"done_at_1": EVENTS_KEPT, "dead_at_1": KEPT}


async def test_the_rest_has_its_time_too(db: Db) -> None:
    kept = {
        "jobs": {"ended_at_1": KEPT},
        "batches": {"done_at_1": KEPT},
        "refused_rows": {"at_1": KEPT},
        "pending_files": {"at_1": 2 * DAY},
        "pending_pieces": {"at_1": 2 * DAY},
        "headings": {"at_1": 400 * DAY},
        "callbacks": {"done_at_1": 8 * DAY, "dead_at_1": KEPT},
        "links": {"expires_at_1": 30 * DAY},
        "replies": {"used_at_1": 366 * DAY},
        "tokens": {"expires_at_1": DAY},
        "logins": {"since_1": DAY},
        "tallies": {"at_1": DAY},
        "requests": {"at_1": DAY},
        "rate_limits": {"free_at_1": timedelta(hours=1)},
        "workers": {"at_1": timedelta(hours=1)},
        "traces": {"at_1": 7 * DAY},
    }
    assert {name: await lifetimes(db, name) for name in kept} == kept


@pytest.mark.parametrize("collection", ["sessions", "contacts", "templates", "holds", "keys"])
async def test_what_must_not_be_forgotten_has_none(db: Db, collection: str) -> None:
    await db[collection].insert_one({"_id": "1"})
    assert await lifetimes(db, collection) == {}


async def test_the_time_is_that_of_the_settings(settings: Settings) -> None:
    for days in (30, 7, 7, 365):
        environ = {"GATEWAY_KEEP_DAYS": str(days), "GATEWAY_DATABASE": settings.database}
        own = load({**environ, "MONGODB_URI": str(settings.mongodb_uri)}, accounts=False)
        async with opened_database(own) as db:
            assert await configured_lifetimes(db) == {days * DAY, max(days * DAY, EVENTS_KEPT)}


async def test_the_database_refuses_another_length_by_itself(db: Db) -> None:
    """Lifetimes are changed index by index because of this; once this test fails, that code may go."""
    with pytest.raises(OperationFailure) as refused:
        await db["messages"].create_indexes([IndexModel([("at", 1)], sparse=True, expireAfterSeconds=60)])
    assert refused.value.code in {85, 86}


async def test_the_other_indexes_stay_when_the_length_changes(db: Db) -> None:
    await db["notifications"].drop_index("bulk_id_1")
    before = set(await db["notifications"].index_information())
    await prepare(db, 30 * DAY)
    assert set(await db["notifications"].index_information()) == before | {"bulk_id_1"}
    assert await configured_lifetimes(db) == {30 * DAY}


@pytest.mark.parametrize("lengths", [(30, 30), (30, 60), (30, 60, 30, 60)])
async def test_processes_that_start_at_once_do_not_break_each_other(db: Db, lengths: tuple[int, ...]) -> None:
    """Each of them starts, and each index always has a lifetime that one of them asked for."""
    for _ in range(5):
        await asyncio.gather(*(prepare(db, days * DAY) for days in lengths))
        assert await configured_lifetimes(db) <= {days * DAY for days in lengths}
        assert len(await db["notifications"].index_information()) == 14
        await prepare(db, 90 * DAY)


async def test_the_time_runs_from_the_end(db: Db) -> None:
    """A live message has no end, whatever its age, and one that is rescheduled loses its end."""
    await notification_writes.add(
        db, [notification("live"), notification("done").complete(Status.UNDELIVERED, LONG_AGO)]
    )
    live, done = await notifications.get(db, "live"), await notifications.get(db, "done")
    assert live
    assert done
    assert (live.done_at, done.done_at) == (None, LONG_AGO)
    await notification_writes.change(db, "done", lambda old: old.reschedule(LONG_AGO))
    rescheduled = await db["notifications"].find_one({"_id": "done"})
    assert rescheduled
    assert "done_at" not in rescheduled


async def test_an_early_receipt_has_its_time_too(db: Db) -> None:
    await chat_log.of_receipt(db, receipt())
    line = await db["messages"].find_one({"_id": "sms:shop:SM1"})
    assert line
    assert line["at"] == LONG_AGO


def receipt() -> Receipt:
    return Receipt("sms", "shop", "r1", "SM1", Progress.FAILED, LONG_AGO, "no", Cause.REFUSED)


@pytest.mark.faults
@pytest.mark.timeout(240)
async def test_what_is_finished_goes_and_what_is_live_stays(demo: ApiClient) -> None:
    """The database looks for expired documents about once a minute."""
    db, now = demo.environment.runtime.db, Clock()()
    finished, fresh = (
        notification("finished").complete(Status.UNDELIVERED, LONG_AGO),
        notification("fresh").complete(Status.ERROR, now),
    )
    waiting = notification("waiting").waiting(now + DAY, now, Status.PENDING, "sms:demo")
    await notification_writes.add(db, [finished, fresh, waiting])
    await chat_log.of_receipt(db, receipt())
    await Inbox(db).add([receipt()], now + DAY)
    await db["inbox"].insert_one({"_id": "dead", "dead_at": LONG_AGO})
    await demo.say("whatsapp", "/start")

    async def remaining() -> dict[str, Any]:
        queries = {"notifications": {"_id": "finished"}, "messages": {"_id": "sms:shop:SM1"}, "inbox": {"_id": "dead"}}
        return {name: document for name, query in queries.items() if (document := await db[name].find_one(query))}

    async def is_gone() -> bool:
        return not await remaining()

    assert set(await remaining()) == {"notifications", "messages", "inbox"}
    await until(is_gone, patience=200)
    assert await notifications.get(db, "waiting")
    assert await notifications.get(db, "fresh")
    assert await db["inbox"].find_one({"_id": "sms:shop:r1"})
    assert await db["sessions"].count_documents({}) == 1
    assert await db["messages"].count_documents({}) > 0
