"""Tests an attempt's progress: evidence only grows, and the order of its arrival makes no difference."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.domain.cascade.evidence import Outcome
from gateway.domain.channel.errors import Unavailable
from gateway.domain.model.attempt import HOLD, MAX_TRIES, PAUSES, Attempt, Part, Step, after_error, succeeded, with_part
from gateway.domain.model.nouns import Cause, Content, Progress
from gateway.domain.terms.price import Price

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
STEP = Step("whatsapp", content=Content("Hello"))
SENDING = Attempt(0, Progress.SENDING, NOW, sent_at=NOW)

Report = tuple[int, Progress]
"""A provider's report on one part: the part's index and its progress."""

PROGRESSES = st.sampled_from([Progress.SENT, Progress.FAILED, Progress.DELIVERED, Progress.READ])
REPORTS = st.lists(st.tuples(st.integers(0, 2), PROGRESSES), max_size=9)
SHUFFLED = REPORTS.flatmap(lambda reports: st.tuples(st.just(reports), st.permutations(reports)))
BEFORE = st.sampled_from([Progress.RETRYING, Progress.SENDING, Progress.UNKNOWN])


def after_reports(attempt: Attempt, reports: Iterable[Report]) -> Attempt:
    for part, progress in reports:
        attempt = with_part(attempt, Part(f"id{part}", progress), part, LATER)
    return attempt


def is_contradictory(reports: list[Report]) -> bool:
    """Return whether some part was reported both as failed and as arrived."""
    failed_parts = {part for part, progress in reports if progress is Progress.FAILED}
    arrived_parts = {part for part, progress in reports if progress > Progress.FAILED}
    return bool(failed_parts & arrived_parts)


@pytest.mark.parametrize(
    ("pieces", "reports", "progress"),
    [
        (1, [], Progress.SENDING),
        (1, [(0, Progress.SENT)], Progress.SENT),
        (1, [(0, Progress.DELIVERED), (0, Progress.SENT)], Progress.DELIVERED),
        (1, [(0, Progress.FAILED), (0, Progress.SENT)], Progress.FAILED),
        (1, [(0, Progress.FAILED), (0, Progress.READ)], Progress.READ),
        (1, [(0, Progress.DELIVERED), (0, Progress.FAILED)], Progress.DELIVERED),
        (2, [(0, Progress.READ)], Progress.SENDING),
        (2, [(0, Progress.READ), (1, Progress.SENT)], Progress.SENT),
        (2, [(0, Progress.READ), (1, Progress.DELIVERED)], Progress.DELIVERED),
        (2, [(0, Progress.FAILED)], Progress.FAILED),
        (2, [(1, Progress.FAILED), (0, Progress.READ)], Progress.FAILED),
        (2, [(1, Progress.DELIVERED)], Progress.SENT),
        (2, [(1, Progress.READ), (0, Progress.DELIVERED)], Progress.DELIVERED),
    ],
)
def test_the_parts_make_the_whole(pieces: int, reports: list[Report], progress: Progress) -> None:
    assert after_reports(replace(SENDING, pieces=pieces), reports).progress is progress


def test_a_part_that_is_not_ours_says_nothing() -> None:
    assert after_reports(SENDING, [(1, Progress.READ)]) == SENDING


def test_the_ids_of_parts_are_kept_in_their_places() -> None:
    attempt = after_reports(replace(SENDING, pieces=3), [(2, Progress.READ), (0, Progress.SENT), (1, Progress.SENT)])
    assert [part.provider_id for part in attempt.parts] == ["id0", "id1", "id2"]


def test_the_moment_is_that_of_the_progress() -> None:
    attempt = with_part(replace(SENDING, reason="busy", cause=Cause.UNAVAILABLE), Part("id"), 0, LATER)
    assert (attempt.at, attempt.reason, attempt.cause) == (LATER, "", None)
    assert with_part(attempt, Part("id"), 0, LATER + HOLD) == attempt


@given(BEFORE, st.integers(1, 3), SHUFFLED)
def test_the_order_of_the_words_makes_no_difference(
    before: Progress, pieces: int, orders: tuple[list[Report], list[Report]]
) -> None:
    attempt = replace(SENDING, progress=before, pieces=pieces)
    first, second = (after_reports(attempt, reports) for reports in orders)
    assert [part.progress for part in first.parts] == [part.progress for part in second.parts]
    if pieces == 1 or not is_contradictory(orders[0]):
        assert first == second


@given(st.integers(1, 3), REPORTS)
def test_words_said_again_say_nothing(pieces: int, reports: list[Report]) -> None:
    once = after_reports(replace(SENDING, pieces=pieces), reports)
    assert after_reports(once, reports) == once


@given(BEFORE, st.integers(1, 3), REPORTS, st.tuples(st.integers(0, 2), PROGRESSES))
def test_evidence_only_grows(before: Progress, pieces: int, reports: list[Report], report: Report) -> None:
    old = after_reports(replace(SENDING, progress=before, pieces=pieces), reports)
    new = after_reports(old, [report])
    assert new.progress >= old.progress
    assert all(later.progress >= earlier.progress for earlier, later in zip(old.parts, new.parts, strict=False))


@given(st.integers(1, 3), REPORTS)
def test_what_every_part_came_to_is_known(pieces: int, reports: list[Report]) -> None:
    deliveries = [(part, Progress.DELIVERED) for part in range(pieces)]
    assert after_reports(replace(SENDING, pieces=pieces), reports + deliveries).progress >= Progress.DELIVERED


@pytest.mark.parametrize(
    ("cause", "progress", "pause", "tries"),
    [
        (Cause.UNAVAILABLE, Progress.RETRYING, PAUSES[0], 1),
        (Cause.MISCONFIGURED, Progress.RETRYING, HOLD, 0),
        (Cause.AMBIGUOUS, Progress.UNKNOWN, PAUSES[0], 1),
        (Cause.REFUSED, Progress.FAILED, None, 0),
        (Cause.WINDOW_CLOSED, Progress.FAILED, None, 0),
        (Cause.STOPPED, Progress.FAILED, None, 0),
        (Cause.TEMPLATE_UNUSABLE, Progress.FAILED, None, 0),
    ],
)
def test_an_error_says_what_comes_next(cause: Cause, progress: Progress, pause: timedelta | None, tries: int) -> None:
    attempt = after_error(SENDING, cause, "because", LATER, None)
    assert (attempt.progress, attempt.cause, attempt.reason, attempt.at) == (progress, cause, "because", LATER)
    assert (attempt.retry_at, attempt.tries) == (LATER + pause if pause else None, tries)


@pytest.mark.parametrize("cause", [Cause.UNAVAILABLE, Cause.MISCONFIGURED])
def test_a_repetition_that_was_not_sent_leaves_the_doubt(cause: Cause) -> None:
    """The first try may have been sent, so a fresh message under another key could arrive twice."""
    doubtful = after_error(SENDING, Cause.AMBIGUOUS, "no answer", LATER, None)
    assert doubtful.unsure_from == NOW
    for _ in range(MAX_TRIES):
        doubtful = after_error(replace(doubtful, progress=Progress.SENDING), cause, "busy", LATER, None)
        assert (doubtful.progress, doubtful.unsure_from) == (Progress.UNKNOWN, NOW)


def test_it_is_tried_five_times_with_longer_and_longer_pauses() -> None:
    attempt, pauses = SENDING, []
    while (attempt := after_error(attempt, Cause.UNAVAILABLE, "busy", NOW, None)).progress is Progress.RETRYING:
        pauses.append(attempt.retry_at and attempt.retry_at - NOW)
        attempt = replace(attempt, progress=Progress.SENDING)
    assert pauses == list(PAUSES)
    assert len(pauses) == MAX_TRIES - 1
    assert attempt.progress is Progress.FAILED


def test_who_is_asked_to_wait_waits_ever_longer_and_does_not_fail_for_it() -> None:
    attempt, pauses = SENDING, []
    for _ in range(2 * MAX_TRIES):
        attempt = after_error(attempt, Cause.UNAVAILABLE, "too many", NOW, timedelta(seconds=3))
        assert attempt.progress is Progress.RETRYING
        pauses.append(attempt.retry_at and (attempt.retry_at - NOW).total_seconds())
        attempt = replace(attempt, progress=Progress.SENDING)
    assert pauses == [3, 4, 16, 64, 64, 64, 64, 64, 64, 64]


def test_those_refused_together_do_not_come_back_together() -> None:
    pauses = [after_error(SENDING, Cause.UNAVAILABLE, "busy", NOW, None, spread).retry_at for spread in (1, 1.25, 1.5)]
    assert pauses == [NOW + timedelta(seconds=seconds) for seconds in (1, 1.25, 1.5)]


def test_the_providers_own_pause_counts() -> None:
    assert after_error(SENDING, Cause.UNAVAILABLE, "busy", NOW, timedelta(hours=1)).retry_at == LATER


@given(st.sampled_from([p for p in Progress if p > Progress.SENDING]), st.sampled_from(Cause))
def test_a_receipt_that_was_faster_than_the_error_knows_better(progress: Progress, cause: Cause) -> None:
    attempt = replace(SENDING, progress=progress)
    assert after_error(attempt, cause, "because", LATER, None) == attempt


@given(st.sampled_from(Progress), st.sampled_from([Progress.SENT, Progress.DELIVERED, Progress.READ]))
def test_success_is_what_the_step_asks_for(progress: Progress, success: Progress) -> None:
    is_success = progress in {Progress.SENT, Progress.DELIVERED, Progress.READ} and progress >= success
    assert succeeded(replace(SENDING, progress=progress), replace(STEP, success=success)) == is_success


def test_a_template_is_charged_once_and_a_text_by_its_parts() -> None:
    step = replace(STEP, parts=3, price=Price("2.50", "RUB"))
    assert step.costs(template=False) == Price("7.50", "RUB")
    assert step.costs(template=True) == Price("2.50", "RUB")
    assert replace(step, price=None).costs(template=True) is None


def test_the_first_pause_after_a_broken_call_is_the_first_of_the_pauses() -> None:
    after = Outcome(error=Unavailable("away")).apply(SENDING, NOW)
    assert (after.progress, after.retry_at) == (Progress.RETRYING, NOW + PAUSES[0])
