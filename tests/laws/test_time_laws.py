"""What holds of time whatever anybody does: hours, holds, cancelling, what comes too late, and what is at rest."""

from collections import Counter

from hypothesis import given, settings

from gateway.domain.cascade.moves import Finish, Send, Wait
from gateway.domain.model.attempt import MAX_TRIES, Attempt
from gateway.domain.model.notification import Notification, Priority, Status, lane_of
from gateway.domain.model.nouns import Cause, Progress
from gateway.domain.terms.hours import opens_at
from tests.laws.adversary import Play, plays
from tests.laws.collecting import Laws, followers, later
from tests.laws.scene import Piece

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
    wishes = [wish for wish in play.wishes if wish.after.cancelled_at]
    arrived = {Status.DELIVERED, Status.READ}
    for wish in play.wishes:
        ended = wish.before.status in arrived or "already" in wish.told.reason
        assert wish in wishes or (wish.before.due_at is None and ended)
    for wish in wishes:
        assert not any(isinstance(turn.move, Send) for turn in play.turns[wish.turns :])
        assert len(play.notification.attempts) == len(wish.after.attempts)


@law
def what_a_caller_who_cancels_is_told_stays_true(play: Play) -> None:
    for wish in play.wishes:
        if wish.told.cancelled:
            assert len(play.calls) == wish.calls
            assert all(failed(piece, wish.after) for piece, _ in play.taken)
        elif "already" in wish.told.reason:
            assert wish.before.due_at is None
        else:
            assert "sen" in wish.told.reason or "delivered" in wish.told.reason or "read" in wish.told.reason
            assert wish.after.attempts


def failed(piece: Piece, notification: Notification) -> bool:
    """Did the provider itself say so? It knows better than its own first answer."""
    parts = notification.attempts[piece.attempt].parts
    return piece.part < len(parts) and parts[piece.part].progress is Progress.FAILED


@law
def what_is_cancelled_ends_as_cancelled_unless_something_has_left(play: Play) -> None:
    asked = play.notification
    if asked.cancelled_at and not play.calls and asked.attempts == ():
        assert asked.status is Status.CANCELLED or play.wishes[0].before.due_at is None


@law
def only_what_another_has_replaced_is_recalled_and_only_once(play: Play) -> None:
    assert all(count == 1 for count in Counter(move.attempt for _, move in play.recalled).values())
    for turn, move in play.recalled:
        attempt = turn.decided.attempts[move.attempt]
        step, facts = turn.decided.steps[attempt.step], turn.context.reach[attempt.step].facts
        assert any(other.progress in OUT for other in followers(turn.decided, attempt))
        assert attempt.progress not in OUT or attempt.progress < step.success
        assert attempt.sent_at
        assert turn.context.now < attempt.sent_at + facts.recalls
        assert any(part.provider_id for part in attempt.parts)


@law
def what_could_be_taken_back_is_not_left_standing(play: Play) -> None:
    for turn in play.turns:
        for attempt in turn.decided.attempts if isinstance(turn.move, Finish | Wait) else ():
            step, facts = turn.decided.steps[attempt.step], turn.context.reach[attempt.step].facts
            replaced = any(other.progress in OUT for other in followers(turn.decided, attempt))
            known = any(part.provider_id for part in attempt.parts) and attempt.sent_at
            wanted = attempt.progress in OUT and attempt.progress >= step.success
            if replaced and known and not wanted and attempt.sent_at:
                assert attempt.recalled_at or turn.context.now >= attempt.sent_at + facts.recalls


@law
def a_patient_account_is_waited_for(play: Play) -> None:
    """Its messages are passed over only if they are urgent, and then for another step."""
    for turn, attempt, _, reach in play.skipped:
        if ": held, " in attempt.reason:
            assert later(turn.before, attempt.step)
            assert not reach.patient or turn.before.priority is Priority.URGENT
            assert reach.held_until
            assert reach.held_until > turn.context.now


@law
def a_hold_is_left_after_the_steps_patience_and_not_before(play: Play) -> None:
    for turn, attempt, step, reach in play.skipped:
        if ": held, " in attempt.reason and turn.before.priority is not Priority.URGENT:
            tried = turn.before.last(attempt.step)
            line, since = (reach.account, tried.at) if tried else turn.stood or ("", turn.context.now)
            assert line == reach.account
            assert turn.context.now >= since + step.fallback_after


@law
def a_hold_is_not_waited_for_longer_than_patience(play: Play) -> None:
    """Beside a required step, which may stand in a line of its own, it may take longer."""
    steps = play.notification.steps
    for turn in play.turns if not any(step.required for step in steps) else ():
        move = turn.move
        if isinstance(move, Wait) and ": held, " in move.why:
            held = [reach for reach in turn.context.reach if reach.account == move.fifo]
            assert held
            assert held[0].held_until
            assert turn.context.now < move.until <= held[0].held_until
            patience = max(step.fallback_after for step in steps)
            if turn.stood and turn.stood[0] == move.fifo and not held[0].patient and more_to_come(turn.decided):
                assert move.until <= turn.stood[1] + patience


def more_to_come(notification: Notification) -> bool:
    """Is the step that is waited for not the last one?"""
    begun = {attempt.step for attempt in notification.attempts}
    return len(begun) < len(notification.steps) - 1


@law
def what_is_urgent_waits_for_no_hold_while_there_is_another_step(play: Play) -> None:
    for turn in play.turns:
        if turn.before.priority is not Priority.URGENT or not isinstance(turn.move, Wait):
            continue
        for index, reach in enumerate(turn.context.reach):
            attempt = turn.decided.last(index)
            if reach.held_until and reach.held_until > turn.context.now and later(turn.decided, index):
                assert attempt is None or attempt.progress is not Progress.RETRYING


@law
def waiting_costs_nothing(play: Play) -> None:
    """A hold burns no tries: only calls that found the provider busy or silent do."""
    costly = {Cause.UNAVAILABLE, Cause.AMBIGUOUS}
    calls = Counter(attempt for attempt, answer in play.calls if not answer.heard or answer.error in costly)
    for index in {attempt for attempt, _ in play.calls}:
        assert play.notification.attempts[index].tries <= calls[index]
    for turn in play.turns:
        if isinstance(turn.move, Wait):
            known = zip(turn.before.attempts, turn.decided.attempts, strict=False)
            assert all(old.tries == new.tries for old, new in known)


@law
def late_is_said_exactly_when_a_later_step_was_out(play: Play) -> None:
    for before, after, index in play.told_pairs:
        old, new = before.attempts[index], after.attempts[index]
        if new.progress is not old.progress and new.progress >= Progress.DELIVERED:
            assert new.late == (old.late or any(followers(before, old)))
        else:
            assert new.late == old.late
    in_time = {id_of(attempt) for _, after, index in play.told_pairs for attempt in [after.attempts[index]]}
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
        doubtful = sum(made == index and not answer.heard for made, answer in play.calls)
        assert doubtful <= MAX_TRIES
        assert attempt.late is False or attempt.progress >= Progress.DELIVERED
