"""What becomes of an attempt: evidence only grows, and the order in which it comes makes no difference."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.domain.model.attempt import HOLD, MAX_TRIES, PAUSES, Attempt, Part, Step, after_error, succeeded, with_part
from gateway.domain.model.nouns import Cause, Content, Progress

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
STEP = Step("whatsapp", content=Content("Hello"))
SENDING = Attempt(0, Progress.SENDING, NOW, sent_at=NOW)

Report = tuple[int, Progress]
"""A provider's word on one part: which one, and how far it came."""

TOLD = st.sampled_from([Progress.SENT, Progress.FAILED, Progress.DELIVERED, Progress.READ])
REPORTS = st.lists(st.tuples(st.integers(0, 2), TOLD), max_size=9)
SHUFFLED = REPORTS.flatmap(lambda words: st.tuples(st.just(words), st.permutations(words)))
BEFORE = st.sampled_from([Progress.RETRYING, Progress.SENDING, Progress.UNKNOWN])


def after_reports(attempt: Attempt, words: Iterable[Report]) -> Attempt:
    for part, progress in words:
        attempt = with_part(attempt, Part(f"id{part}", progress), part, LATER)
    return attempt


def is_contradictory(words: list[Report]) -> bool:
    """Was a part reported as failed, and as arrived as well?"""
    failed, arrived = ({part for part, progress in words if test(progress)} for test in (_failed, _arrived))
    return bool(failed & arrived)


def _failed(progress: Progress) -> bool:
    return progress is Progress.FAILED


def _arrived(progress: Progress) -> bool:
    return progress > Progress.FAILED


@pytest.mark.parametrize(
    ("pieces", "words", "progress"),
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
def test_the_parts_make_the_whole(pieces: int, words: list[Report], progress: Progress) -> None:
    assert after_reports(replace(SENDING, pieces=pieces), words).progress is progress


def test_a_part_that_is_not_ours_says_nothing() -> None:
    assert after_reports(SENDING, [(1, Progress.READ)]) == SENDING


def test_the_ids_of_parts_are_kept_in_their_places() -> None:
    attempt = after_reports(replace(SENDING, pieces=3), [(2, Progress.READ), (0, Progress.SENT), (1, Progress.SENT)])
    assert [part.provider_id for part in attempt.parts] == ["id0", "id1", "id2"]


def test_the_moment_is_that_of_the_progress() -> None:
    sent = with_part(replace(SENDING, reason="busy", cause=Cause.UNAVAILABLE), Part("id"), 0, LATER)
    assert (sent.at, sent.reason, sent.cause) == (LATER, "", None)
    assert with_part(sent, Part("id"), 0, LATER + HOLD) == sent


@given(BEFORE, st.integers(1, 3), SHUFFLED)
def test_the_order_of_the_words_makes_no_difference(
    before: Progress, pieces: int, orders: tuple[list[Report], list[Report]]
) -> None:
    attempt = replace(SENDING, progress=before, pieces=pieces)
    first, second = (after_reports(attempt, words) for words in orders)
    assert [part.progress for part in first.parts] == [part.progress for part in second.parts]
    if pieces == 1 or not is_contradictory(orders[0]):
        assert first == second


@given(st.integers(1, 3), REPORTS)
def test_words_said_again_say_nothing(pieces: int, words: list[Report]) -> None:
    once = after_reports(replace(SENDING, pieces=pieces), words)
    assert after_reports(once, words) == once


@given(BEFORE, st.integers(1, 3), REPORTS, st.tuples(st.integers(0, 2), TOLD))
def test_evidence_only_grows(before: Progress, pieces: int, words: list[Report], word: Report) -> None:
    old = after_reports(replace(SENDING, progress=before, pieces=pieces), words)
    new = after_reports(old, [word])
    assert new.progress >= old.progress
    assert all(after.progress >= known.progress for known, after in zip(old.parts, new.parts, strict=False))


@given(st.integers(1, 3), REPORTS)
def test_what_every_part_came_to_is_known(pieces: int, words: list[Report]) -> None:
    every = [(part, Progress.DELIVERED) for part in range(pieces)]
    assert after_reports(replace(SENDING, pieces=pieces), words + every).progress >= Progress.DELIVERED


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
    failed = after_error(SENDING, cause, "because", LATER, None)
    assert (failed.progress, failed.cause, failed.reason, failed.at) == (progress, cause, "because", LATER)
    assert (failed.retry_at, failed.tries) == (LATER + pause if pause else None, tries)


@pytest.mark.parametrize("cause", [Cause.UNAVAILABLE, Cause.MISCONFIGURED])
def test_a_repetition_that_was_not_sent_leaves_the_doubt(cause: Cause) -> None:
    """The first one may have been; as a fresh message, under another key, it could arrive twice."""
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
def test_success_is_what_the_step_asks_for(progress: Progress, wanted: Progress) -> None:
    expected = progress in {Progress.SENT, Progress.DELIVERED, Progress.READ} and progress >= wanted
    assert succeeded(replace(SENDING, progress=progress), replace(STEP, success=wanted)) == expected
