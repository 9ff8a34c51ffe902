"""Tests the cascade's rule move by move, with the exact words of its decisions: how steps begin and how it ends."""

import dataclasses
from datetime import timedelta

import pytest
from msgspec.structs import replace

from gateway.domain.cascade.moves import DOUBT, Await, Context, Finish, Move, Reachability, Recall, Send, Skip, Wait
from gateway.domain.cascade.rule import advance, next_move
from gateway.domain.channel.facts import Facts
from gateway.domain.model.attempt import Attempt, Part, Step
from gateway.domain.model.notification import Status
from gateway.domain.model.nouns import Cause, Progress, Session
from gateway.messages.accepting.cancel import Outcome, cancel_notification, outcome
from tests.gateway.domain.cascade.cases import (
    ADDRESS,
    BILLING,
    BLOCKED,
    BOT,
    BOTH,
    END,
    HARD,
    HELD_ROUTE,
    HELLO,
    HOUR,
    IDLE,
    MEANT,
    MINUTE,
    NOW,
    OPEN,
    PLAIN,
    POLICY,
    SHUT,
    SMS,
    STOPPED,
    TEMPLATE,
    TEXT,
    first_move,
    make_attempt,
    make_notification,
    move_after,
)


@pytest.mark.parametrize(
    ("step", "facts", "session", "template", "why"),
    [
        (BOTH, HARD, OPEN, False, "whatsapp: window open for 23 h -> free text"),
        (BOTH, HARD, SHUT, True, f"whatsapp: window closed 3 h ago -> {HELLO}"),
        (BOTH, HARD, None, True, f"whatsapp: the person has not written yet -> {HELLO}"),
        (TEMPLATE, HARD, OPEN, True, f"whatsapp: window open for 23 h -> {HELLO}"),
        (BOTH, POLICY, SHUT, True, f"whatsapp: window closed 3 h ago -> {HELLO}"),
        (MEANT, POLICY, OPEN, False, "whatsapp: window open for 23 h -> free text"),
        (BOTH, BILLING, OPEN, False, "whatsapp: free session open for 23 h -> free text"),
        (BOTH, BILLING, SHUT, False, "whatsapp: free session closed 3 h ago, charged -> free text"),
        (BOTH, BILLING, None, False, "whatsapp: no free session, charged -> free text"),
        (SMS, PLAIN, None, False, "sms: no reply window on this channel -> free text"),
        (SMS, BOT, OPEN, False, "sms: no reply window on this channel -> free text"),
    ],
)
def test_text_or_template(step: Step, facts: Facts, session: Session | None, *, template: bool, why: str) -> None:
    assert first_move(step, facts, session) == Send(0, template, why)


@pytest.mark.parametrize(
    ("session", "why"),
    [(SHUT, "whatsapp: window closed 3 h ago"), (None, "whatsapp: the person has not written yet")],
)
def test_an_intent_opens_a_closed_window(session: Session | None, why: str) -> None:
    words = f"{why} -> free text as account_update"
    assert first_move(MEANT, POLICY, session) == Send(0, template=False, why=words, intent="account_update")


@pytest.mark.parametrize(
    ("step", "facts", "session", "problem", "why"),
    [
        (TEXT, POLICY, SHUT, "", "whatsapp: window closed 3 h ago, and the step has no intent"),
        (TEXT, HARD, SHUT, "", "whatsapp: window closed 3 h ago, and the step has no template"),
        (TEXT, HARD, None, "", "whatsapp: the person has not written yet, and the step has no template"),
        (BOTH, HARD, SHUT, "paused", f"whatsapp: window closed 3 h ago; {HELLO} cannot be used: paused"),
        (TEMPLATE, HARD, OPEN, "paused", f"whatsapp: window open for 23 h; {HELLO} cannot be used: paused"),
        (SMS, BOT, None, "", "sms: the person has not started the bot"),
        (SMS, BOT, replace(OPEN, started_at=None), "", "sms: the person has not started the bot"),
        (BOTH, HARD, BLOCKED, "", "whatsapp: the person has blocked us on 2026-11-23 11:00 UTC"),
        (BOTH, HARD, STOPPED, "", "whatsapp: the person asked us to stop on 2026-11-23 11:00 UTC"),
    ],
)
def test_passed_over(step: Step, facts: Facts, session: Session | None, problem: str, why: str) -> None:
    cause = Cause.WINDOW_CLOSED if "and the step has no" in why else None
    assert first_move(step, facts, session, problem) == Skip(0, why, cause)


def test_nobody_to_write_to() -> None:
    assert next_move(
        make_notification(SMS), Context(NOW, [Reachability(PLAIN, no_address="no phone number is known")])
    ) == Skip(0, "sms: no phone number is known")


def test_a_reply_goes_out_after_stop_but_not_to_whom_has_blocked_us() -> None:
    reply = make_notification(TEXT, reply_to="m1")
    assert isinstance(next_move(reply, Context(NOW, [Reachability(HARD, ADDRESS, session=STOPPED)])), Send)
    assert isinstance(next_move(reply, Context(NOW, [Reachability(HARD, ADDRESS, session=BLOCKED)])), Skip)


def test_an_account_that_is_held_waits_but_not_beyond_the_end() -> None:
    assert next_move(make_notification(SMS), Context(NOW, [HELD_ROUTE])) == Wait(NOW + HOUR, "sms: held, no money")
    short = replace(make_notification(SMS), expires_at=NOW + MINUTE)
    assert next_move(short, Context(NOW, [HELD_ROUTE])) == Wait(NOW + MINUTE, "sms: held, no money")
    assert isinstance(next_move(make_notification(SMS), Context(NOW + HOUR, [HELD_ROUTE])), Send)


@pytest.mark.parametrize(
    ("attempt", "move"),
    [
        (make_attempt(Progress.DELIVERED), Finish(Status.DELIVERED, "whatsapp: delivered")),
        (make_attempt(Progress.READ), Finish(Status.READ, "whatsapp: read")),
        (
            make_attempt(Progress.SENT),
            Await(END, "whatsapp: sent; there is no further step; waiting for delivered"),
        ),
        (
            make_attempt(Progress.UNKNOWN, DOUBT),
            Finish(Status.UNDELIVERED, "no step is left; a message may have been sent, and is not repeated"),
        ),
        (make_attempt(Progress.FAILED), Finish(Status.UNDELIVERED, "no step is left")),
        (make_attempt(Progress.SKIPPED), Finish(Status.UNDELIVERED, "no step is left")),
    ],
)
def test_the_end_of_a_single_step(attempt: Attempt, move: Move) -> None:
    assert move_after(attempt, steps=(BOTH,)) == move


def test_at_the_end_the_best_that_was_reached_counts() -> None:
    wants_read = replace(SMS, success=Progress.READ)
    attempts = (make_attempt(Progress.DELIVERED, HOUR), make_attempt(Progress.SENT, step=1))
    notification = make_notification(wants_read, wants_read, attempts=attempts)
    words = "sms: delivered, sms: sent; there is no further step"
    assert next_move(notification, Context(END, [IDLE, IDLE])) == Finish(Status.DELIVERED, words)
    assert next_move(notification, Context(NOW, [reporting(Progress.SENT)] * 2)) == Finish(Status.DELIVERED, words)


def test_at_the_end_the_step_that_succeeded_is_named() -> None:
    """The other came as far, but not as far as it had to."""
    wants_read = replace(SMS, channel="whatsapp", success=Progress.READ)
    attempts = (make_attempt(Progress.DELIVERED, HOUR), make_attempt(Progress.DELIVERED, step=1))
    notification = make_notification(wants_read, SMS, attempts=attempts)
    assert next_move(notification, Context(NOW, [IDLE, IDLE])) == Finish(Status.DELIVERED, "sms: delivered")


def test_a_receipt_is_awaited_where_the_provider_reports_it_and_the_message_was_not_recalled() -> None:
    wants_read = replace(SMS, success=Progress.READ)
    notification = make_notification(wants_read, attempts=(make_attempt(Progress.SENT),))
    words = "sms: sent; there is no further step; waiting for delivered"
    assert next_move(notification, Context(NOW, [reporting(Progress.DELIVERED)])) == Await(END, words)
    words = words.replace("delivered", "read")
    assert next_move(notification, Context(NOW, [reporting(Progress.READ)])) == Await(END, words)
    recalled = notification.with_attempt(0, replace(notification.attempts[0], recalled_at=NOW))
    assert isinstance(next_move(recalled, Context(NOW, [IDLE])), Finish)


def reporting(progress: Progress) -> Reachability:
    """Return the reachability by a provider that reports up to this progress."""
    return Reachability(dataclasses.replace(PLAIN, receipts=progress), ADDRESS)


def test_a_message_that_waits_for_receipts_holds_nobody_up() -> None:
    notification = replace(make_notification(SMS, attempts=(make_attempt(Progress.SENT),)), person="p", lease="worker")
    waiting, action = advance(notification, Context(NOW, [IDLE]))
    assert action is None
    assert (waiting.due_at, waiting.tried_at, waiting.done_at) == (END, NOW, None)
    assert (waiting.person, waiting.fifo, waiting.lease) == (None, None, None)


def test_its_validity_is_over() -> None:
    context = Context(END, [IDLE])
    assert next_move(make_notification(SMS), context) == Finish(Status.EXPIRED, "its validity is over")
    notification = make_notification(SMS, attempts=(make_attempt(Progress.DELIVERED),))
    assert next_move(notification, context) == Finish(Status.DELIVERED, "sms: delivered")


def test_advance_tells_why_and_goes_on_to_the_step_that_works() -> None:
    notification, send = advance(make_notification(TEXT, SMS), Context(NOW, [Reachability(HARD, ADDRESS), IDLE]))
    assert send == Send(1, False, "sms: no reply window on this channel -> free text")
    assert [attempt.progress for attempt in notification.attempts] == [Progress.SKIPPED]
    assert [decision.text for decision in notification.decisions] == [notification.attempts[0].reason]


def test_advance_waits_or_settles() -> None:
    waiting, send = advance(replace(make_notification(SMS), lease="worker"), Context(NOW, [HELD_ROUTE]))
    assert (waiting.due_at, waiting.lease, send) == (NOW + HOUR, None, None)
    complete, send = advance(replace(make_notification(SMS), lease="worker"), Context(END, [IDLE]))
    assert (complete.due_at, complete.lease, complete.status, send) == (None, None, Status.EXPIRED, None)


def test_after_a_cancel_nothing_follows_even_if_what_was_sent_has_failed_since() -> None:
    """The notification was at rest when the caller cancelled it, and a receipt reschedules it."""
    notification = make_notification(SMS, SMS, attempts=(make_attempt(Progress.SENT),)).complete(Status.SENT, NOW)
    with_cancel = cancel_notification(notification, NOW)
    assert outcome(with_cancel).reason == "sms: it was sent; no further step is taken"
    with_failure = replace(with_cancel, attempts=(make_attempt(Progress.FAILED),)).reschedule(NOW)
    assert isinstance(next_move(with_failure, Context(NOW, [IDLE, IDLE])), Finish)


@pytest.mark.parametrize(
    ("progress", "ago", "is_recalled"),
    [
        (Progress.SENT, MINUTE, True),
        (Progress.SENT, HOUR, False),
        (Progress.FAILED, MINUTE, True),
        (Progress.DELIVERED, MINUTE, False),
    ],
)
def test_what_another_has_replaced_is_taken_back_while_that_can_be_done(
    progress: Progress, ago: timedelta, *, is_recalled: bool
) -> None:
    reach = Reachability(dataclasses.replace(HARD, recalls=HOUR), ADDRESS)
    attempt = make_attempt(progress, ago, parts=(Part("m1"),))
    notification = make_notification(BOTH, SMS, attempts=(attempt, make_attempt(Progress.SENT, step=1)))
    move = next_move(notification, Context(NOW, [reach, IDLE]))
    assert isinstance(move, Recall) is is_recalled


def test_of_a_text_whose_first_part_has_failed_the_others_may_be_on_their_way() -> None:
    """The receipt of the first part arrives while the second part is still being sent."""
    sending = make_attempt(Progress.FAILED, pieces=2, parts=(Part("m1", Progress.FAILED),))
    notification = cancel_notification(replace(make_notification(SMS, SMS, attempts=(sending,)), lease="worker"), NOW)
    assert outcome(notification) == Outcome(
        "n1", False, "sms: a part of it may have been sent; no further step is taken"
    )
    whole = replace(notification, attempts=(replace(sending, pieces=1),))
    assert outcome(whole) == Outcome("n1", True)


def test_a_repetition_that_was_refused_does_not_make_the_first_one_certain() -> None:
    attempt = make_attempt(Progress.FAILED, cause=Cause.REFUSED, unsure_from=NOW - MINUTE)
    notification = cancel_notification(make_notification(SMS, SMS, attempts=(attempt,)), NOW)
    assert not outcome(notification).cancelled
    assert outcome(notification).reason == "sms: it may have been sent; no further step is taken"
    move = next_move(notification, Context(NOW, [IDLE, IDLE]))
    words = "no step is left; a message may have been sent, and is not repeated"
    assert move == Finish(Status.UNDELIVERED, words)
