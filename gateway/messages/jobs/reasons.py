"""Why rows of a job came to nothing, by words that are the same for many, and whether a retry may work. Pure."""

import re
from collections.abc import Iterable
from decimal import Decimal

from msgspec.structs import replace

from gateway.domain.model.attempt import Attempt, in_doubt
from gateway.domain.model.job import Reason
from gateway.domain.model.notification import Notification, Status
from gateway.domain.model.nouns import Cause, Progress

MOST = 20
"""Reasons that are told apart, at most: the most frequent ones."""

LONGEST = 200
"""Characters of a reason, at most."""

OTHERS = "other reasons"

HOPEFUL = frozenset({Cause.UNAVAILABLE, Cause.MISCONFIGURED, Cause.TEMPLATE_UNUSABLE})
"""Causes that go by, or that somebody can mend. The others are the person's or the number's."""

FAILED = frozenset({Status.UNDELIVERED, Status.EXPIRED, Status.ERROR})
ENDS = FAILED - {Status.UNDELIVERED}

DIFFERS = re.compile(r"\+?\d{7,}| on \d{4}-\d{2}-\d{2} \d{2}:\d{2} UTC")
"""What is another one in each row: a number, an id, a moment."""


def reason_of(message: Notification) -> Reason:
    """Return why a message failed: the reason of the last step that did, or else the last decision."""
    last = _last(message)
    words = last.reason if last else message.decisions[-1].text if message.decisions else ""
    return Reason(
        shared(words or message.status.lower()),
        1,
        message.steps[last.step].channel if last else "",
        last.cause or "" if last else "",
        hopeful=may_work(message),
    )


def may_work(message: Notification) -> bool:
    """Tell whether a message that failed may arrive if it is sent once more. What may have arrived is not repeated."""
    if any(map(in_doubt, message.attempts)):
        return False
    return message.status in ENDS or any(attempt.cause in HOPEFUL for attempt in message.attempts)


def shared(words: str) -> str:
    """Return the words as they are for many rows: long numbers and moments are left out."""
    return DIFFERS.sub(lambda found: "" if found[0].endswith("UTC") else "…", words)[:LONGEST]


def grouped(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Return each reason once with its number, the most frequent first; what is beyond MOST is one."""
    counts: dict[Reason, int] = {}
    for reason in reasons:
        key = replace(reason, count=0)
        counts[key] = counts.get(key, 0) + reason.count
    found = sorted(counts.items(), key=lambda pair: -pair[1])
    others = {hopeful: sum(count for key, count in found[MOST:] if key.hopeful is hopeful) for hopeful in (True, False)}
    rest = [Reason(OTHERS, count, hopeful=hopeful) for hopeful, count in others.items() if count]
    return (*(replace(key, count=count) for key, count in found[:MOST]), *rest)


def spent_on(messages: Iterable[Notification]) -> dict[str, str]:
    """Return what the providers charge for what they have taken, or may have, by currency."""
    prices = [
        price
        for message in messages
        for attempt in message.attempts
        if (attempt.parts or attempt.progress is Progress.UNKNOWN)
        and (price := message.steps[attempt.step].costs(template=attempt.template))
    ]
    return added({price.currency: price.amount} for price in prices)


def added(amounts: Iterable[dict[str, str]]) -> dict[str, str]:
    """Return the sums of these amounts, by currency."""
    sums: dict[str, Decimal] = {}
    for each in amounts:
        for currency, amount in each.items():
            sums[currency] = sums.get(currency, Decimal(0)) + Decimal(amount)
    return {currency: str(amount) for currency, amount in sorted(sums.items())}


def _last(message: Notification) -> Attempt | None:
    """Return the last attempt that says why: one that was made, or else one that was skipped."""
    saying = [attempt for attempt in message.attempts if attempt.reason]
    made = [attempt for attempt in saying if attempt.progress is not Progress.SKIPPED]
    return next(reversed(made or saying), None)
