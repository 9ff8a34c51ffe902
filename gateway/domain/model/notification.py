"""A notification: a caller's message to one recipient, and everything that became of it. Pure."""

from datetime import datetime
from enum import IntEnum, StrEnum

from msgspec import Struct
from msgspec.structs import replace

from gateway.domain.model.attempt import Attempt, Step
from gateway.domain.model.change import Callback, Change
from gateway.domain.model.identifier import Identifier
from gateway.domain.model.nouns import Cause, Progress
from gateway.domain.terms.hours import Hours


class Status(StrEnum):
    """The status in the API, ordered by evidence like Progress: a status only moves down this list.

    SCHEDULED: for a later time, as the caller requested. DELAYED: outside the permitted hours where the person lives.
    ERROR: we could not work on it at all.
    """

    NEW = "NEW"
    SCHEDULED = "SCHEDULED"
    DELAYED = "DELAYED"
    PENDING = "PENDING"
    CANCELLED = "CANCELLED"
    SENT = "SENT"
    UNDELIVERED = "UNDELIVERED"
    EXPIRED = "EXPIRED"
    ERROR = "ERROR"
    DELIVERED = "DELIVERED"
    READ = "READ"


class Priority(IntEnum):
    """The order where not all can go at once. An answer to a person never waits behind a bulk job.

    URGENT also knows no quiet hours and does not wait for an account that is held while there is another step.
    """

    REPLY = 0
    URGENT = 1
    NORMAL = 2
    BULK = 3


class Recipient(Struct, frozen=True, omit_defaults=True, gc=False):
    """The recipient as the caller named them: by identifiers, a contact's id, a session's id."""

    identifiers: tuple[Identifier, ...] = ()
    contact: str | None = None
    session: str | None = None


class Decision(Struct, frozen=True):
    """A line of the history: what was decided, and why, in words."""

    at: datetime
    text: str


class Notification(Struct, frozen=True, omit_defaults=True, gc=False):
    """A message to one recipient. `due_at` is when the rule has to decide next; None when it is complete.

    `lease` is the token of the process that works on it now (until `due_at`), `lane` the queue that it is due in:
    that of its priority, or that of an account which has no room for it yet. `reply_to` makes it a bot's answer
    to that message: it goes out even if the person has asked us to stop, since they have just written.

    accepted: its place in the order of all. person: whose it is, while it is not complete. fifo: the account
    (channel:name) in whose FIFO it waits, since `fifo_since`: messages to one person leave in order.
    marketing: subject to opt-outs from marketing. hours: when it may leave. repeats: a message that may have been sent
    is sent again, as the caller chose.
    asked: the digest of the request, where the id is the caller's own. job_id, job_at: the job that it belongs to, and
    when it was submitted for it.
    operator: who of us wrote it, in a conversation. replay_of: the message that it repeats. repeated_as: the message
    that repeats it.
    callback: where its changes are reported; changes: all of them; untold: how many there are, while some of them have
    not been passed on to the callbacks.
    mistakes: how often an error of our own interrupted the work on it. dead_at: when it ended by somebody's fault.
    tried_at: since when nothing is left to be done, and only receipts are waited for. done_at: since when nothing is.
    """

    id: str
    recipient: Recipient
    steps: tuple[Step, ...]
    created_at: datetime
    expires_at: datetime
    due_at: datetime | None = None
    send_at: datetime | None = None
    hours: Hours | None = None
    priority: Priority = Priority.NORMAL
    accepted: int = 0
    person: str | None = None
    repeats: bool = False
    marketing: bool = False
    status: Status = Status.NEW
    attempts: tuple[Attempt, ...] = ()
    decisions: tuple[Decision, ...] = ()
    reply_to: str | None = None
    bulk_id: str | None = None
    group_id: str | None = None
    job_id: str | None = None
    job_at: datetime | None = None
    callback_data: str | None = None
    callback: Callback | None = None
    operator: str = ""
    changes: tuple[Change, ...] = ()
    untold: int | None = None
    asked: str | None = None
    replay_of: str | None = None
    repeated_as: str | None = None
    lane: str | None = None
    fifo: str | None = None
    fifo_since: datetime | None = None
    mistakes: int = 0
    cancelled_at: datetime | None = None
    tried_at: datetime | None = None
    done_at: datetime | None = None
    dead_at: datetime | None = None
    lease: str | None = None
    version: int = 0

    def last(self, step: int) -> Attempt | None:
        """Return the latest attempt of a step, or None."""
        return next((attempt for attempt in reversed(self.attempts) if attempt.step == step), None)

    def sequence(self, step: int) -> tuple[int, ...]:
        """Return the steps that are tried in turn, this one among them; a required step stands alone."""
        if self.steps[step].required:
            return (step,)
        return tuple(index for index, other in enumerate(self.steps) if not other.required)

    def following(self, step: int) -> tuple[int, ...]:
        """Return the steps that follow if this one fails."""
        return tuple(index for index in self.sequence(step) if index > step)

    def saying(self, at: datetime, text: str) -> "Notification":
        """Return it with one more decision; the same text is not repeated twice in a row."""
        if self.decisions and self.decisions[-1].text == text:
            return self
        return replace(self, decisions=(*self.decisions, Decision(at, text))[-MAX_DECISIONS:])

    def trying(self, attempt: Attempt) -> "Notification":
        """Return it with a new attempt at the end. An earlier one of the same step is no longer retried."""
        before = (_abandon(old, attempt.at) if old.step == attempt.step else old for old in self.attempts)
        attempts = (*before, attempt)
        return replace(self, attempts=attempts, status=_forward(self.status, _status(attempts)))

    def with_attempt(self, index: int, attempt: Attempt) -> "Notification":
        """Return it with attempt `index` replaced, and the status that follows from it."""
        attempts = (*self.attempts[:index], attempt, *self.attempts[index + 1 :])
        status = _forward(self.status, _status(attempts))
        return replace(self, attempts=attempts, status=status, dead_at=self.dead_at if status in _DEAD else None)

    def waiting(self, until: datetime, now: datetime, status: Status, fifo: str) -> "Notification":
        """Return it released until then, in that account's FIFO if one is named."""
        return replace(
            self,
            due_at=until,
            lease=None,
            lane=lane_of(self.priority),
            fifo=fifo or None,
            fifo_since=self.fifo_since_or(fifo, now) if fifo else None,
            status=_forward(self.status, status),
        )

    def parked(self, lane: str, account: str, now: datetime) -> "Notification":
        """Return it released until the account has room: due in its lane, behind those already there."""
        due_at, since = min(self.due_at or now, now), self.fifo_since_or(account, now)
        return replace(self, due_at=due_at, lease=None, lane=lane, fifo=account, fifo_since=since)

    def fifo_since_or(self, account: str, now: datetime) -> datetime:
        """Return since when it has been waiting in this account's FIFO; `now` if it has not."""
        return (self.fifo_since or now) if self.fifo == account else now

    def reschedule(self, now: datetime) -> "Notification":
        """Return it due now: something has happened to it, perhaps after it was complete."""
        return replace(self, due_at=now, lane=lane_of(self.priority), tried_at=None, done_at=None)

    def awaiting_receipts(self, until: datetime, now: datetime) -> "Notification":
        """Return it released until then, with nothing left to be done. It holds nobody up meanwhile."""
        rest = replace(self, person=None, fifo=None, fifo_since=None, lease=None)
        return replace(rest, due_at=until, lane=lane_of(self.priority), tried_at=self.tried_at or now)

    def complete(self, status: Status, at: datetime) -> "Notification":
        """Return it with nothing due any more. A receipt may still move it forward; `done_at` stays."""
        status = _forward(self.status, status)
        dead = status in _DEAD and _at_fault(self, status) and not self.cancelled_at
        dead_at = (self.dead_at or at) if dead else None
        rest = replace(self, due_at=None, lease=None, lane=None, person=None, fifo=None, fifo_since=None)
        return replace(rest, status=status, done_at=self.done_at or at, dead_at=dead_at)


def lane_of(priority: Priority, account: str = "") -> str:
    """Return the queue of a priority; with an account, the queue of messages that wait for room there."""
    return f"{account}/{int(priority)}"


MAX_DECISIONS = 60

_OF_PROGRESS = {
    Progress.SKIPPED: Status.NEW,
    Progress.SENT: Status.SENT,
    Progress.DELIVERED: Status.DELIVERED,
    Progress.READ: Status.READ,
}
_DEAD = {Status.UNDELIVERED, Status.EXPIRED, Status.ERROR}
_ORDER = list(Status)


def mark_unknown(notification: Notification) -> Notification:
    """Return it as its next worker has to see it: attempts that were SENDING become UNKNOWN."""
    for index, attempt in enumerate(notification.attempts):
        if attempt.progress is Progress.SENDING:
            lost = replace(
                attempt,
                progress=Progress.UNKNOWN,
                cause=Cause.AMBIGUOUS,
                reason=ORPHANED,
                tries=attempt.tries + 1,
                unsure_from=attempt.unsure_from or attempt.sent_at,
            )
            notification = notification.with_attempt(index, lost)
    return notification


ORPHANED = "the process that was sending it has ended; it may have been sent"


def _abandon(attempt: Attempt, at: datetime) -> Attempt:
    return replace(attempt, progress=Progress.FAILED, at=at) if attempt.progress is Progress.RETRYING else attempt


def _status(attempts: tuple[Attempt, ...]) -> Status:
    return max((_OF_PROGRESS.get(attempt.progress, Status.PENDING) for attempt in attempts), key=_ORDER.index)


def _at_fault(notification: Notification, status: Status) -> bool:
    """Did it fail for a reason that somebody can fix? People who stopped us or have no address are no such reason."""
    not_faults = {Cause.STOPPED, Cause.WINDOW_CLOSED, None}
    failed = any(attempt.cause not in not_faults for attempt in notification.attempts)
    return failed or status is Status.ERROR or notification.fifo is not None or notification.mistakes > 0


def _forward(old: Status, new: Status) -> Status:
    return max(old, new, key=_ORDER.index)
