"""Tests what a receipt says of the person, which holds for the time it reports, not for its arrival."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.channel.window import Mode, Window, is_open
from gateway.domain.model.attempt import Attempt, Step
from gateway.domain.model.event import Inbound, Receipt
from gateway.domain.model.notification import Notification, Recipient
from gateway.domain.model.nouns import Address, Cause, Content, Progress, Session
from gateway.domain.model.piece import piece_key
from gateway.messages.delivery import recording
from gateway.messages.delivery.receipts import receive
from gateway.people.sessions import touch
from gateway.runtime.runtime import Runtime, opened
from gateway.runtime.settings.settings import Settings
from storage.messages import notifications
from storage.people import sessions

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)
ADDRESS = Address("whatsapp", "shop", "79161234567")
RULE = Window(Mode.HARD, 24 * HOUR)
SENT = Attempt(0, Progress.SENT, NOW - 2 * HOUR, address=ADDRESS)
STEP = Step("whatsapp", content=Content("Hello"))
NOTIFICATION = Notification("n1", Recipient(), (STEP,), NOW - 2 * HOUR, NOW + HOUR, attempts=(SENT,))


@pytest.fixture
async def runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """Yield a runtime with a message sent two hours ago to a person who wrote an hour ago."""
    async with opened(settings) as runtime:
        await recording.add(runtime.db, [NOTIFICATION])
        wrote = Inbound(ADDRESS, "e1", "e1", Content("Hello"), NOW - HOUR)
        await touch(runtime, RULE, wrote, None, wrote.at)
        yield runtime


async def after_failure(runtime: Runtime, cause: Cause, at: datetime) -> Session:
    key = piece_key(NOTIFICATION.id, 0, 0)
    receipt = Receipt("whatsapp", "shop", "r1", "m1", Progress.FAILED, at, reason="why", cause=cause, key=key)
    await receive(runtime, receipt, runtime.clock())
    session = await sessions.get(runtime.db, ADDRESS.key)
    notification = await notifications.get(runtime.db, NOTIFICATION.id)
    assert notification
    assert notification.attempts[0].progress is Progress.FAILED
    assert session
    return session


@pytest.mark.parametrize(("ago", "is_closed"), [(2 * HOUR, True), (HOUR / 2, False)])
async def test_the_window_is_shut_unless_they_have_written_since(
    runtime: Runtime, *, ago: timedelta, is_closed: bool
) -> None:
    session = await after_failure(runtime, Cause.WINDOW_CLOSED, NOW - ago)
    assert is_open(RULE, session, NOW) is is_closed


@pytest.mark.parametrize(("ago", "is_blocked"), [(2 * HOUR, False), (HOUR / 2, True)])
async def test_they_have_blocked_us_unless_they_have_written_since(
    runtime: Runtime, *, ago: timedelta, is_blocked: bool
) -> None:
    session = await after_failure(runtime, Cause.STOPPED, NOW - ago)
    assert (session.blocked_at is not None) is is_blocked


async def test_an_older_word_on_the_window_does_not_undo_a_newer_one(runtime: Runtime) -> None:
    newer = await after_failure(runtime, Cause.WINDOW_CLOSED, NOW - HOUR / 2)
    older = await after_failure(runtime, Cause.WINDOW_CLOSED, NOW - 2 * HOUR)
    assert older.window_closed_at == newer.window_closed_at
