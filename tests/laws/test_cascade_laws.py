"""Laws of the cascade that hold whatever the provider, the person and the clock do, tested in random plays."""

from collections import Counter
from datetime import datetime

from hypothesis import given, settings

from gateway.domain.cascade.moves import Abandon, Finish, Recall, Send, Skip, Wait
from gateway.domain.cascade.rule import advance, next_move
from gateway.domain.channel import window
from gateway.domain.channel.window import Mode
from gateway.domain.model.attempt import MAX_TRIES, Attempt
from gateway.domain.model.notification import Status
from gateway.domain.model.nouns import Cause, Progress
from tests.laws.adversary import LIMIT, Play, form, plays
from tests.laws.collecting import UNDER_WAY, Laws, group_of, groups, is_over, is_reached, later

law = Laws()


@settings(max_examples=800, deadline=None)
@given(plays())
def test_every_law_holds_in_every_play(play: Play) -> None:
    law.hold(play)


def is_window_refusal(attempt: Attempt | None) -> bool:
    """Return whether the provider refused a free text because of the closed window."""
    refusal = (Progress.FAILED, Cause.WINDOW_CLOSED)
    return attempt is not None and (attempt.progress, attempt.cause) == refusal and not attempt.template


@law
def it_ends(play: Play) -> None:
    assert len(play.turns) < LIMIT
    assert play.notification.due_at is None
    assert play.notification.status not in {Status.NEW, Status.SCHEDULED, Status.DELAYED, Status.PENDING}


@law
def a_provider_in_trouble_is_not_hammered(play: Play) -> None:
    """Without a fallback, a provider that asks us to wait is called again, ever more rarely."""
    in_trouble = {Cause.UNAVAILABLE, Cause.AMBIGUOUS}
    calls = Counter(attempt for attempt, answer in play.calls if answer.received and answer.error in in_trouble)
    notification = play.notification
    steps = {index: notification.attempts[index].step for index in calls}
    assert all(count <= MAX_TRIES or not later(notification, steps[index]) for index, count in calls.items())


@law
def a_step_passed_over_says_why(play: Play) -> None:
    for turn, attempt, step, _ in play.skips:
        assert attempt.reason.startswith(f"{step.channel}: ")
        assert attempt.reason in [decision.text for decision in turn.after.decisions]


@law
def when_it_is_over_nothing_is_done(play: Play) -> None:
    for turn in play.turns:
        if is_over(turn):
            assert isinstance(turn.move, Finish | Recall)
            assert turn.after.attempts == turn.before.attempts
            unsuccessful = isinstance(turn.move, Finish) and turn.move.status is Status.UNDELIVERED
            assert not unsuccessful or turn.before.cancelled_at


@law
def it_waits_for_a_moment_to_come_within_its_validity(play: Play) -> None:
    for turn in play.turns:
        if isinstance(turn.move, Wait):
            assert turn.context.now < turn.move.until <= turn.before.expires_at
            assert (turn.after.due_at, turn.after.lease) == (turn.move.until, None)


@law
def a_step_under_way_is_never_sent_again(play: Play) -> None:
    for turn, send, _, reach in play.sends:
        last = turn.after.last(send.step)
        if send.again is not None:
            attempt = turn.after.attempts[send.again]
            assert attempt is last
            assert form(send) == form(attempt)
            assert attempt.progress is Progress.RETRYING or reach.facts.idempotent or turn.before.repeats
            assert attempt.progress <= Progress.UNKNOWN
        elif last is not None:
            assert last.progress not in UNDER_WAY
            assert form(send) > form(last)
            assert last.progress is Progress.RETRYING or is_window_refusal(last)


@law
def no_piece_is_taken_twice(play: Play) -> None:
    """While the provider knows a piece by our key, the piece may be submitted again under the same key.

    Under an intent it is the same text, too. Where the caller prefers a duplicate to a loss, a piece in doubt is
    repeated, up to MAX_TRIES times.
    """
    if play.notification.repeats:
        counts = Counter((piece.attempt, piece.part) for piece, _ in play.accepted)
        assert all(count <= MAX_TRIES for count in counts.values())
        attempts = play.notification.attempts
        assert all(attempts[index].unsure_from for (index, _), count in counts.items() if count > 1)
        return
    first: dict[tuple[int, bool, int], tuple[int, datetime]] = {}
    for piece, at in play.accepted:
        attempt, first_at = first.setdefault((piece.step, piece.template, piece.part), (piece.attempt, at))
        is_repetition = (piece.attempt, at) != (attempt, first_at)
        assert not is_repetition or piece.attempt == attempt
        assert not is_repetition or at < first_at + play.reach[piece.step].facts.idempotent


@law
def a_step_goes_at_most_once_in_each_form(play: Play) -> None:
    forms = Counter((a.step, form(a)) for a in play.notification.attempts if a.progress is not Progress.SKIPPED)
    assert all(count == 1 for count in forms.values())


@law
def free_text_never_goes_through_a_closed_door(play: Play) -> None:
    for turn, send, step, reach in play.sends:
        rule = reach.facts.window
        assert step.template if send.template else step.content
        assert send.template or send.intent or window.is_free(rule, reach.session, turn.context.now)
        assert send.intent in {"", step.intent}


@law
def nothing_goes_to_whom_it_must_not(play: Play) -> None:
    for turn, send, _, reach in play.sends:
        assert reach.address
        assert reach.session or not reach.facts.needs_start
        assert reach.held_until is None or reach.held_until <= turn.context.now
        assert not (send.template and reach.template_problem)
        if reach.session:
            assert reach.session.started_at or not reach.facts.needs_start
            assert reach.session.blocked_at is None
            assert reach.session.stopped_at is None or turn.before.reply_to


@law
def the_words_are_true(play: Play) -> None:
    reasons = [(turn, send.why, reach) for turn, send, _, reach in play.sends]
    reasons += [(turn, attempt.reason, reach) for turn, attempt, _, reach in play.skips]
    for turn, words, reach in reasons:
        rule, session, now = reach.facts.window, reach.session, turn.context.now
        assert "window open" not in words or window.is_open(rule, session, now)
        assert "window closed" not in words or not window.is_open(rule, session, now)
        assert "no reply window" not in words or rule.mode is Mode.NONE
        assert "has blocked us" not in words or (session and session.blocked_at)
        assert "asked us to stop" not in words or (session and session.stopped_at and not turn.before.reply_to)
        assert "cannot be used" not in words or (reach.template_problem and reach.template_problem in words)


@law
def nothing_goes_back(play: Play) -> None:
    order = list(Status).index
    for old, new in zip(play.states, play.states[1:], strict=False):
        assert order(new.status) >= order(old.status)
        assert len(new.attempts) >= len(old.attempts)
        for earlier, attempt in zip(old.attempts, new.attempts, strict=False):
            assert (attempt.step, form(attempt), attempt.address) == (earlier.step, form(earlier), earlier.address)
            assert attempt.progress >= earlier.progress or earlier.progress <= Progress.UNKNOWN
            assert len(attempt.parts) >= len(earlier.parts)


@law
def steps_are_begun_in_order(play: Play) -> None:
    for group in groups(play.notification):
        steps = list(dict.fromkeys(attempt.step for attempt in play.notification.attempts if attempt.step in group))
        assert steps == list(group[: len(steps)])


@law
def a_closed_window_leads_to_what_is_left_or_says_why_not(play: Play) -> None:
    """What is left is sent on the same step, before a later one is begun."""
    for turn in play.turns:
        for index, step in enumerate(turn.after.steps):
            last = turn.after.last(index)
            has_rest = step.template or (step.content and step.intent and last and not last.intent)
            in_doubt = last and last.unsure_from and turn.context.reach[index].facts.idempotent
            if has_rest and not in_doubt and is_window_refusal(last):
                assert not isinstance(turn.move, Send) or turn.move.step not in later(turn.after, index)
                assert not isinstance(turn.move, Finish) or is_over(turn)


@law
def patience_counts_from_the_send(play: Play) -> None:
    begin: dict[int, datetime] = {}
    for turn, send in play.submissions:
        begin[send.step] = turn.context.now
        for index in group_of(turn.after, send.step):
            step, last = turn.after.steps[index], turn.after.last(index) if index < send.step else None
            if last and last.progress in {Progress.SENT, Progress.DELIVERED}:
                assert turn.context.now >= begin[index] + step.fallback_after


@law
def at_the_end_every_step_was_begun(play: Play) -> None:
    """A required step does not end the sequence, and nothing else ends a required step."""
    for turn in play.turns:
        if isinstance(turn.move, Finish) and not is_over(turn):
            steps = {attempt.step for attempt in turn.after.attempts}
            assert all(is_reached(turn.after, group) or steps >= set(group) for group in groups(turn.after))


@law
def a_required_step_is_begun_exactly_once(play: Play) -> None:
    """The exceptions are an obstacle, a cancellation and the end of the validity."""
    notification, last = play.notification, play.turns[-1].context.now if play.turns else play.now
    for index, step in enumerate(notification.steps):
        if step.required and not notification.cancelled_at and last < notification.expires_at:
            assert notification.last(index)
            assert all(
                " held, " not in attempt.reason for _, attempt, skipped_step, _ in play.skips if skipped_step is step
            )


@law
def advance_makes_the_moves_of_the_rule(play: Play) -> None:
    for turn in play.turns:
        first, result = next_move(turn.before, turn.context), advance(turn.before, turn.context)
        both_end = isinstance(first, Finish) and isinstance(turn.move, Finish) and first.why == turn.move.why
        assert isinstance(first, Skip | Abandon) or both_end or first == turn.move
        assert result[0] == turn.after
        is_action = isinstance(turn.move, Send | Recall)  # whose decision is added when it is carried out
        assert result[1] == (turn.move if is_action else None)
        assert is_action or turn.after.decisions[-1].text == turn.move.why
