"""When a message may leave and how long it is worth anything, as the caller wishes. Pure."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from msgspec import structs

from gateway.domain.api.request import Destination, MessageInput, RequestError
from gateway.domain.channel.web import callback_problem
from gateway.domain.model.change import Callback
from gateway.domain.model.notification import Notification, Priority, Status, lane_of
from gateway.domain.terms.hours import Hours, is_zone, opens_at, read_ranges
from gateway.runtime.settings.settings import Settings

FURTHEST = timedelta(days=366)
"""How far ahead a message may be scheduled."""

MANY = 20
"""A request with more destinations is a mailing, unless it says otherwise: it lets single messages go first."""

SPREAD = 10
"""So many of one request become due in the same millisecond: a queue is read in narrow ranges of time."""


@dataclass(frozen=True)
class Terms:
    """`begins_at`: when it is due first. `ranges` and `weekdays` are those of gateway.domain.terms.hours."""

    accepted_at: datetime
    begins_at: datetime
    expires_at: datetime
    send_at: datetime | None
    priority: Priority
    ranges: tuple[tuple[time, time], ...]
    weekdays: tuple[int, ...]
    zone: str
    warnings: list[str] = field(default_factory=list)

    def hours(self, destination: Destination) -> Hours | None:
        """The hours in the recipient's own time; None where all are. Raises RequestError."""
        if destination.timezone and not is_zone(destination.timezone):
            raise _no_zone()
        if not (self.ranges or self.weekdays):
            return None
        return Hours(destination.timezone or self.zone, self.ranges, self.weekdays)

    def told(self, hours: Hours | None) -> list[str]:
        """What the caller should know of it."""
        if hours and self.priority is Priority.URGENT:
            return [*self.warnings, "it is urgent, so it leaves at any hour"]
        if hours and opens_at(hours, self.begins_at) >= self.expires_at:
            return [*self.warnings, "validityPeriod is over before the first hour at which it may leave"]
        return self.warnings

    def under(self, notification: Notification, hours: Hours | None, number: int) -> Notification:
        """The notification under these terms; `number`: which of the request's it is."""
        return structs.replace(
            notification,
            expires_at=self.expires_at,
            due_at=self.begins_at + timedelta(milliseconds=number // SPREAD),
            send_at=self.send_at,
            hours=hours,
            priority=self.priority,
            lane=lane_of(self.priority),
            status=Status.SCHEDULED if self.send_at else Status.NEW,
        )


def read_terms(asked: MessageInput, many: int, zone: str, now: datetime) -> Terms:
    """The terms of a message in a request of so many; `zone` is ours, where nobody names one. Raises RequestError."""
    if asked.timezone and not is_zone(asked.timezone):
        raise _no_zone()
    try:
        ranges = read_ranges(asked.allowed_time_ranges)
    except ValueError as error:
        raise RequestError("invalid", str(error), "allowedTimeRanges") from None
    begins_at, warnings = _begins_at(asked.send_at, now)
    return Terms(
        now,
        begins_at,
        begins_at + timedelta(minutes=asked.validity_period),
        None if begins_at == now else begins_at,
        Priority[asked.priority.upper()] if asked.priority else Priority.BULK if many > MANY else Priority.NORMAL,
        ranges,
        tuple(sorted(set(asked.weekdays))),
        asked.timezone or zone,
        warnings,
    )


def read_callback(asked: MessageInput, settings: Settings) -> Callback | None:
    """Where its changes are to be told. Raises RequestError."""
    url = asked.callback_url
    if url is None:
        return None
    if not settings.callback_secrets:
        raise RequestError("no_secret", "callbacks are not set up here: set GATEWAY_CALLBACK_SECRET", "callbackUrl")
    if problem := callback_problem(url, private=settings.private_callbacks):
        raise RequestError("bad_url", problem, "callbackUrl")
    return Callback(url, asked.callback_events)


def _begins_at(asked: datetime | None, now: datetime) -> tuple[datetime, list[str]]:
    if asked is None:
        return now, []
    try:
        moment = asked.astimezone(UTC)
    except OverflowError:  # at the edges of the calendar
        raise RequestError("invalid", "there is no such moment", "sendAt") from None
    if moment > now + FURTHEST:
        raise RequestError("invalid", f"at most {FURTHEST.days} days ahead", "sendAt")
    if moment <= now:
        return now, ["sendAt is over, so it is sent at once"]
    return moment, []


def _no_zone() -> RequestError:
    return RequestError("unknown_timezone", "a time zone is named as IANA does, as in Europe/Moscow", "timezone")
