"""The terms of a message: when it may leave, with what priority, and how long it is valid. Pure."""

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
"""A request with more destinations is a bulk, unless it says otherwise: single messages go first."""

SPREAD = 10
"""Messages of one request that become due in the same millisecond: a queue is read in narrow ranges of time."""


@dataclass(frozen=True)
class Terms:
    """The terms of a message.

    begins_at: when it is due first. send_at: the same, if the caller scheduled it. ranges, weekdays: those of
    gateway.domain.terms.hours. zone: the time zone for recipients without one. warnings: for the caller.
    """

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
        """Return the allowed hours in the recipient's own time; None where all are allowed. Raises RequestError."""
        if destination.timezone and not is_zone(destination.timezone):
            raise _unknown_zone()
        if not (self.ranges or self.weekdays):
            return None
        return Hours(destination.timezone or self.zone, self.ranges, self.weekdays)

    def warnings_for(self, hours: Hours | None) -> list[str]:
        """Return the warnings for a recipient with these hours."""
        if hours and self.priority is Priority.URGENT:
            return [*self.warnings, "it is urgent, so it leaves at any hour"]
        if hours and opens_at(hours, self.begins_at) >= self.expires_at:
            return [*self.warnings, "validityPeriod is over before the first hour at which it may leave"]
        return self.warnings

    def apply(self, notification: Notification, hours: Hours | None, number: int) -> Notification:
        """Return the notification under these terms; it is the request's number `number`."""
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


def read_terms(request: MessageInput, many: int, zone: str, now: datetime) -> Terms:
    """Return the terms of a message in a request with so `many` destinations. Raises RequestError.

    zone: the time zone where neither the recipient nor the message names one.
    """
    if request.timezone and not is_zone(request.timezone):
        raise _unknown_zone()
    try:
        ranges = read_ranges(request.allowed_time_ranges)
    except ValueError as error:
        raise RequestError("invalid", str(error), "allowedTimeRanges") from None
    begins_at, warnings = _begins_at(request.send_at, now)
    return Terms(
        now,
        begins_at,
        begins_at + timedelta(minutes=request.validity_period),
        None if begins_at == now else begins_at,
        Priority[request.priority.upper()] if request.priority else Priority.BULK if many > MANY else Priority.NORMAL,
        ranges,
        tuple(sorted(set(request.weekdays))),
        request.timezone or zone,
        warnings,
    )


def read_callback(request: MessageInput, settings: Settings) -> Callback | None:
    """Return where status changes are posted; None for nowhere. Raises RequestError."""
    url = request.callback_url
    if url is None:
        return None
    if not settings.callback_secrets:
        raise RequestError("no_secret", "callbacks are not set up here: set GATEWAY_CALLBACK_SECRET", "callbackUrl")
    if problem := callback_problem(url, private=settings.private_callbacks):
        raise RequestError("bad_url", problem, "callbackUrl")
    return Callback(url, request.callback_events)


def _begins_at(send_at: datetime | None, now: datetime) -> tuple[datetime, list[str]]:
    if send_at is None:
        return now, []
    try:
        moment = send_at.astimezone(UTC)
    except OverflowError:  # at the edges of the calendar
        raise RequestError("invalid", "there is no such moment", "sendAt") from None
    if moment > now + FURTHEST:
        raise RequestError("invalid", f"at most {FURTHEST.days} days ahead", "sendAt")
    if moment <= now:
        return now, ["sendAt is over, so it is sent at once"]
    return moment, []


def _unknown_zone() -> RequestError:
    return RequestError("unknown_timezone", "a time zone is named as IANA does, as in Europe/Moscow", "timezone")
