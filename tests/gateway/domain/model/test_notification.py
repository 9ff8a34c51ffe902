"""Tests a notification: the effect of receipts, its status, which only moves forward, and its decisions."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.domain.cascade.evidence import after_receipt
from gateway.domain.model.attempt import Attempt, Step
from gateway.domain.model.event import Receipt
from gateway.domain.model.notification import MAX_DECISIONS, Notification, Recipient, Status, mark_unknown
from gateway.domain.model.nouns import Address, Cause, Content, Progress

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
STEP = Step("whatsapp", content=Content("Hello"))
SENDING = Attempt(0, Progress.SENDING, NOW, address=Address("whatsapp", "shop", "79161234567"), sent_at=NOW)
NOTIFICATION = Notification("n1", Recipient(), (STEP,), NOW, LATER, due_at=LATER)
UNDER_WAY = NOTIFICATION.trying(SENDING)

STATUSES = st.sampled_from(Status)
PROGRESSES = st.sampled_from([Progress.SENT, Progress.FAILED, Progress.DELIVERED, Progress.READ])
RECEIPTS = st.lists(PROGRESSES, max_size=6)
SHUFFLED = RECEIPTS.flatmap(lambda progresses: st.tuples(st.just(progresses), st.permutations(progresses)))


def receipt(progress: Progress, reason: str = "", cause: Cause | None = None) -> Receipt:
    return Receipt("whatsapp", "shop", f"m1:{progress}", "m1", progress, LATER, reason, cause)


def after_receipts(notification: Notification, progresses: Iterable[Progress]) -> Notification:
    for progress in progresses:
        notification = after_receipt(notification, 0, 0, receipt(progress), LATER) or notification
    return notification


@pytest.mark.parametrize(
    ("progress", "status", "due_at"),
    [
        (Progress.SENT, Status.SENT, LATER),
        (Progress.FAILED, Status.PENDING, NOW),
        (Progress.DELIVERED, Status.DELIVERED, None),
        (Progress.READ, Status.READ, None),
    ],
)
def test_a_receipt_moves_it(progress: Progress, status: Status, due_at: datetime | None) -> None:
    notification = after_receipt(UNDER_WAY, 0, 0, receipt(progress), NOW)
    assert notification
    assert (notification.attempts[0].progress, notification.status, notification.due_at) == (progress, status, due_at)
    assert notification.decisions[-1].text == f"whatsapp: {progress.name.lower()}"


def test_a_failure_keeps_the_providers_words() -> None:
    failed_notification = after_receipt(UNDER_WAY, 0, 0, receipt(Progress.FAILED, "131047", Cause.WINDOW_CLOSED), NOW)
    assert failed_notification
    assert (failed_notification.attempts[0].reason, failed_notification.attempts[0].cause) == (
        "131047",
        Cause.WINDOW_CLOSED,
    )
    assert failed_notification.decisions[-1].text == "whatsapp: failed 131047"
    read_notification = after_receipts(failed_notification, [Progress.READ])
    assert (read_notification.attempts[0].reason, read_notification.attempts[0].cause) == ("", None)


def test_a_part_that_failed_early_says_why_the_whole_did() -> None:
    notification = after_receipt(
        NOTIFICATION.trying(replace(SENDING, pieces=2)), 0, 0, receipt(Progress.FAILED, "131047"), NOW
    )
    assert notification
    assert (notification.attempts[0].progress, notification.attempts[0].reason) == (Progress.FAILED, "131047")


def test_while_a_worker_has_it_the_clock_is_the_workers() -> None:
    leased_notification = replace(UNDER_WAY, lease="worker")
    for progress in (Progress.FAILED, Progress.DELIVERED):
        notification = after_receipts(leased_notification, [progress])
        assert (notification.lease, notification.due_at) == ("worker", leased_notification.due_at)
        assert notification.attempts[0].progress is progress


def test_a_receipt_for_no_attempt_says_nothing() -> None:
    assert after_receipt(NOTIFICATION, 0, 0, receipt(Progress.READ), NOW) is None
    assert after_receipt(UNDER_WAY, 0, 1, receipt(Progress.READ), NOW) is None


@given(SHUFFLED)
def test_the_order_of_receipts_makes_no_difference(orders: tuple[list[Progress], list[Progress]]) -> None:
    first, second = (after_receipts(UNDER_WAY, progresses) for progresses in orders)
    assert first.attempts == second.attempts
    assert first.status == second.status or Progress.FAILED in orders[0]


@given(RECEIPTS)
def test_a_receipt_that_comes_again_says_nothing(progresses: list[Progress]) -> None:
    once = after_receipts(UNDER_WAY, progresses)
    assert after_receipts(once, progresses) == once


@given(st.lists(st.text(max_size=2), max_size=9))
def test_the_story_has_no_line_twice_in_a_row(lines: list[str]) -> None:
    notification = NOTIFICATION
    for line in lines:
        notification = notification.saying(NOW, line)
        assert notification.decisions[-1].text == line
        assert notification.saying(LATER, line) == notification
    assert all(
        first.text != second.text
        for first, second in zip(notification.decisions, notification.decisions[1:], strict=False)
    )


def test_the_story_keeps_its_last_lines() -> None:
    notification = NOTIFICATION
    for number in range(MAX_DECISIONS + 9):
        notification = notification.saying(NOW, str(number))
    assert [decision.text for decision in notification.decisions] == [
        str(9 + number) for number in range(MAX_DECISIONS)
    ]


@given(STATUSES, STATUSES)
def test_at_rest_nothing_is_due_and_the_status_never_goes_back(old: Status, new: Status) -> None:
    notification = replace(NOTIFICATION, status=old, lease="worker")
    complete = notification.complete(new, NOW)
    assert (complete.due_at, complete.lease) == (None, None)
    assert complete.complete(new, NOW) == complete
    assert (
        complete.status
        == notification.complete(new, NOW).complete(old, NOW).status
        == replace(notification, status=new).complete(old, NOW).status
    )
    assert list(Status).index(complete.status) == max(map(list(Status).index, (old, new)))


@given(STATUSES, st.sampled_from(Progress))
def test_an_attempt_never_takes_the_status_back(old: Status, progress: Progress) -> None:
    notification = (
        replace(NOTIFICATION, status=old).trying(SENDING).with_attempt(0, replace(SENDING, progress=progress))
    )
    order = list(Status).index
    assert order(notification.status) >= order(old)
    if progress > Progress.FAILED:
        assert order(notification.status) >= order(Status[progress.name])


def test_the_latest_attempt_of_a_step() -> None:
    other_step, second_try = replace(SENDING, step=1), replace(SENDING, template=True)
    notification = NOTIFICATION.trying(SENDING).trying(second_try).trying(other_step)
    assert (notification.last(0), notification.last(1), notification.last(2)) == (second_try, other_step, None)
    assert NOTIFICATION.last(0) is None


def test_what_its_worker_was_sending_when_it_died_may_have_been_sent() -> None:
    lost = mark_unknown(UNDER_WAY)
    (attempt,) = lost.attempts
    assert (attempt.progress, attempt.cause, attempt.tries) == (Progress.UNKNOWN, Cause.AMBIGUOUS, 1)
    assert attempt.unsure_from == NOW
    assert mark_unknown(lost) == lost
