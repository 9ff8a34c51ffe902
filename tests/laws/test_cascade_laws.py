"""What holds whatever the provider, the person and the clock do: the rule plays against an adversary."""

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
from tests.laws.collecting import UNDER_WAY, Laws, group_of, groups, later, over, reached

law = Laws()


@settings(max_examples=800, deadline=None)
@given(plays())
def test_every_law_holds_in_every_play(play: Play) -> None:
    law.hold(play)


def closed_window(attempt: Attempt | None) -> bool:
    """Is it a free text that the provider refused because of the window?"""
    refused = (Progress.FAILED, Cause.WINDOW_CLOSED)
    return attempt is not None and (attempt.progress, attempt.cause) == refused and not attempt.template


@law
def it_ends(play: Play) -> None:
    assert len(play.turns) < LIMIT
    assert play.notification.due_at is None
    assert play.notification.status not in {Status.NEW, Status.SCHEDULED, Status.DELAYED, Status.PENDING}


@law
def a_provider_in_trouble_is_not_hammered(play: Play) -> None:
    """With nothing to fall back on, one that asks us to wait is asked again, ever more rarely."""
    in_trouble = {Cause.UNAVAILABLE, Cause.AMBIGUOUS}
    calls = Counter(attempt for attempt, answer in play.calls if answer.heard and answer.error in in_trouble)
    asked = play.notification
    assert all(count <= MAX_TRIES or not later(asked, asked.attempts[made].step) for made, count in calls.items())


@law
def a_step_passed_over_says_why(play: Play) -> None:
    for turn, attempt, step, _ in play.skipped:
        assert attempt.reason.startswith(f"{step.channel}: ")
        assert attempt.reason in [decision.text for decision in turn.decided.decisions]


@law
def when_it_is_over_nothing_is_done(play: Play) -> None:
    for turn in play.turns:
        if over(turn):
            assert isinstance(turn.move, Finish | Recall)
            assert turn.decided.attempts == turn.before.attempts
            unsuccessful = isinstance(turn.move, Finish) and turn.move.status is Status.UNDELIVERED
            assert not unsuccessful or turn.before.cancelled_at


@law
def it_waits_for_a_moment_to_come_within_its_validity(play: Play) -> None:
    for turn in play.turns:
        if isinstance(turn.move, Wait):
            assert turn.context.now < turn.move.until <= turn.before.expires_at
            assert (turn.decided.due_at, turn.decided.lease) == (turn.move.until, None)


@law
def a_step_under_way_is_never_sent_again(play: Play) -> None:
    for turn, send, _, reach in play.sends:
        last = turn.decided.last(send.step)
        if send.again is not None:
            again = turn.decided.attempts[send.again]
            assert again is last
            assert form(send) == form(again)
            assert again.progress is Progress.RETRYING or reach.facts.idempotent or turn.before.repeats
            assert again.progress <= Progress.UNKNOWN
        elif last is not None:
            assert last.progress not in UNDER_WAY
            assert form(send) > form(last)
            assert last.progress is Progress.RETRYING or closed_window(last)


@law
def no_piece_is_taken_twice(play: Play) -> None:
    """While the provider knows a piece by our key, it may be handed over again under the same key.

    Under an intent it is the same text, too. Where the caller wants it rather twice than not at all, one in doubt is
    repeated, but not for ever.
    """
    if play.notification.repeats:
        taken = Counter((piece.attempt, piece.part) for piece, _ in play.taken)
        assert all(count <= MAX_TRIES for count in taken.values())
        assert all(play.notification.attempts[made].unsure_from for (made, _), count in taken.items() if count > 1)
        return
    first: dict[tuple[int, bool, int], tuple[int, datetime]] = {}
    for piece, at in play.taken:
        attempt, before = first.setdefault((piece.step, piece.template, piece.part), (piece.attempt, at))
        again = (piece.attempt, at) != (attempt, before)
        assert not again or piece.attempt == attempt
        assert not again or at < before + play.reach[piece.step].facts.idempotent


@law
def a_step_goes_at_most_once_in_each_form(play: Play) -> None:
    made = Counter((a.step, form(a)) for a in play.notification.attempts if a.progress is not Progress.SKIPPED)
    assert all(count == 1 for count in made.values())


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
    told = [(turn, send.why, reach) for turn, send, _, reach in play.sends]
    told += [(turn, attempt.reason, reach) for turn, attempt, _, reach in play.skipped]
    for turn, words, reach in told:
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
        for known, told in zip(old.attempts, new.attempts, strict=False):
            assert (told.step, form(told), told.address) == (known.step, form(known), known.address)
            assert told.progress >= known.progress or known.progress <= Progress.UNKNOWN
            assert len(told.parts) >= len(known.parts)


@law
def steps_are_begun_in_order(play: Play) -> None:
    for group in groups(play.notification):
        begun = list(dict.fromkeys(attempt.step for attempt in play.notification.attempts if attempt.step in group))
        assert begun == list(group[: len(begun)])


@law
def a_closed_window_leads_to_what_is_left_or_says_why_not(play: Play) -> None:
    """On the same step, and before a later one is begun."""
    for turn in play.turns:
        for index, step in enumerate(turn.decided.steps):
            last = turn.decided.last(index)
            left = step.template or (step.content and step.intent and last and not last.intent)
            doubtful = last and last.unsure_from and turn.context.reach[index].facts.idempotent
            if left and not doubtful and closed_window(last):
                assert not isinstance(turn.move, Send) or turn.move.step not in later(turn.decided, index)
                assert not isinstance(turn.move, Finish) or over(turn)


@law
def patience_counts_from_the_send(play: Play) -> None:
    begun: dict[int, datetime] = {}
    for turn, send in play.made:
        begun[send.step] = turn.context.now
        for index in group_of(turn.decided, send.step):
            step, last = turn.decided.steps[index], turn.decided.last(index) if index < send.step else None
            if last and last.progress in {Progress.SENT, Progress.DELIVERED}:
                assert turn.context.now >= begun[index] + step.fallback_after


@law
def at_the_end_every_step_was_begun(play: Play) -> None:
    """A required step ends nobody's sequence, and nobody ends a required step."""
    for turn in play.turns:
        if isinstance(turn.move, Finish) and not over(turn):
            begun = {attempt.step for attempt in turn.decided.attempts}
            assert all(reached(turn.decided, group) or begun >= set(group) for group in groups(turn.decided))


@law
def a_required_step_is_begun_exactly_once(play: Play) -> None:
    """Unless there is an obstacle, it was cancelled or its validity was over."""
    asked, last = play.notification, play.turns[-1].context.now if play.turns else play.now
    for index, step in enumerate(asked.steps):
        if step.required and not asked.cancelled_at and last < asked.expires_at:
            assert asked.last(index)
            assert all(" held, " not in attempt.reason for _, attempt, at, _ in play.skipped if at is step)


@law
def advance_makes_the_moves_of_the_rule(play: Play) -> None:
    for turn in play.turns:
        first, again = next_move(turn.before, turn.context), advance(turn.before, turn.context)
        ends = isinstance(first, Finish) and isinstance(turn.move, Finish) and first.why == turn.move.why
        assert isinstance(first, Skip | Abandon) or ends or first == turn.move
        assert again[0] == turn.decided
        acts = isinstance(turn.move, Send | Recall)  # which is said when it is done
        assert again[1] == (turn.move if acts else None)
        assert acts or turn.decided.decisions[-1].text == turn.move.why
