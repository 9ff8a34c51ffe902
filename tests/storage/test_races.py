"""Tests of what two processes, a lost lease and a server that answers in another order may not change."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from pymongo.errors import BulkWriteError

from gateway.domain.model.attempt import Step
from gateway.domain.model.change import Callback, Change
from gateway.domain.model.event import Inbound
from gateway.domain.model.identifier import identifiers
from gateway.domain.model.notification import Notification, Recipient
from gateway.domain.model.nouns import Address, Content, Session
from gateway.messages.delivery import recording
from storage.documents import documents, queue
from storage.documents.documents import DUPLICATE, Collection, Db, Document
from storage.messages import callbacks
from storage.messages.callbacks import Call, Callbacks
from storage.messages.inbox import Delivered, Inbox, too_early
from storage.messages.notifications import Outbox
from storage.people import contacts, sessions

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LEASE, SECOND = timedelta(seconds=90), timedelta(seconds=1)
NOBODY = set[str]()
ANNA = Address("sms", "demo", "anna")


def event(name: str, user: str = "anna") -> Inbound:
    return Inbound(Address("sms", "demo", user), name, name, Content(name), NOW)


def call(number: int) -> Call:
    return Call(f"m:{number}", "m", number, "https://shop.ru/", "{}", NOW, NOW)


def notification(number: int) -> Notification:
    steps = (Step("sms", "demo", content=Content("Hi")),)
    return Notification(
        str(number), Recipient(), steps, NOW, NOW + LEASE, due_at=NOW, accepted=number, lane="2", lease=None
    )


async def claimed_by_another(inbox: Inbox) -> tuple[Delivered, Delivered]:
    """Let the lease of an event run out, so that another process claims it. Returns it as ours and as the other's."""
    await inbox.add([event("1")], NOW)
    (ours,) = await inbox.claim(NOW, LEASE, 10, NOBODY)
    (others,) = await inbox.claim(NOW + LEASE + SECOND, LEASE, 10, NOBODY)
    return ours, others


async def stored(db: Db, key: str) -> Document:
    return await db["inbox"].find_one({"_id": key}) or {}


async def test_who_has_lost_an_event_neither_fails_it_nor_puts_it_back(db: Db) -> None:
    inbox = Inbox(db)
    ours, others = await claimed_by_another(inbox)
    before = await stored(db, ours.id)
    await inbox.fail(ours, "broken", NOW, None)
    await inbox.put_back(ours, NOW)
    assert await stored(db, ours.id) == before
    await inbox.fail(others, "broken", NOW, None)
    assert (await stored(db, ours.id))["reason"] == "broken"


async def test_who_has_lost_a_callback_does_not_put_it_off(db: Db) -> None:
    queued = Callbacks(db)
    await callbacks.add(db, [call(1)])
    (ours,) = await queued.claim(NOW, LEASE, 10, NOBODY)
    (others,) = await queued.claim(NOW + LEASE + SECOND, LEASE, 10, NOBODY)
    await queued.reschedule(ours, NOW, "late", tried=True)
    document = await db["callbacks"].find_one({"_id": ours.id}) or {}
    assert (document["lease"], document.get("tries", 0)) == (others.lease, 0)


async def test_an_event_counts_the_tries_that_failed(db: Db) -> None:
    inbox, at = Inbox(db), NOW
    await inbox.add([event("1")], NOW)
    for failed in range(3):
        (item,) = await inbox.claim(at, LEASE, 10, NOBODY)
        assert item.tries == failed
        at += SECOND
        await inbox.fail(item, "broken", NOW, at)


async def test_a_lost_lease_is_not_renewed(db: Db) -> None:
    ours, others = await claimed_by_another(Inbox(db))
    until = (await stored(db, ours.id))["due_at"]
    await queue.renew(db["inbox"], [ours.lease], until + LEASE)
    assert (await stored(db, ours.id))["due_at"] == until
    await queue.renew(db["inbox"], [others.lease], until + LEASE)
    assert (await stored(db, ours.id))["due_at"] == until + LEASE


async def test_what_this_process_works_on_is_not_claimed_by_it_again(db: Db) -> None:
    """The lease ran out under a slow process: it keeps what it has, and the lease that renews it."""
    inbox, queued = Inbox(db), Callbacks(db)
    await inbox.add([event("1"), event("2")], NOW)
    await callbacks.add(db, [call(1)])
    own = {item.id for item in await inbox.claim(NOW, LEASE, 1, NOBODY)}
    own |= {item.id for item in await queued.claim(NOW, LEASE, 1, NOBODY)}
    later = NOW + LEASE + SECOND
    assert [item.event.id for item in await inbox.claim(later, LEASE, 10, own)] == ["2"]
    assert await queued.claim(later, LEASE, 10, own) == []


async def test_changes_that_came_while_others_were_passed_on_stay_to_be_told(db: Db) -> None:
    change = Change(1, "NEW", "SENT", NOW)
    message = replace(notification(1), callback=Callback("https://shop.ru/"), changes=(change,), untold=1)
    await recording.add(db, [message])
    (read,) = await callbacks.unqueued(db, 10)
    await db["notifications"].update_one({"_id": "1"}, {"$set": {"untold": 2}})
    await callbacks.mark_queued(db, read)
    assert [each.untold for each in await callbacks.unqueued(db, 10)] == [2]
    await callbacks.mark_queued(db, replace(read, untold=2))
    assert await callbacks.unqueued(db, 10) == []


@pytest.fixture
def backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the server answer claims in another order than that of insertion, as a MongoDB may."""
    claim = queue.claim

    async def claim_backwards(
        collection: Collection, ids: list[str], now: datetime, lease: timedelta
    ) -> Sequence[Document]:
        return list(reversed(await claim(collection, ids, now, lease)))

    monkeypatch.setattr(queue, "claim", claim_backwards)


async def test_a_change_is_made_once_whether_the_document_is_new_or_not(db: Db) -> None:
    def longer(session: Session | None) -> Session:
        session = session or Session(ANNA.key, ANNA)
        return replace(session, name=f"{session.name or ''}x")

    for count in (1, 2):
        await sessions.change(db, ANNA.key, longer)
        session = await sessions.at_address(db, ANNA.key)
        assert session
        assert (session.name, session.version) == ("x" * count, count)


async def test_of_changes_of_a_contact_at_the_same_moment_none_is_lost(db: Db) -> None:
    contact = await contacts.join(db, NOW, identifiers(phone="+79000000001"))
    assert contact
    await asyncio.gather(
        contacts.rename(db, contact.id, "Anna"),
        *(contacts.identify(db, contact.id, identifiers(**{kind: "17"})) for kind in ("externalId", "loft")),
    )
    changed = await contacts.get(db, contact.id)
    assert changed
    assert (changed.name, set(changed.identifiers)) == (
        "Anna",
        {"phone:+79000000001", "externalId:17", "loft:17"},
    )


@pytest.mark.usefixtures("backwards")
async def test_claims_are_in_order_whatever_the_server_returns(db: Db) -> None:
    inbox, names = Inbox(db), [str(number) for number in range(5)]
    await inbox.add([event(name) for name in names], NOW)
    assert [item.event.id for item in await inbox.claim(NOW, LEASE, 10, NOBODY)] == names
    await recording.add(db, [notification(number) for number in range(5)])
    assert [item.id for item in await Outbox(db).claim(names, NOW, LEASE)] == names
    await callbacks.add(db, [call(number) for number in range(5)])
    assert [item.number for item in await Callbacks(db).claim(NOW, LEASE, 10, NOBODY)] == list(range(5))


async def test_a_failed_event_holds_up_its_conversation_until_it_is_put_off_or_dead(db: Db) -> None:
    inbox = Inbox(db)
    await inbox.add([event("1"), event("2"), event("3", "boris")], NOW)
    first, *rest = await inbox.claim(NOW, LEASE, 10, NOBODY)
    assert too_early(rest, await inbox.unfinished(rest), NOBODY) == {rest[0].id}
    assert too_early(rest, await inbox.unfinished(rest), {first.id}) == NOBODY
    await inbox.fail(first, "broken", NOW, NOW + LEASE)
    assert too_early(rest, await inbox.unfinished(rest), NOBODY) == NOBODY


@pytest.mark.parametrize(
    ("details", "existing"),
    [
        ({"writeErrors": [{"index": 1, "code": DUPLICATE}, {"index": 3, "code": DUPLICATE}]}, {1, 3}),
        ({"writeErrors": [{"index": 1, "code": DUPLICATE}, {"index": 2, "code": 91}]}, None),
        ({"writeErrors": [{"index": 1, "code": DUPLICATE}], "writeConcernErrors": [{"code": 64}]}, None),
        ({"writeErrors": [], "writeConcernErrors": [{"code": 64}]}, None),
        ({}, None),
    ],
)
def test_only_duplicates_are_taken_for_duplicates(details: dict[str, Any], existing: Iterable[int] | None) -> None:
    """What was not written for sure was not written, even if duplicates are among it."""
    error = BulkWriteError(details)
    if existing is not None:
        assert documents.duplicates(error) == existing
        return
    with pytest.raises(BulkWriteError):
        documents.duplicates(error)
