"""Tests the effect of a person's messages and a provider's reports on a session, in any order of processing."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.channel.window import Mode, Window
from gateway.domain.model.event import Inbound
from gateway.domain.model.nouns import Address, Content, Session
from gateway.people.sessions import after_message

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
EARLIER, LATER = AT - timedelta(minutes=1), AT + timedelta(minutes=1)
ADDRESS = Address("whatsapp", "shop", "79161234567")
SESSION = Session(ADDRESS.key, ADDRESS, started_at=EARLIER, last_inbound_at=AT, window_from_at=AT)
RULE = Window(Mode.HARD, timedelta(hours=24))


def after_write(session: Session, at: datetime, command: str = "") -> Session:
    return after_message(
        session, RULE, Inbound(ADDRESS, "e1", "m1", Content(f"/{command}" if command else "hi"), at), None
    )


@pytest.mark.parametrize(("at", "stopped_at"), [(EARLIER, AT), (AT, None), (LATER, None)])
def test_a_start_lifts_an_older_stop_only(at: datetime, stopped_at: datetime | None) -> None:
    session = after_write(SESSION, AT, "stop")
    assert after_write(session, at, "start").stopped_at == stopped_at


@pytest.mark.parametrize(("at", "blocked_at"), [(EARLIER, AT), (AT, None), (LATER, None)])
def test_a_sign_of_life_lifts_an_older_block_only(at: datetime, blocked_at: datetime | None) -> None:
    blocked_session = Session(ADDRESS.key, ADDRESS, started_at=EARLIER, blocked_at=AT)
    assert after_write(blocked_session, at).blocked_at == blocked_at


@pytest.mark.parametrize(("at", "stopped_at"), [(EARLIER, None), (AT, AT), (LATER, LATER)])
def test_a_stop_undoes_an_older_start_only(at: datetime, stopped_at: datetime | None) -> None:
    assert after_write(after_write(SESSION, AT, "start"), at, "stop").stopped_at == stopped_at


def test_words_do_not_lift_a_stop() -> None:
    assert after_write(after_write(SESSION, AT, "stop"), LATER).stopped_at == AT


def test_an_older_message_moves_nothing_back() -> None:
    session = after_write(SESSION, EARLIER)
    assert (session.last_inbound_at, session.window_from_at) == (AT, AT)
    assert after_write(SESSION, LATER).window_from_at == LATER
