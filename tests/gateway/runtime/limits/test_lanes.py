"""Tests accounts' lanes: messages that wait there are not forgotten when the account is removed."""

from datetime import timedelta

from gateway.domain.model.attempt import Step
from gateway.domain.model.identifier import identifiers
from gateway.domain.model.notification import Notification, Priority, Recipient, lane_of
from gateway.domain.model.nouns import Content
from gateway.messages.delivery import recording
from tests.support.client import PHONE, ApiClient


async def test_what_waits_for_an_account_that_has_gone_is_told(demo: ApiClient) -> None:
    runtime, now = demo.environment.runtime, demo.environment.runtime.clock()
    notification = Notification(
        "n1",
        Recipient(identifiers(phone=PHONE)),
        (Step("sms", "gone", Content("Hello")),),
        created_at=now,
        expires_at=now + timedelta(hours=1),
        due_at=now,
        priority=Priority.BULK,
        lane=lane_of(Priority.BULK, "sms:gone"),
        fifo="sms:gone",
    )
    await recording.add(runtime.db, [notification])
    await runtime.outbox.rehome(runtime.gate.all_lanes())
    story = await demo.wait_for("n1", "ERROR")
    assert "not configured any more" in story["decisions"][-1]["text"]


async def test_a_step_whose_account_has_gone_is_passed_over(demo: ApiClient) -> None:
    runtime, now = demo.environment.runtime, demo.environment.runtime.clock()
    steps = (Step("viber", "gone", Content("Hello")), Step("sms", "demo", Content("Hello")))
    notification = Notification(
        "n2",
        Recipient(identifiers(phone=PHONE)),
        steps,
        now,
        now + timedelta(hours=1),
        due_at=now,
        lane=lane_of(Priority.NORMAL),
    )
    await recording.add(runtime.db, [notification])
    story = await demo.wait_for("n2", "DELIVERED")
    assert story["attempts"][0]["status"] == "SKIPPED"
    assert story["attempts"][0]["reason"] == "viber: the account gone is not configured any more"
