"""Laws of what a message's caller is told, whatever the provider, the person, the clock and our crashes do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from hypothesis import given, settings
from msgspec.structs import replace

from gateway.domain.model.change import Callback, Change
from gateway.domain.model.notification import Notification, Status
from gateway.domain.model.nouns import Progress
from gateway.messages.callbacks.callbacks import BAD, is_wanted
from gateway.messages.delivery.changes import LEFT, with_changes
from tests.laws.adversary import Play, plays
from tests.laws.collecting import groups, is_reached

State = tuple[datetime, Notification]


@dataclass(frozen=True)
class Report:
    """What was told of a play: the changes, and each with the state in which it was told."""

    play: Play
    changes: Sequence[Change]
    told_in: Sequence[State]


def report_of(play: Play, states: Sequence[State]) -> Report:
    """Return what is told if these states are those that are stored."""
    stored, told_in = replace(states[0][1], callback=Callback("https://shop.ru/")), list[State]()
    for at, state in states[1:]:
        changed = with_changes(stored, replace(state, callback=stored.callback, changes=stored.changes))
        told_in += [(at, state)] * (len(changed.changes) - len(stored.changes))
        stored = changed
    return Report(play, stored.changes, told_in)


@settings(max_examples=500, deadline=None)
@given(plays())
def test_every_law_holds_in_every_play(play: Play) -> None:
    """They hold whether each change is stored by itself, or only what a worker stores when it sends or lets go."""
    stored = [(at, state) for at, state in play.history if not state.lease or _is_sending(state)]
    for states in (play.history, stored):
        report = report_of(play, states)
        changes_follow_each_other(report)
        every_attempt_that_left_is_told(report, [state for _, state in states])
        the_end_is_told_once_and_says_how_it_ended(report)
        nothing_more_is_waited_for_at_the_end(report)
        what_follows_the_end_comes_of_a_receipt(report)
        a_failure_is_told_to_whom_wants_failures(report)
        the_number_of_changes_has_a_bound(report)


def _is_sending(state: Notification) -> bool:
    return any(attempt.progress is Progress.SENDING for attempt in state.attempts)


def changes_follow_each_other(report: Report) -> None:
    changes = report.changes
    assert [change.sequence for change in changes] == list(range(1, len(changes) + 1))
    assert all(first.new == second.old for first, second in pairwise(changes))
    assert changes[0].old == Status.NEW
    assert changes[-1].new == report.play.notification.status


def every_attempt_that_left_is_told(report: Report, states: Sequence[Notification]) -> None:
    told = {(change.attempt, change.progress, change.channel) for change in report.changes}
    for state in states:
        for index, attempt in enumerate(state.attempts):
            channel = state.steps[attempt.step].channel
            assert attempt.progress not in LEFT or (index, attempt.progress, channel) in told


def the_end_is_told_once_and_says_how_it_ended(report: Report) -> None:
    ((end, (_, state)),) = _ends(report)
    assert [change for change in report.changes if is_wanted("final", change)] == [end]
    assert (end.new, end.finished_at) == (state.status, state.done_at)
    assert end.new not in {Status.NEW, Status.SCHEDULED, Status.DELAYED, Status.PENDING}
    assert end.reason == state.decisions[-1].text
    assert end.at <= (end.finished_at or end.at)


def _ends(report: Report) -> list[tuple[Change, State]]:
    pairs = zip(report.changes, report.told_in, strict=True)
    return [(change, state) for change, state in pairs if change.finished_at]


def nothing_more_is_waited_for_at_the_end(report: Report) -> None:
    """Nothing is due, and no receipt could say that another step has succeeded, but for what came too late."""
    ((_, (at, state)),) = _ends(report)
    assert state.due_at is None
    if state.cancelled_at or at >= state.expires_at:
        return
    unreached = [step for group in groups(state) if not is_reached(state, group) for step in group]
    for attempt in state.attempts:
        awaited = min(state.steps[attempt.step].success, report.play.reach[attempt.step].facts.receipts)
        is_out = attempt.progress in LEFT - {Progress.UNKNOWN} and not attempt.recalled_at
        assert attempt.step not in unreached or not is_out or attempt.progress >= awaited


def what_follows_the_end_comes_of_a_receipt(report: Report) -> None:
    """It is told to whom wants all; a failure may lead to another step."""
    ends = [change.sequence for change, _ in _ends(report)]
    after = [change for change in report.changes if change.sequence > ends[0]]
    receipts = [index for before, state, index in report.play.receipts if before != state]
    assert not after or after[0].attempt in receipts


def a_failure_is_told_to_whom_wants_failures(report: Report) -> None:
    told = [change for change in report.changes if is_wanted("undelivered", change)]
    assert [change.new for change in told] == [
        change.new for change in report.changes if change.new in BAD and change.new != change.old
    ]
    assert bool(told) == any(change.new in BAD for change in report.changes)


def the_number_of_changes_has_a_bound(report: Report) -> None:
    assert len(report.changes) <= len(Status) + 1 + (len(LEFT) + 1) * len(report.play.notification.attempts)
