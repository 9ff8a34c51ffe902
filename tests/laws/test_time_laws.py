"""Laws of time that hold in every play: hours, holds, cancelling, late receipts, and notifications at rest."""

from collections import Counter

from hypothesis import given, settings

from gateway.domain.cascade.moves import Finish, Send, Wait
from gateway.domain.model.attempt import MAX_TRIES, Attempt
from gateway.domain.model.notification import Notification, Priority, Status, lane_of
from gateway.domain.model.nouns import Cause, Progress
from gateway.domain.terms.hours import opens_at
from tests.laws.adversary import Play, plays
from tests.laws.collecting import Laws, followers, later
from tests.laws.state import Piece

law = Laws()
OUT = {Progress.SENT, Progress.DELIVERED, Progress.READ}
DEAD = {Status.UNDELIVERED, Status.EXPIRED, Status.ERROR}


@settings(max_examples=1200, deadline=None)
@given(plays())
def test_every_law_of_time_holds_in_every_play(play: Play) -> None:
    law.hold(play)


@law
def nothing_leaves_outside_of_the_hours_unless_it_is_urgent(play: Play) -> None:
    for turn, _, _, _ in play.sends:
        hours, now = turn.before.hours, turn.context.now
        assert hours is None or turn.before.priority is Priority.URGENT or opens_at(hours, now) == now


@law
def a_wait_for_the_hours_ends_when_they_begin_or_when_it_is_worth_nothing_any_more(play: Play) -> None:
    for turn in play.turns:
        if isinstance(turn.move, Wait) and turn.move.status is Status.DELAYED:
            assert turn.before.hours
            assert turn.before.priority is not Priority.URGENT
            opens = opens_at(turn.before.hours, turn.context.now)
            assert turn.move.until == min(opens, turn.before.expires_at)
            assert "outside of the allowed hours" in turn.move.why


@law
def after_a_cancel_nothing_is_begun(play: Play) -> None:
    effective = [request for request in play.cancellations if request.after.cancelled_at]
    arrived = {Status.DELIVERED, Status.READ}
    for request in play.cancellations:
        has_ended = request.before.status in arrived or "already" in request.outcome.reason
        assert request in effective or (request.before.due_at is None and has_ended)
    for request in effective:
        assert not any(isinstance(turn.move, Send) for turn in play.turns[request.turn_count :])
        assert len(play.notification.attempts) == len(request.after.attempts)


@law
def what_a_caller_who_cancels_is_told_stays_true(play: Play) -> None:
    for request in play.cancellations:
        reason = request.outcome.reason
        if request.outcome.cancelled:
            assert len(play.calls) == request.call_count
            assert all(has_failed(piece, request.after) for piece, _ in play.accepted)
        elif "already" in reason:
            assert request.before.due_at is None
        else:
            assert "sen" in reason or "delivered" in reason or "read" in reason
            assert request.after.attempts


def has_failed(piece: Piece, notification: Notification) -> bool:
    """Return whether the provider itself reported a failure, which counts more than its first answer."""
    parts = notification.attempts[piece.attempt].parts
    return piece.part < len(parts) and parts[piece.part].progress is Progress.FAILED


@law
def what_is_cancelled_ends_as_cancelled_unless_something_has_left(play: Play) -> None:
    notification = play.notification
    if notification.cancelled_at and not play.calls and notification.attempts == ():
        assert notification.status is Status.CANCELLED or play.cancellations[0].before.due_at is None


@law
def only_what_another_has_replaced_is_recalled_and_only_once(play: Play) -> None:
    assert all(count == 1 for count in Counter(move.attempt for _, move in play.recalls).values())
    for turn, move in play.recalls:
        attempt = turn.after.attempts[move.attempt]
        step, facts = turn.after.steps[attempt.step], turn.context.reach[attempt.step].facts
        assert any(other.progress in OUT for other in followers(turn.after, attempt))
        assert attempt.progress not in OUT or attempt.progress < step.success
        assert attempt.sent_at
        assert turn.context.now < attempt.sent_at + facts.recalls
        assert any(part.provider_id for part in attempt.parts)


@law
def what_could_be_taken_back_is_not_left_standing(play: Play) -> None:
    for turn in play.turns:
        for attempt in turn.after.attempts if isinstance(turn.move, Finish | Wait) else ():
            step, facts = turn.after.steps[attempt.step], turn.context.reach[attempt.step].facts
            is_replaced = any(other.progress in OUT for other in followers(turn.after, attempt))
            can_be_named = any(part.provider_id for part in attempt.parts) and attempt.sent_at
            has_succeeded = attempt.progress in OUT and attempt.progress >= step.success
            if is_replaced and can_be_named and not has_succeeded and attempt.sent_at:
                assert attempt.recalled_at or turn.context.now >= attempt.sent_at + facts.recalls


@law
def a_patient_account_is_waited_for(play: Play) -> None:
    """Such an account is passed over only by urgent messages, and only for another step."""
    for turn, attempt, _, reach in play.skips:
        if ": held, " in attempt.reason:
            assert later(turn.before, attempt.step)
            assert not reach.patient or turn.before.priority is Priority.URGENT
            assert reach.held_until
            assert reach.held_until > turn.context.now


@law
def a_hold_is_left_after_the_steps_patience_and_not_before(play: Play) -> None:
    for turn, attempt, step, reach in play.skips:
        if ": held, " in attempt.reason and turn.before.priority is not Priority.URGENT:
            last = turn.before.last(attempt.step)
            fifo, since = (reach.account, last.at) if last else turn.fifo_entry or ("", turn.context.now)
            assert fifo == reach.account
            assert turn.context.now >= since + step.fallback_after


@law
def a_hold_is_not_waited_for_longer_than_patience(play: Play) -> None:
    """Beside a required step, which may wait in a FIFO of its own, it may take longer."""
    steps = play.notification.steps
    for turn in play.turns if not any(step.required for step in steps) else ():
        move = turn.move
        if isinstance(move, Wait) and ": held, " in move.why:
            accounts = [reach for reach in turn.context.reach if reach.account == move.fifo]
            assert accounts
            assert accounts[0].held_until
            assert turn.context.now < move.until <= accounts[0].held_until
            patience = max(step.fallback_after for step in steps)
            entry = turn.fifo_entry
            if entry and entry[0] == move.fifo and not accounts[0].patient and has_further_step(turn.after):
                assert move.until <= entry[1] + patience


def has_further_step(notification: Notification) -> bool:
    """Return whether a step follows the one that is waited for."""
    begun_steps = {attempt.step for attempt in notification.attempts}
    return len(begun_steps) < len(notification.steps) - 1


@law
def what_is_urgent_waits_for_no_hold_while_there_is_another_step(play: Play) -> None:
    for turn in play.turns:
        if turn.before.priority is not Priority.URGENT or not isinstance(turn.move, Wait):
            continue
        for index, reach in enumerate(turn.context.reach):
            attempt = turn.after.last(index)
            if reach.held_until and reach.held_until > turn.context.now and later(turn.after, index):
                assert attempt is None or attempt.progress is not Progress.RETRYING


@law
def waiting_costs_nothing(play: Play) -> None:
    """A hold uses up no tries; only calls that found the provider busy or silent do."""
    costly = {Cause.UNAVAILABLE, Cause.AMBIGUOUS}
    calls = Counter(attempt for attempt, answer in play.calls if not answer.received or answer.error in costly)
    for index in {attempt for attempt, _ in play.calls}:
        assert play.notification.attempts[index].tries <= calls[index]
    for turn in play.turns:
        if isinstance(turn.move, Wait):
            pairs = zip(turn.before.attempts, turn.after.attempts, strict=False)
            assert all(old.tries == new.tries for old, new in pairs)


@law
def late_is_said_exactly_when_a_later_step_was_out(play: Play) -> None:
    for before, after, index in play.receipts:
        old, new = before.attempts[index], after.attempts[index]
        if new.progress is not old.progress and new.progress >= Progress.DELIVERED:
            assert new.late == (old.late or any(followers(before, old)))
        else:
            assert new.late == old.late
    in_time = {id_of(attempt) for _, after, index in play.receipts for attempt in [after.attempts[index]]}
    assert all(not attempt.late or id_of(attempt) in in_time for attempt in play.notification.attempts)


def id_of(attempt: Attempt) -> tuple[int, bool, str]:
    return attempt.step, attempt.template, attempt.intent


@law
def what_is_settled_is_at_rest(play: Play) -> None:
    for state in play.states:
        if state.due_at is None:
            assert (state.lane, state.fifo, state.person, state.lease, state.fifo_since) == (None,) * 5
            assert state.done_at
        else:
            assert state.lane
            assert state.lane.endswith(lane_of(state.priority))


@law
def dead_is_only_what_did_not_arrive(play: Play) -> None:
    for state in play.states:
        assert state.dead_at is None or state.status in DEAD
        assert state.status is not Status.ERROR


@law
def nothing_is_tried_without_end(play: Play) -> None:
    for index, attempt in enumerate(play.notification.attempts):
        unanswered = sum(attempt_index == index and not answer.received for attempt_index, answer in play.calls)
        assert unanswered <= MAX_TRIES
        assert attempt.late is False or attempt.progress >= Progress.DELIVERED
