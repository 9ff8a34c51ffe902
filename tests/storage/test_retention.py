"""What is finished is forgotten after its time, and nothing else is."""

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
from storage.messages import chat_log, notifications
from storage.messages.inbox import Inbox
from tests.support.client import ApiClient, until

DAY = timedelta(days=1)
LONG_AGO = Clock()() - 400 * DAY
SET_BY_US = {"notifications": "done_at_1", "messages": "at_1", "inbox": "dead_at_1"}


async def lives(db: Db, collection: str) -> Mapping[str, timedelta]:
    """How long documents live after the time in each field."""
    indexes = await db[collection].index_information()
    return {
        name: timedelta(seconds=index["expireAfterSeconds"])
        for name, index in indexes.items()
        if "expireAfterSeconds" in index
    }


async def kept(db: Db) -> set[timedelta]:
    return {(await lives(db, collection))[name] for collection, name in SET_BY_US.items()}


def made(name: str) -> Notification:
    step = Step("sms", content=Content("Hi"))
    return Notification(
        name, Recipient(identifiers(phone="+79000000001")), (step,), LONG_AGO, LONG_AGO + DAY, due_at=LONG_AGO
    )


async def test_finished_messages_the_log_and_events_have_their_time(db: Db) -> None:
    assert await lives(db, "notifications") == {"done_at_1": KEPT}
    assert await lives(db, "messages") == {"at_1": KEPT}
    assert await lives(db, "inbox") == {"done_at_1": EVENTS_KEPT, "dead_at_1": KEPT}


@pytest.mark.parametrize("collection", ["sessions", "contacts", "templates", "holds", "keys"])
async def test_what_must_not_be_forgotten_has_none(db: Db, collection: str) -> None:
    await db[collection].insert_one({"_id": "1"})
    assert await lives(db, collection) == {}


async def test_the_time_is_that_of_the_settings(settings: Settings) -> None:
    for days in (30, 7, 7, 365):
        environ = {"GATEWAY_KEEP_DAYS": str(days), "GATEWAY_DATABASE": settings.database}
        own = load({**environ, "MONGODB_URI": str(settings.mongodb_uri)}, accounts=False)
        async with opened_database(own) as db:
            assert await kept(db) == {days * DAY, max(days * DAY, EVENTS_KEPT)}


async def test_the_database_refuses_another_length_by_itself(db: Db) -> None:
    """Why the lengths are changed one by one; if this stops, that may go."""
    with pytest.raises(OperationFailure) as refused:
        await db["messages"].create_indexes([IndexModel([("at", 1)], sparse=True, expireAfterSeconds=60)])
    assert refused.value.code in {85, 86}


async def test_the_other_indexes_stay_when_the_length_changes(db: Db) -> None:
    await db["notifications"].drop_index("bulk_id_1")
    before = set(await db["notifications"].index_information())
    await prepare(db, 30 * DAY)
    assert set(await db["notifications"].index_information()) == before | {"bulk_id_1"}
    assert await kept(db) == {30 * DAY}


@pytest.mark.parametrize("lengths", [(30, 30), (30, 60), (30, 60, 30, 60)])
async def test_processes_that_start_at_once_do_not_break_each_other(db: Db, lengths: tuple[int, ...]) -> None:
    """Each of them starts, and each index has a length that one of them wanted, at every moment."""
    for _ in range(5):
        await asyncio.gather(*(prepare(db, days * DAY) for days in lengths))
        assert await kept(db) <= {days * DAY for days in lengths}
        assert len(await db["notifications"].index_information()) == 13
        await prepare(db, 90 * DAY)


async def test_the_time_runs_from_the_end(db: Db) -> None:
    """What is live has no end, whatever its age, and what comes back to life has none any more."""
    await notifications.add(db, [made("live"), made("done").complete(Status.UNDELIVERED, LONG_AGO)])
    live, done = await notifications.get(db, "live"), await notifications.get(db, "done")
    assert live
    assert done
    assert (live.done_at, done.done_at) == (None, LONG_AGO)
    await notifications.change(db, "done", lambda old: old.reschedule(LONG_AGO))
    woken = await db["notifications"].find_one({"_id": "done"})
    assert woken
    assert "done_at" not in woken


async def test_an_early_receipt_has_its_time_too(db: Db) -> None:
    await chat_log.of_receipt(db, receipt())
    kept = await db["messages"].find_one({"_id": "sms:shop:SM1"})
    assert kept
    assert kept["at"] == LONG_AGO


def receipt() -> Receipt:
    return Receipt("sms", "shop", "r1", "SM1", Progress.FAILED, LONG_AGO, "no", Cause.REFUSED)


@pytest.mark.faults
@pytest.mark.timeout(240)
async def test_what_is_finished_goes_and_what_is_live_stays(demo: ApiClient) -> None:
    """Databases look about once a minute."""
    db, now = demo.environment.runtime.db, Clock()()
    finished, fresh = made("finished").complete(Status.UNDELIVERED, LONG_AGO), made("fresh").complete(Status.ERROR, now)
    waiting = made("waiting").waiting(now + DAY, now, Status.PENDING, "sms:demo")
    await notifications.add(db, [finished, fresh, waiting])
    await chat_log.of_receipt(db, receipt())
    await Inbox(db).add([receipt()], now + DAY)
    await db["inbox"].insert_one({"_id": "dead", "dead_at": LONG_AGO})
    await demo.say("whatsapp", "/start")

    async def left() -> dict[str, Any]:
        asked = {"notifications": {"_id": "finished"}, "messages": {"_id": "sms:shop:SM1"}, "inbox": {"_id": "dead"}}
        return {name: found for name, query in asked.items() if (found := await db[name].find_one(query))}

    async def gone() -> bool:
        return not await left()

    assert set(await left()) == {"notifications", "messages", "inbox"}
    await until(gone, patience=200)
    assert await notifications.get(db, "waiting")
    assert await notifications.get(db, "fresh")
    assert await db["inbox"].find_one({"_id": "sms:shop:r1"})
    assert await db["sessions"].count_documents({}) == 1
    assert await db["messages"].count_documents({}) > 0
