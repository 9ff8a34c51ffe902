"""Why rows came to nothing: which failures may go by, and how those of many rows become one reason."""

from datetime import UTC, datetime

import pytest

from gateway.domain.model.attempt import Attempt, Step
from gateway.domain.model.job import Reason
from gateway.domain.model.notification import Notification, Recipient, Status
from gateway.domain.model.nouns import Cause, Progress
from gateway.domain.terms.price import Price
from gateway.messages.jobs.reasons import MOST, OTHERS, added, grouped, may_work, reason_of, shared

pytestmark = pytest.mark.fast
NOW = datetime(2026, 11, 30, tzinfo=UTC)


def failed(*attempts: Attempt, status: Status = Status.UNDELIVERED) -> Notification:
    steps = (Step("telegram"), Step("sms", price=Price("2.50", "RUB")))
    return Notification("one", Recipient(), steps, NOW, NOW, attempts=attempts, status=status).saying(
        NOW, "no step is left"
    )


def attempt(cause: Cause | None, reason: str = "the provider is away", step: int = 1) -> Attempt:
    return Attempt(step, Progress.FAILED if cause else Progress.SKIPPED, NOW, reason, cause)


@pytest.mark.parametrize(
    ("cause", "hopeful"),
    [
        (Cause.UNAVAILABLE, True),
        (Cause.MISCONFIGURED, True),
        (Cause.TEMPLATE_UNUSABLE, True),
        (Cause.REFUSED, False),
        (Cause.STOPPED, False),
        (Cause.WINDOW_CLOSED, False),
        (None, False),
    ],
)
def test_what_may_work_now(cause: Cause | None, hopeful: bool) -> None:  # noqa: FBT001 - a column of the table
    assert may_work(failed(attempt(cause))) is hopeful


def test_what_may_have_arrived_is_no_hope() -> None:
    unsure = Attempt(1, Progress.UNKNOWN, NOW, "no answer", Cause.AMBIGUOUS)
    assert not may_work(failed(attempt(Cause.UNAVAILABLE, step=0), unsure))


def test_what_expired_may_work() -> None:
    assert may_work(failed(status=Status.EXPIRED))


def test_the_last_attempt_says_why_and_a_skipped_one_only_where_none_was_made() -> None:
    skipped = attempt(None, "the person has not started the bot", step=0)
    assert reason_of(failed(attempt(Cause.REFUSED, "a landline"), skipped)).text == "a landline"
    assert reason_of(failed(skipped)) == Reason("the person has not started the bot", 1, "telegram")
    assert reason_of(failed()).text == "no step is left"


def test_words_that_differ_by_a_number_or_a_moment_are_the_same() -> None:
    assert shared("+79000000001 is a landline") == shared("+79000000002 is a landline") == "… is a landline"
    assert shared("the person has opted out on 2026-11-30 11:20 UTC") == "the person has opted out"


def test_the_most_frequent_reasons_are_told_and_the_rest_are_one() -> None:
    reasons = [Reason(f"reason {number}", MOST + 5 - number) for number in range(MOST + 3)]
    told = grouped(reasons)
    assert (len(told), told[0].text, told[-1].text) == (MOST + 1, "reason 0", OTHERS)
    assert sum(reason.count for reason in told) == sum(reason.count for reason in reasons)


def test_amounts_are_added_by_currency_and_exactly() -> None:
    assert added([{"RUB": "0.10"}, {"RUB": "0.20", "EUR": "1"}]) == {"EUR": "1", "RUB": "0.30"}
