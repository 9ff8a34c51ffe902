"""Tests the cascade's rule move by move, with the exact words of its decisions: what follows an attempt."""

import dataclasses

import pytest
from msgspec.structs import replace

from gateway.domain.cascade.evidence import begin
from gateway.domain.cascade.moves import DOUBT, Abandon, Context, Move, Reachability, Send, Skip, Wait
from gateway.domain.cascade.rule import advance, next_move
from gateway.domain.channel.facts import Facts
from gateway.domain.model.attempt import MAX_TRIES, Attempt, Part, with_part
from gateway.domain.model.notification import Priority
from gateway.domain.model.nouns import Cause, Progress
from tests.gateway.domain.cascade.cases import (
    ADDRESS,
    BLOCKED,
    BOTH,
    HARD,
    HELD_ROUTE,
    HELLO,
    HOUR,
    IDLE,
    KEYED,
    MEANT,
    MINUTE,
    MUTE,
    NOW,
    OPEN,
    PLAIN,
    POLICY,
    SECOND,
    SHUT,
    SMS,
    STOPPED,
    TEXT,
    make_attempt,
    make_notification,
    move_after,
)

DOUBTFUL = "whatsapp: it may have been sent"


@pytest.mark.parametrize(
    ("attempt", "reach", "move"),
    [
        (make_attempt(Progress.SENDING), IDLE, Wait(NOW + DOUBT - SECOND, f"{DOUBTFUL}; waiting for a receipt")),
        (make_attempt(Progress.UNKNOWN), IDLE, Wait(NOW + DOUBT - SECOND, f"{DOUBTFUL}; waiting for a receipt")),
        (
            make_attempt(Progress.SENDING),
            Reachability(KEYED, ADDRESS),
            Send(0, False, f"{DOUBTFUL}; repeating it under the same key", 0),
        ),
        (
            make_attempt(Progress.UNKNOWN, retry_at=NOW + SECOND),
            Reachability(KEYED, ADDRESS),
            Wait(NOW + SECOND, f"{DOUBTFUL}; repeating it under the same key"),
        ),
        (
            make_attempt(Progress.UNKNOWN, tries=MAX_TRIES),
            Reachability(KEYED, ADDRESS),
            Wait(NOW + DOUBT - SECOND, f"{DOUBTFUL}; waiting for a receipt"),
        ),
        (
            make_attempt(Progress.UNKNOWN),
            Reachability(KEYED, ADDRESS, session=STOPPED),
            Wait(NOW + DOUBT - SECOND, f"{DOUBTFUL}; waiting for a receipt"),
        ),
        (
            make_attempt(Progress.UNKNOWN),
            dataclasses.replace(HELD_ROUTE, facts=KEYED, held_until=NOW + MINUTE),
            Wait(NOW + MINUTE, "whatsapp: held, no money"),
        ),
        (
            make_attempt(Progress.UNKNOWN),
            dataclasses.replace(HELD_ROUTE, facts=KEYED, held_until=NOW + HOUR),
            Wait(NOW + DOUBT - SECOND, f"{DOUBTFUL}; waiting for a receipt"),
        ),
        (
            make_attempt(Progress.RETRYING, reason="busy", retry_at=NOW + SECOND),
            IDLE,
            Wait(NOW + SECOND, "whatsapp: busy; trying again"),
        ),
        (
            make_attempt(Progress.RETRYING, reason="no money", retry_at=NOW + SECOND),
            HELD_ROUTE,
            Wait(NOW + HOUR, "whatsapp: no money; trying again"),
        ),
        (make_attempt(Progress.RETRYING, retry_at=NOW), IDLE, Send(0, False, "whatsapp: trying again", 0)),
        (
            make_attempt(Progress.RETRYING, template=True),
            Reachability(HARD, ADDRESS),
            Send(0, True, "whatsapp: trying again", 0),
        ),
        (
            make_attempt(Progress.RETRYING, template=True),
            Reachability(HARD, ADDRESS, session=OPEN),
            Send(0, True, "whatsapp: trying again", 0),
        ),
        (
            make_attempt(Progress.SENT, MINUTE),
            IDLE,
            Wait(NOW + 4 * MINUTE, "whatsapp: sent; waiting up to 5 min for delivered"),
        ),
    ],
)
def test_under_way(attempt: Attempt, reach: Reachability, move: Move) -> None:
    assert move_after(attempt, reach) == move


@pytest.mark.parametrize(
    ("reach", "move"),
    [
        (Reachability(HARD, ADDRESS, session=SHUT), Send(0, True, f"whatsapp: window closed 3 h ago -> {HELLO}")),
        (
            Reachability(HARD, ADDRESS, session=STOPPED),
            Skip(0, "whatsapp: the person asked us to stop on 2026-11-23 11:00 UTC"),
        ),
        (
            Reachability(HARD, ADDRESS, session=BLOCKED),
            Skip(0, "whatsapp: the person has blocked us on 2026-11-23 11:00 UTC"),
        ),
    ],
)
def test_what_was_not_sent_is_thought_over(reach: Reachability, move: Move) -> None:
    assert move_after(make_attempt(Progress.RETRYING, retry_at=NOW), reach) == move


@pytest.mark.parametrize(
    "attempt",
    [
        make_attempt(Progress.SKIPPED),
        make_attempt(Progress.FAILED, cause=Cause.REFUSED),
        make_attempt(Progress.FAILED, cause=Cause.WINDOW_CLOSED, template=True),
        make_attempt(Progress.SENDING, DOUBT),
        make_attempt(Progress.UNKNOWN, DOUBT),
        make_attempt(Progress.SENT, 5 * MINUTE),
        make_attempt(Progress.SENT, SECOND, sent_at=NOW - 5 * MINUTE),
    ],
)
def test_left_behind(attempt: Attempt) -> None:
    assert move_after(attempt) == Send(1, False, "sms: no reply window on this channel -> free text")


@pytest.mark.parametrize(
    ("attempt", "facts"),
    [
        (make_attempt(Progress.UNKNOWN), MUTE),
        (make_attempt(Progress.SENDING), MUTE),
        (make_attempt(Progress.UNKNOWN, HOUR), KEYED),
        (make_attempt(Progress.UNKNOWN, DOUBT, unsure_from=NOW - HOUR), KEYED),
        (make_attempt(Progress.UNKNOWN, DOUBT, unsure_from=NOW - HOUR + MINUTE, retry_at=NOW + MINUTE), KEYED),
    ],
)
def test_what_would_not_be_known_again_is_left_behind(attempt: Attempt, facts: Facts) -> None:
    """Its outcome would never be reported, and a repetition could arrive a second time."""
    assert move_after(attempt, Reachability(facts, ADDRESS)) == Send(
        1, False, "sms: no reply window on this channel -> free text"
    )


def test_it_is_repeated_in_the_same_form() -> None:
    """The key is the same, so the message has to be the same, whatever the window is now."""
    attempt = make_attempt(Progress.UNKNOWN, intent="account_update")
    move = move_after(attempt, Reachability(KEYED, ADDRESS, session=OPEN), (MEANT, SMS))
    assert move == Send(0, False, f"{DOUBTFUL}; repeating it under the same key", 0, "account_update")


BUSY = make_attempt(Progress.RETRYING, cause=Cause.UNAVAILABLE, reason="busy", retry_at=NOW + SECOND, tries=1)


@pytest.mark.parametrize(
    "attempt", [replace(BUSY, tries=MAX_TRIES), replace(BUSY, retry_at=BUSY.at + 5 * MINUTE + SECOND)]
)
def test_a_provider_that_puts_us_off_is_left_for_the_next_step(attempt: Attempt) -> None:
    assert move_after(attempt) == Abandon(0, "whatsapp: busy; not waited for any longer")
    notification, send = advance(make_notification(BOTH, SMS, attempts=(attempt,)), Context(NOW, [IDLE, IDLE]))
    assert (notification.attempts[0].progress, notification.attempts[0].reason) == (Progress.FAILED, "busy")
    assert send == Send(1, False, "sms: no reply window on this channel -> free text")


@pytest.mark.parametrize("attempt", [BUSY, replace(BUSY, retry_at=BUSY.at + 5 * MINUTE)])
def test_it_is_waited_for_while_that_is_worth_it(attempt: Attempt) -> None:
    assert isinstance(move_after(attempt), Wait)


def test_the_last_step_waits_as_long_as_it_takes() -> None:
    assert isinstance(move_after(replace(BUSY, tries=3 * MAX_TRIES), steps=(BOTH,)), Wait)


REFUSED = make_attempt(Progress.FAILED, cause=Cause.WINDOW_CLOSED)


@pytest.mark.parametrize(
    ("reach", "move"),
    [
        (
            Reachability(HARD, ADDRESS, session=OPEN),
            Send(0, True, f"whatsapp: the provider says the window is closed -> {HELLO}"),
        ),
        (
            Reachability(HARD, ADDRESS, session=SHUT, template_problem="paused"),
            Skip(0, f"whatsapp: the provider says the window is closed; {HELLO} cannot be used: paused"),
        ),
        (HELD_ROUTE, Wait(NOW + HOUR, "whatsapp: held, no money")),
        (
            Reachability(HARD, ADDRESS, session=STOPPED),
            Skip(0, "whatsapp: the person asked us to stop on 2026-11-23 11:00 UTC"),
        ),
    ],
)
def test_the_provider_says_the_window_is_closed(reach: Reachability, move: Move) -> None:
    assert move_after(REFUSED, reach) == move
    assert move_after(REFUSED, reach, (TEXT, SMS)) == Send(
        1, False, "sms: no reply window on this channel -> free text"
    )


def test_the_provider_wants_an_intent() -> None:
    reach, words = Reachability(POLICY, ADDRESS, session=OPEN), "whatsapp: the provider says the window is closed"
    as_update = Send(0, False, f"{words} -> free text as account_update", intent="account_update")
    assert move_after(REFUSED, reach, (MEANT, SMS)) == as_update
    with_template = replace(MEANT, template=BOTH.template)
    refused_again = replace(REFUSED, intent="account_update")
    assert move_after(refused_again, reach, (with_template, SMS)) == Send(0, True, f"{words} -> {HELLO}")
    assert move_after(refused_again, reach, (MEANT, SMS)) == Send(
        1, False, "sms: no reply window on this channel -> free text"
    )


@pytest.mark.parametrize("attempt", [REFUSED, make_attempt(Progress.RETRYING, retry_at=NOW)])
def test_only_the_rest_of_a_text_goes_under_the_intent(attempt: Attempt) -> None:
    partial = replace(attempt, pieces=3, parts=(Part("id"),))
    move = move_after(partial, Reachability(POLICY, ADDRESS, session=SHUT), (MEANT, SMS))
    assert isinstance(move, Send)
    assert (move.intent, move.rest_of, move.again) == ("account_update", 0, None)
    _, sending = begin(make_notification(MEANT, SMS, attempts=(partial,)), move, ADDRESS, 3, NOW)
    assert (sending.attempts[1].parts, sending.attempts[1].pieces) == (partial.parts, 3)


def test_a_refusal_of_a_repetition_does_not_start_it_anew() -> None:
    """The first try may have arrived, and the provider would not recognise it under another key."""
    doubtful = replace(REFUSED, unsure_from=NOW - MINUTE)
    assert move_after(doubtful, Reachability(KEYED, ADDRESS, session=OPEN), (MEANT, SMS)) == Send(
        1, False, "sms: no reply window on this channel -> free text"
    )


def test_patience_counts_from_the_try_that_was_taken() -> None:
    notification = make_notification(BOTH, SMS, attempts=(make_attempt(Progress.RETRYING, 5 * MINUTE),))
    _, sending = begin(notification, Send(0, template=False, why="", again=0), ADDRESS, 1, NOW)
    attempt = with_part(sending.attempts[0], Part("id"), 0, NOW)
    assert move_after(attempt) == Wait(NOW + 5 * MINUTE, "whatsapp: sent; waiting up to 5 min for delivered")


@pytest.mark.parametrize("progress", [Progress.SENT, Progress.UNKNOWN, Progress.RETRYING])
def test_a_late_refusal_does_not_come_back_to_a_step_that_the_next_one_has_followed(progress: Progress) -> None:
    attempt = make_attempt(Progress.FAILED, cause=Cause.WINDOW_CLOSED)
    later = replace(make_attempt(progress, retry_at=NOW + SECOND), step=1)
    context = Context(NOW, [Reachability(HARD, ADDRESS), IDLE])
    assert not isinstance(next_move(make_notification(BOTH, SMS, attempts=(attempt, later)), context), Send)


def test_a_late_refusal_comes_back_to_the_template_where_nobody_else_could_help() -> None:
    first_attempt = make_attempt(Progress.FAILED, cause=Cause.WINDOW_CLOSED)
    second_attempt = replace(make_attempt(Progress.FAILED), step=1)
    move = next_move(
        make_notification(BOTH, SMS, attempts=(first_attempt, second_attempt)),
        Context(NOW, [Reachability(HARD, ADDRESS), IDLE]),
    )
    assert isinstance(move, Send)
    assert move.template


def test_patience_for_a_held_account_begins_when_it_is_its_turn() -> None:
    """The time that the message waited for another account before does not count."""
    lines = [held_account(account) for account in ("whatsapp:shop", "sms:shop", "vk:shop")]
    notification = replace(make_notification(BOTH, SMS, SMS), fifo="whatsapp:shop", fifo_since=NOW - HOUR)
    waiting, send = advance(notification, Context(NOW, lines))
    assert send is None
    assert [attempt.step for attempt in waiting.attempts] == [0]
    assert (waiting.due_at, waiting.fifo, waiting.fifo_since) == (NOW + 5 * MINUTE, "sms:shop", NOW)


def held_account(account: str) -> Reachability:
    return Reachability(PLAIN, ADDRESS, held_until=NOW + HOUR, held_why="it is down", patient=False, account=account)


def test_a_try_is_not_waited_for_longer_than_patience_while_its_provider_is_down() -> None:
    """The same holds for a try in doubt: patience counts from the try, whichever account it waited for meanwhile."""
    held_reach, unsure_attempt = held_account("whatsapp:shop"), make_attempt(Progress.UNKNOWN, 4 * MINUTE)
    free_reach = dataclasses.replace(held_reach, held_until=None, account="sms:shop")
    retrying = make_attempt(Progress.RETRYING, 4 * MINUTE, reason="busy", retry_at=NOW)
    for attempt, reach in (
        (retrying, [held_reach, free_reach]),
        (unsure_attempt, [dataclasses.replace(held_reach, facts=KEYED), free_reach]),
    ):
        notification = replace(
            make_notification(BOTH, SMS, attempts=(attempt,)), fifo="sms:shop", fifo_since=NOW - HOUR
        )
        assert isinstance(move := next_move(notification, Context(NOW, reach)), Wait)
        assert move.until == NOW + MINUTE
        assert advance(notification, Context(NOW + MINUTE, reach))[1] == Send(
            1, False, "sms: no reply window on this channel -> free text"
        )


def test_what_is_urgent_does_not_wait_for_an_account_that_has_just_been_held() -> None:
    reach = dataclasses.replace(held_account("whatsapp:shop"), patient=True)
    attempt = make_attempt(Progress.RETRYING, reason="no money", retry_at=NOW + MINUTE)
    urgent = replace(make_notification(BOTH, SMS, attempts=(attempt,)), priority=Priority.URGENT)
    _, send = advance(urgent, Context(NOW, [reach, IDLE]))
    assert send == Send(1, False, "sms: no reply window on this channel -> free text")
