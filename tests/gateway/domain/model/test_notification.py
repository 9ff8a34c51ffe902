"""A notification's own story: what receipts do to it, its status, which only moves forward, and its lines."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.domain.model.attempt import Attempt, Step
from gateway.domain.model.event import Receipt
from gateway.domain.model.notification import MAX_DECISIONS, Notification, Recipient, Status
from gateway.domain.model.nouns import Cause, Content, Progress
from gateway.messages.delivery.receipts import _told

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
STEP = Step("whatsapp", content=Content("Hello"))
SENDING = Attempt(0, Progress.SENDING, NOW, sent_at=NOW)
ASKED = Notification("n1", Recipient(), (STEP,), NOW, LATER, due_at=LATER)
UNDER_WAY = ASKED.trying(SENDING)

STATUSES = st.sampled_from(Status)
TOLD = st.sampled_from([Progress.SENT, Progress.FAILED, Progress.DELIVERED, Progress.READ])
RECEIPTS = st.lists(TOLD, max_size=6)
SHUFFLED = RECEIPTS.flatmap(lambda told: st.tuples(st.just(told), st.permutations(told)))


def receipt(progress: Progress, reason: str = "", cause: Cause | None = None) -> Receipt:
    return Receipt("whatsapp", "shop", f"m1:{progress}", "m1", progress, LATER, reason, cause)


def after_receipts(asked: Notification, told: Iterable[Progress]) -> Notification:
    for progress in told:
        asked = _told(asked, 0, 0, receipt(progress), LATER) or asked
    return asked


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
    told = _told(UNDER_WAY, 0, 0, receipt(progress), NOW)
    assert told
    assert (told.attempts[0].progress, told.status, told.due_at) == (progress, status, due_at)
    assert told.decisions[-1].text == f"whatsapp: {progress.name.lower()}"


def test_a_failure_keeps_the_providers_words() -> None:
    told = _told(UNDER_WAY, 0, 0, receipt(Progress.FAILED, "131047", Cause.WINDOW_CLOSED), NOW)
    assert told
    assert (told.attempts[0].reason, told.attempts[0].cause) == ("131047", Cause.WINDOW_CLOSED)
    assert told.decisions[-1].text == "whatsapp: failed 131047"
    read = after_receipts(told, [Progress.READ])
    assert (read.attempts[0].reason, read.attempts[0].cause) == ("", None)


def test_a_part_that_failed_early_says_why_the_whole_did() -> None:
    early = _told(ASKED.trying(replace(SENDING, pieces=2)), 0, 0, receipt(Progress.FAILED, "131047"), NOW)
    assert early
    assert (early.attempts[0].progress, early.attempts[0].reason) == (Progress.FAILED, "131047")


def test_while_a_worker_has_it_the_clock_is_the_workers() -> None:
    leased = replace(UNDER_WAY, lease="worker")
    for progress in (Progress.FAILED, Progress.DELIVERED):
        told = after_receipts(leased, [progress])
        assert (told.lease, told.due_at) == ("worker", leased.due_at)
        assert told.attempts[0].progress is progress


def test_a_receipt_for_no_attempt_says_nothing() -> None:
    assert _told(ASKED, 0, 0, receipt(Progress.READ), NOW) is None
    assert _told(UNDER_WAY, 0, 1, receipt(Progress.READ), NOW) is None


@given(SHUFFLED)
def test_the_order_of_receipts_makes_no_difference(orders: tuple[list[Progress], list[Progress]]) -> None:
    first, second = (after_receipts(UNDER_WAY, told) for told in orders)
    assert first.attempts == second.attempts
    assert first.status == second.status or Progress.FAILED in orders[0]


@given(RECEIPTS)
def test_a_receipt_that_comes_again_says_nothing(told: list[Progress]) -> None:
    once = after_receipts(UNDER_WAY, told)
    assert after_receipts(once, told) == once


@given(st.lists(st.text(max_size=2), max_size=9))
def test_the_story_has_no_line_twice_in_a_row(lines: list[str]) -> None:
    told = ASKED
    for line in lines:
        told = told.saying(NOW, line)
        assert told.decisions[-1].text == line
        assert told.saying(LATER, line) == told
    assert all(one.text != two.text for one, two in zip(told.decisions, told.decisions[1:], strict=False))


def test_the_story_keeps_its_last_lines() -> None:
    told = ASKED
    for number in range(MAX_DECISIONS + 9):
        told = told.saying(NOW, str(number))
    assert [decision.text for decision in told.decisions] == [str(9 + number) for number in range(MAX_DECISIONS)]


@given(STATUSES, STATUSES)
def test_at_rest_nothing_is_due_and_the_status_never_goes_back(old: Status, new: Status) -> None:
    asked = replace(ASKED, status=old, lease="worker")
    complete = asked.complete(new, NOW)
    assert (complete.due_at, complete.lease) == (None, None)
    assert complete.complete(new, NOW) == complete
    assert (
        complete.status
        == asked.complete(new, NOW).complete(old, NOW).status
        == replace(asked, status=new).complete(old, NOW).status
    )
    assert list(Status).index(complete.status) == max(map(list(Status).index, (old, new)))


@given(STATUSES, st.sampled_from(Progress))
def test_an_attempt_never_takes_the_status_back(old: Status, progress: Progress) -> None:
    told = replace(ASKED, status=old).trying(SENDING).with_attempt(0, replace(SENDING, progress=progress))
    order = list(Status).index
    assert order(told.status) >= order(old)
    if progress > Progress.FAILED:
        assert order(told.status) >= order(Status[progress.name])


def test_the_latest_attempt_of_a_step() -> None:
    other, again = replace(SENDING, step=1), replace(SENDING, template=True)
    told = ASKED.trying(SENDING).trying(again).trying(other)
    assert (told.last(0), told.last(1), told.last(2)) == (again, other, None)
    assert ASKED.last(0) is None
