"""A notification: what a caller asked for, for one recipient, and everything that became of it. Pure."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from gateway.attempt import Attempt, Step
from gateway.model import Cause, Progress


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

_REACHED = {Progress.SENT: Status.SENT, Progress.DELIVERED: Status.DELIVERED, Progress.READ: Status.READ}
_ORDER = list(Status)


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


def _given_up(attempt: Attempt, at: datetime) -> Attempt:
    return replace(attempt, progress=Progress.FAILED, at=at) if attempt.progress is Progress.RETRYING else attempt


def _status(attempts: tuple[Attempt, ...]) -> Status:
    return max((_REACHED.get(attempt.progress, Status.PENDING) for attempt in attempts), key=_ORDER.index)


def _forward(old: Status, new: Status) -> Status:
    return max(old, new, key=_ORDER.index)
