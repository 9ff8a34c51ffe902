"""A step of a cascade, the attempts at it, and how a provider's answers change an attempt. Pure."""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from gateway.domain.model.nouns import Address, Cause, Content, Progress, TemplateMessage
from gateway.domain.terms.price import Price


class Step(Struct, frozen=True, omit_defaults=True, gc=False):
    """A step of the cascade. `content` needs an open window, `template` does not; at least one of them is set.

    intent: the provider's word under which the content may go although the window is shut.
    success: the progress that ends the cascade. fallback_after: how long to wait for that, from the send.
    required: it goes out whatever becomes of the others, and is not part of their sequence.
    parts: the number of short messages that its content is charged as; price: of each of them, where we know it.
    """

    channel: str
    account: str | None = None
    content: Content | None = None
    template: TemplateMessage | None = None
    intent: str = ""
    success: Progress = Progress.DELIVERED
    fallback_after: timedelta = timedelta(minutes=5)
    required: bool = False
    parts: int = 1
    price: Price | None = None

    def costs(self, *, template: bool) -> Price | None:
        """Return what it costs in all, as its template or as its content; None where no price is known."""
        return self.price.times(1 if template else self.parts) if self.price else None


class Part(Struct, frozen=True, omit_defaults=True):
    """One piece of an attempt that the provider has taken."""

    provider_id: str
    progress: Progress = Progress.SENT


class Attempt(Struct, frozen=True, omit_defaults=True):
    """One try of a step. `pieces` is how many parts it has in all, `parts` those that the provider took.

    `at` is when the present progress was reached; `sent_at` when the send began, from which patience counts;
    `unsure_from` when it may first have been sent without our having heard so.
    `late`: its success was reported after another step had taken over; `recalled_at`: when it was recalled for that.
    """

    step: int
    progress: Progress
    at: datetime
    reason: str = ""
    cause: Cause | None = None
    address: Address | None = None
    template: bool = False
    intent: str = ""
    sent_at: datetime | None = None
    unsure_from: datetime | None = None
    retry_at: datetime | None = None
    tries: int = 0
    pieces: int = 1
    parts: tuple[Part, ...] = ()
    late: bool = False
    recalled_at: datetime | None = None


HOLD = timedelta(seconds=60)
"""How long a misconfigured account waits before it is tried again."""

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (1, 4, 16, 64))
MAX_TRIES = 5
"""Tries of one attempt where it may be repeated, with these pauses unless the provider names a longer one."""


def succeeded(attempt: Attempt, step: Step) -> bool:
    """Return whether the attempt came as far as the step requires."""
    return attempt.progress is not Progress.FAILED and attempt.progress >= max(step.success, Progress.SENT)


def in_doubt(attempt: Attempt) -> bool:
    """Return whether a piece may have been sent without our knowing, also if its repetition has failed since."""
    if attempt.progress is not Progress.FAILED:
        return attempt.progress in {Progress.SENDING, Progress.UNKNOWN}
    failure_reported = any(part.progress is Progress.FAILED for part in attempt.parts)
    return len(attempt.parts) < attempt.pieces and (failure_reported or attempt.unsure_from is not None)


def with_part(attempt: Attempt, part: Part, index: int, at: datetime) -> Attempt:
    """Return the attempt after a provider's report on one of its parts. Evidence only grows; one failed part fails all.

    Parts go out in order, so that a report on one proves that those before it were taken, reported or not.
    """
    if index >= attempt.pieces:
        return attempt
    before = (*attempt.parts, *[Part("")] * (index - len(attempt.parts)))
    old = before[index] if index < len(before) else part
    parts = (*before[:index], _stronger(old, part), *before[index + 1 :])
    reached = Progress.FAILED if any(p.progress is Progress.FAILED for p in parts) else min(p.progress for p in parts)
    if reached <= attempt.progress or (len(parts) < attempt.pieces and reached is not Progress.FAILED):
        return replace(attempt, parts=parts)
    return replace(attempt, parts=parts, progress=reached, at=at, reason="", cause=None)


def after_error(
    attempt: Attempt, cause: Cause, reason: str, at: datetime, pause: timedelta | None, spread: float = 1
) -> Attempt:
    """Return the attempt after a failed send. pause: how long the provider asks us to wait.

    An attempt that the provider asks to wait does not fail for that, however often; the rule may abandon it for another
    step. spread: the factor by which to wait longer, so that attempts refused together do not come back together.
    A receipt that was faster than the error wins. An account's fault uses up no tries. A message that may have been
    sent stays in doubt, even if its repetition was certainly not sent.
    """
    if attempt.progress > Progress.SENDING:
        return attempt
    failed = replace(attempt, at=at, reason=reason, cause=cause, progress=Progress.FAILED)
    wait = max(pause or timedelta(0), PAUSES[min(attempt.tries, len(PAUSES) - 1)]) * spread
    tried = replace(failed, retry_at=at + wait, tries=attempt.tries + 1)
    later = Progress.UNKNOWN if attempt.unsure_from else Progress.RETRYING
    if cause is Cause.AMBIGUOUS:
        return replace(tried, progress=Progress.UNKNOWN, unsure_from=attempt.unsure_from or attempt.sent_at or at)
    if cause is Cause.MISCONFIGURED:
        return replace(failed, progress=later, retry_at=at + HOLD)
    if cause is Cause.UNAVAILABLE and (pause or tried.tries < MAX_TRIES or attempt.unsure_from):
        return replace(tried, progress=later)
    return failed


def _stronger(old: Part, new: Part) -> Part:
    return Part(old.provider_id or new.provider_id, max(old.progress, new.progress))
