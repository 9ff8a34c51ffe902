"""A notification: what a caller asked for, for one recipient, and everything that became of it. Pure."""

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
    """As the API says it, ordered by evidence like Progress: a status only moves down this list.

    SCHEDULED: for a later time, as the caller wished. DELAYED: it is not the hour for it where the person lives.
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
    """Who goes first where not all can. An answer to a person never waits behind a mailing.

    URGENT also knows no quiet hours and does not wait for an account that is held while there is another step.
    """

    REPLY = 0
    URGENT = 1
    NORMAL = 2
    BULK = 3


class Recipient(Struct, frozen=True, omit_defaults=True):
    """Whom a notification is for, as the caller named them: by identifiers, a contact's id, a session's id."""

    identifiers: tuple[Identifier, ...] = ()
    contact: str | None = None
    session: str | None = None


class Decision(Struct, frozen=True):
    """A line of the story: what was decided, and why, in words."""

    at: datetime
    text: str


class Notification(Struct, frozen=True, omit_defaults=True):
    """`due_at` is the one clock: the moment at which the rule is to be asked again; None when it is settled.

    `lease` is the token of the process that works on it now (until `due_at`), `lane` the queue that it is due in:
    that of its priority, or that of an account which has no room for it yet. `reply_to` makes it a bot's answer
    to that message: it goes out whatever the person has stopped, since they have just spoken.

    accepted: its place in the order of all. person: whose it is, while it is not complete. fifo: the account
    (channel:name) in whose FIFO it waits, and `fifo_since` since when: those of one person leave in order.
    marketing: people may want none of that, and the rest all the same.
    hours: when it may leave. repeats: what may have been sent is sent again, as the caller wishes.
    asked: the digest of what was asked for, where the id is the caller's own. job_id: whose row it came of, and
    `job_at`, when.
    callback: where its changes are to be told; `changes`: all of them; `untold`: how many there are, while some of them
    have not been handed on.
    mistakes: how often working on it failed by a mistake of ours. dead_at: when it ended by somebody's fault.
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
    changes: tuple[Change, ...] = ()
    untold: int | None = None
    asked: str | None = None
    replay_of: str | None = None
    lane: str | None = None
    fifo: str | None = None
    fifo_since: datetime | None = None
    mistakes: int = 0
    cancelled_at: datetime | None = None
    done_at: datetime | None = None
    dead_at: datetime | None = None
    lease: str | None = None
    version: int = 0

    def last(self, step: int) -> Attempt | None:
        """The latest attempt of a step."""
        return next((attempt for attempt in reversed(self.attempts) if attempt.step == step), None)

    def rungs(self, step: int) -> tuple[int, ...]:
        """The steps that are tried in turn, this one among them; a required step stands alone."""
        if self.steps[step].required:
            return (step,)
        return tuple(index for index, other in enumerate(self.steps) if not other.required)

    def following(self, step: int) -> tuple[int, ...]:
        """The steps that take over if this one does not do."""
        return tuple(index for index in self.rungs(step) if index > step)

    def saying(self, at: datetime, text: str) -> "Notification":
        """With a line more in its story; the same line is not said twice in a row."""
        if self.decisions and self.decisions[-1].text == text:
            return self
        return replace(self, decisions=(*self.decisions, Decision(at, text))[-MAX_DECISIONS:])

    def trying(self, attempt: Attempt) -> "Notification":
        """With a new attempt at the end. One of the same step that was to be tried again is not, then."""
        before = (_given_up(old, attempt.at) if old.step == attempt.step else old for old in self.attempts)
        attempts = (*before, attempt)
        return replace(self, attempts=attempts, status=_forward(self.status, _status(attempts)))

    def with_attempt(self, index: int, attempt: Attempt) -> "Notification":
        """With attempt `index` put in place of the old one, and the status that follows from it."""
        attempts = (*self.attempts[:index], attempt, *self.attempts[index + 1 :])
        status = _forward(self.status, _status(attempts))
        return replace(self, attempts=attempts, status=status, dead_at=self.dead_at if status in _DEAD else None)

    def waiting(self, until: datetime, now: datetime, status: Status, fifo: str) -> "Notification":
        """Out of our hands until then, in that account's FIFO if one is named."""
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
        """Out of our hands until the account has room: due in its lane, behind those that are there."""
        due_at, since = min(self.due_at or now, now), self.fifo_since_or(account, now)
        return replace(self, due_at=due_at, lease=None, lane=lane, fifo=account, fifo_since=since)

    def fifo_since_or(self, account: str, now: datetime) -> datetime:
        """Since when it has been waiting in this account's FIFO; `now` if it has not."""
        return (self.fifo_since or now) if self.fifo == account else now

    def reschedule(self, now: datetime) -> "Notification":
        """To be looked at now: something has happened to it, perhaps after it had been settled."""
        return replace(self, due_at=now, lane=lane_of(self.priority), done_at=None)

    def complete(self, status: Status, at: datetime) -> "Notification":
        """At rest: nothing is due any more. A receipt may still move it forward."""
        status = _forward(self.status, status)
        dead = status in _DEAD and _at_fault(self, status) and not self.cancelled_at
        dead_at = (self.dead_at or at) if dead else None
        rest = replace(self, due_at=None, lease=None, lane=None, person=None, fifo=None, fifo_since=None)
        return replace(rest, status=status, done_at=at, dead_at=dead_at)


def lane_of(priority: Priority, account: str = "") -> str:
    """The queue of a priority; of those that wait for room at an account, if one is named."""
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
    """As it is to be seen by whoever takes it over: what was being sent may have been sent."""
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


def _given_up(attempt: Attempt, at: datetime) -> Attempt:
    return replace(attempt, progress=Progress.FAILED, at=at) if attempt.progress is Progress.RETRYING else attempt


def _status(attempts: tuple[Attempt, ...]) -> Status:
    return max((_OF_PROGRESS.get(attempt.progress, Status.PENDING) for attempt in attempts), key=_ORDER.index)


def _at_fault(notification: Notification, status: Status) -> bool:
    """Did it end badly for a reason that somebody could mend? People who stopped us or have no address are none."""
    nobodys = {Cause.STOPPED, Cause.WINDOW_CLOSED, None}
    failed = any(attempt.cause not in nobodys for attempt in notification.attempts)
    return failed or status is Status.ERROR or notification.fifo is not None or notification.mistakes > 0


def recorded(before: Notification, after: Notification) -> Notification:
    """With the change of its status since `before`, if somebody wants to be told of it."""
    if after.callback is None or after.status is before.status:
        return after
    last = after.attempts[-1] if after.attempts else None
    step = after.steps[last.step] if last else None
    change = Change(
        len(before.changes) + 1,
        before.status,
        after.status,
        at=max(
            [line.at for line in after.decisions] + [attempt.at for attempt in after.attempts], default=after.created_at
        ),
        channel=step.channel if step else None,
        reason=after.decisions[-1].text if after.decisions else "",
        parts=(1 if last.template else step.parts) if step and last else 0,
        price=step.costs(template=last.template) if step and last else None,
    )
    return replace(after, changes=(*before.changes, change), untold=change.sequence)


def _forward(old: Status, new: Status) -> Status:
    return max(old, new, key=_ORDER.index)
