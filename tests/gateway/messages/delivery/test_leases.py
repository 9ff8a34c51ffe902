"""Tests that a process which was too slow, and has lost its lease, has no effect any more."""

import pytest

from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Progress
from gateway.messages.delivery import dispatcher
from storage.documents.documents import Db
from storage.messages import notification_writes
from storage.messages.notifications import Outbox
from tests.support.client import ApiClient
from tests.support.workload import advance_clock, attempt_statuses, open_conversations, phones, send_all, texts

STEPS = ({"channel": "whatsapp", "text": "Hi", "fallbackAfter": "PT10M"}, {"channel": "sms", "text": "Hi"})


async def test_who_stands_still_before_the_send_until_another_has_taken_over_sends_nothing(
    demo: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has stored that it is sending, so the other process has to believe that the message may have been sent."""
    runtime, save, takers = demo.environment.runtime, notification_writes.save, list[str]()

    async def slow_save(db: Db, notification: Notification) -> Notification | None:
        stored = await save(db, notification)
        if stored and not takers and stored.attempts and stored.attempts[-1].progress is Progress.SENDING:
            takers.append(stored.id)
            advance_clock(demo, seconds=runtime.settings.lease.total_seconds() + 1)
            for claimed in await Outbox(db).claim(takers, runtime.clock(), runtime.settings.lease):
                await dispatcher.work(runtime, claimed)
        return stored

    people = await open_conversations(demo, "whatsapp", phones(1))
    monkeypatch.setattr(notification_writes, "save", slow_save)
    (key,) = await send_all(demo, people, *STEPS)
    await demo.wait_for_attempt(key, "whatsapp", "UNKNOWN")
    assert takers == [key]
    advance_clock(demo, seconds=runtime.settings.doubt.total_seconds() + 1)
    story = await demo.wait_for(key, "DELIVERED")
    assert attempt_statuses(story) == [("whatsapp", "UNKNOWN"), ("sms", "DELIVERED")]
    assert (texts(demo, "whatsapp"), texts(demo, "sms")) == ([], ["Hi"])


async def test_who_stands_still_and_was_not_missed_goes_on(demo: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime, save, stood = demo.environment.runtime, notification_writes.save, list[str]()

    async def slow_save(db: Db, notification: Notification) -> Notification | None:
        stored = await save(db, notification)
        if stored and not stood and stored.attempts and stored.attempts[-1].progress is Progress.SENDING:
            stood.append(stored.id)
            demo.pass_time((runtime.settings.lease.total_seconds() + 1) / 3600)
        return stored

    people = await open_conversations(demo, "whatsapp", phones(1))
    monkeypatch.setattr(notification_writes, "save", slow_save)
    (key,) = await send_all(demo, people, *STEPS)
    story = await demo.wait_for(key, "READ")
    assert (stood, attempt_statuses(story)) == ([key], [("whatsapp", "READ")])
