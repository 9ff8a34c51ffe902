"""A notification: what a caller asked for, for one recipient, and everything that became of it. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from gateway.model import Address, Cause, Content, Progress, TemplateMessage


class Status(StrEnum):
    """As the API says it, ordered by evidence like Progress: a status only moves down this list."""

    NEW = "NEW"
    PENDING = "PENDING"
    SENT = "SENT"
    UNDELIVERED = "UNDELIVERED"
    EXPIRED = "EXPIRED"
    DELIVERED = "DELIVERED"
    READ = "READ"


class Recipient(Struct, frozen=True, omit_defaults=True):
    """Whom a notification is for, as the caller named them. `phone` is E.164; `session` is a session's id."""

    phone: str | None = None
    contact: str | None = None
    external_id: str | None = None
    session: str | None = None


class Step(Struct, frozen=True, omit_defaults=True):
    """A rung of the cascade. `content` needs an open window, `template` does not; one of them is there.

    intent: the provider's word under which the content may go although the window is shut.
    success: what has to be reported before the cascade rests. fallback_after: patience for that, from the send.
    """

    channel: str
    account: str | None = None
    content: Content | None = None
    template: TemplateMessage | None = None
    intent: str = ""
    success: Progress = Progress.DELIVERED
    fallback_after: timedelta = timedelta(minutes=5)


class Part(Struct, frozen=True, omit_defaults=True):
    """One piece of an attempt that the provider has taken."""

    provider_id: str
    progress: Progress = Progress.SENT


class Attempt(Struct, frozen=True, omit_defaults=True):
    """One try of a step. `pieces` is how many parts it has in all, `parts` those that the provider took.

    `at` is when the present progress was reached; `sent_at` when the send began, from which patience counts;
    `unsure_from` when it may first have been sent without our having heard so.
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


class Decision(Struct, frozen=True):
    """A line of the story: what was decided, and why, in words."""

    at: datetime
    text: str


class Notification(Struct, frozen=True, omit_defaults=True):
    """`due_at` is the one clock: the moment at which the rule is to be asked again; None when it is settled.

    `lease` is the token of the process that works on it now (until `due_at`). `reply_to` makes it a bot's answer
    to that message: it goes out whatever the person has stopped, since they have just spoken.
    """

    id: str
    recipient: Recipient
    steps: tuple[Step, ...]
    created_at: datetime
    expires_at: datetime
    due_at: datetime | None = None
    status: Status = Status.NEW
    attempts: tuple[Attempt, ...] = ()
    decisions: tuple[Decision, ...] = ()
    reply_to: str | None = None
    bulk_id: str | None = None
    group_id: str | None = None
    callback_data: str | None = None
    lease: str | None = None
    version: int = 0

    def last(self, step: int) -> Attempt | None:
        """The latest attempt of a step."""
        return next((attempt for attempt in reversed(self.attempts) if attempt.step == step), None)

    def saying(self, at: datetime, text: str) -> "Notification":
        """With a line more in its story; the same line is not said twice in a row."""
        if self.decisions and self.decisions[-1].text == text:
            return self
        return replace(self, decisions=(*self.decisions, Decision(at, text))[-MAX_DECISIONS:])

    def trying(self, attempt: Attempt) -> "Notification":
        """With a new attempt at the end. One of the same step that was to be tried again is not, then."""
        before = (_given_up(old, attempt.at) if old.step == attempt.step else old for old in self.attempts)
        return replace(self, attempts=(*before, attempt), status=_forward(self.status, Status.PENDING))

    def with_attempt(self, index: int, attempt: Attempt) -> "Notification":
        """With attempt `index` put in place of the old one, and the status that follows from it."""
        attempts = (*self.attempts[:index], attempt, *self.attempts[index + 1 :])
        return replace(self, attempts=attempts, status=_forward(self.status, _status(attempts)))

    def settled(self, status: Status) -> "Notification":
        """At rest: nothing is due any more. A receipt may still move it forward."""
        return replace(self, due_at=None, lease=None, status=_forward(self.status, status))


MAX_DECISIONS = 60

HOLD = timedelta(seconds=60)
"""How long a misconfigured account waits before it is tried again."""

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (1, 4, 16, 64))
MAX_TRIES = 5
"""Tries of one attempt where it may be repeated, with these pauses unless the provider names a longer one."""

_REACHED = {Progress.SENT: Status.SENT, Progress.DELIVERED: Status.DELIVERED, Progress.READ: Status.READ}
_ORDER = list(Status)


def succeeded(attempt: Attempt, step: Step) -> bool:
    """Did the attempt come as far as the step asks?"""
    return attempt.progress is not Progress.FAILED and attempt.progress >= max(step.success, Progress.SENT)


def orphaned(notification: Notification) -> Notification:
    """As it is to be seen by whoever takes it over: what was being sent may have been sent."""
    for index, attempt in enumerate(notification.attempts):
        if attempt.progress is Progress.SENDING:
            since = attempt.unsure_from or attempt.sent_at
            lost = replace(
                attempt, progress=Progress.UNKNOWN, cause=Cause.AMBIGUOUS, reason=ORPHANED, unsure_from=since
            )
            notification = notification.with_attempt(index, lost)
    return notification


ORPHANED = "the process that was sending it has ended; it may have been sent"


def with_part(attempt: Attempt, part: Part, index: int, at: datetime) -> Attempt:
    """The attempt after a provider's word on one of its parts: evidence only grows. One part failed: all failed.

    Parts go out in order, so that a word on one says that those before it were taken, whatever we have heard of them.
    """
    if index >= attempt.pieces:
        return attempt
    before = (*attempt.parts, *[Part("")] * (index - len(attempt.parts)))
    known = before[index] if index < len(before) else part
    parts = (*before[:index], _stronger(known, part), *before[index + 1 :])
    reached = Progress.FAILED if any(p.progress is Progress.FAILED for p in parts) else min(p.progress for p in parts)
    if reached <= attempt.progress or (len(parts) < attempt.pieces and reached is not Progress.FAILED):
        return replace(attempt, parts=parts)
    return replace(attempt, parts=parts, progress=reached, at=at, reason="", cause=None)


def after_error(
    attempt: Attempt, cause: Cause, reason: str, at: datetime, pause: timedelta | None, spread: float = 1
) -> Attempt:
    """The attempt after a send that did not work. `pause`: when the provider wants to be asked again.

    Whom the provider asks to wait does not fail for that, however often; the rule may leave it for another step.
    spread: by how much longer to wait than the others, so that those refused together do not come back together.
    A receipt that was faster than the error knows better. An account's fault burns no tries. What may have been sent
    once stays in doubt, even if its repetition was certainly not sent.
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


def _given_up(attempt: Attempt, at: datetime) -> Attempt:
    return replace(attempt, progress=Progress.FAILED, at=at) if attempt.progress is Progress.RETRYING else attempt


def _stronger(known: Part, told: Part) -> Part:
    return Part(known.provider_id or told.provider_id, max(known.progress, told.progress))


def _status(attempts: tuple[Attempt, ...]) -> Status:
    return max((_REACHED.get(attempt.progress, Status.PENDING) for attempt in attempts), key=_ORDER.index)


def _forward(old: Status, new: Status) -> Status:
    return max(old, new, key=_ORDER.index)
