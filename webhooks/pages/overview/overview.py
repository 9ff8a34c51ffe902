"""The page of the overview: alarms first, then figures, plots by channel, and where messages find people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from quart import Blueprint, render_template, request
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.roles import Role
from gateway.domain.model.notification import Status
from gateway.runtime.heartbeat import workers
from gateway.runtime.runtime import Runtime
from storage.accounts import flows
from storage.accounts.flows import ENDED, NARROW, TRIED, WIDE, Flow
from storage.messages import notifications
from webhooks.http.context import runtime
from webhooks.http.guard import allow
from webhooks.pages.looks import channel_title, message_status
from webhooks.pages.overview.alarms import alarms, held_accounts
from webhooks.pages.overview.plots import bars, lines
from webhooks.pages.words import clock_time, gettext, moment

blueprint = Blueprint("overview", __name__, url_prefix="/overview")

MOST_DEAD = 1000
"""Dead letters are counted up to this many."""

FAILED = (Status.UNDELIVERED, Status.EXPIRED, Status.ERROR)


@dataclass(frozen=True)
class Period:
    """A time that can be looked at. width: of the stored counts; together: so many of them are one point."""

    length: timedelta
    width: timedelta
    together: int = 1


PERIODS: Mapping[str, Period] = {
    "hour": Period(timedelta(hours=1), NARROW),
    "day": Period(timedelta(days=1), WIDE),
    "week": Period(timedelta(days=7), WIDE, 6),
    "month": Period(timedelta(days=30), WIDE, 24),
}


@blueprint.get("")
@allow(Role.OPERATOR)
@hide
async def show() -> ResponseReturnValue:
    """Show how things are, and how they have been for an hour, a day, a week or a month."""
    gateway, name = runtime(), request.args.get("period", "day")
    period = PERIODS.get(name, PERIODS["day"])
    now = gateway.clock()
    points = await _points(gateway, period, now)
    total = _total([flow for _, flow in points])
    alive, oldest = await workers(gateway), await notifications.oldest_due(gateway.db, now)
    waiting, held = now - oldest if oldest else None, await held_accounts(gateway, now)
    queues = await _queues(gateway, now)
    waits = [now - waits.since for _, waits in held if waits.since]
    return await render_template(
        "overview.html",
        alarms=await alarms(gateway, alive, waiting, held),
        period=name if name in PERIODS else "day",
        periods=_period_words(),
        ended=sum(counts[ENDED] for counts in total.values()),
        failed=sum(counts[status] for counts in total.values() for status in FAILED),
        waiting=max([*waits, *queues.values(), *([waiting] if waiting else [])], default=None),
        queues=queues,
        has_accounts=bool(gateway.channels),
        dead=await notifications.count_dead(gateway.db, MOST_DEAD),
        workers=alive,
        moments=[at for at, _ in points],
        series=(series := _series(points)),
        lines=lines(series, [at for at, _ in points]),
        statuses=(statuses := _by_status(points)),
        status_lines=lines(statuses, [at for at, _ in points]),
        channel_titles={name: channel_title(name) for name in series},
        status_words={name: message_status(name).word for name in statuses},
        bars=bars({channel: (counts[TRIED], counts[ENDED]) for channel, counts in sorted(total.items()) if channel}),
        written=clock_time if period.length <= timedelta(days=1) else moment,
    )


async def _points(gateway: Runtime, period: Period, now: datetime) -> Sequence[tuple[datetime, Flow]]:
    """Return the counts of each point of the plots."""
    counted = await flows.between(gateway.db, now - period.length, now, period.width)
    groups = [counted[start : start + period.together] for start in range(0, len(counted), period.together)]
    return [(group[0][0], _total([flow for _, flow in group])) for group in groups]


async def _queues(gateway: Runtime, now: datetime) -> Mapping[str, timedelta]:
    """Return the accounts for whose room messages wait, and for how long the oldest has."""
    oldest = {name: await notifications.oldest_due(gateway.db, now, name) for name in sorted(gateway.gate.limits)}
    return {name: now - since for name, since in oldest.items() if since}


def _total(all_flows: Sequence[Flow]) -> dict[str, Counter[str]]:
    total: dict[str, Counter[str]] = {}
    for flow in all_flows:
        for channel, counts in flow.items():
            total.setdefault(channel, Counter()).update(counts)
    return total


def _series(points: Sequence[tuple[datetime, Flow]]) -> dict[str, list[int]]:
    """Return how many messages were tried on each channel, point by point."""
    channels = sorted({channel for _, flow in points for channel in flow if channel})
    return {channel: [flow.get(channel, {}).get(TRIED, 0) for _, flow in points] for channel in channels}


def _by_status(points: Sequence[tuple[datetime, Flow]]) -> dict[str, list[int]]:
    """Return how many messages came to each status, point by point; those that failed in any way are one."""
    return {
        name: [sum(counts.get(status, 0) for counts in flow.values() for status in statuses) for _, flow in points]
        for name, statuses in STATUSES.items()
    }


STATUSES: Mapping[str, Sequence[Status]] = {
    **{status.value: (status,) for status in (Status.SENT, Status.DELIVERED, Status.READ)},
    Status.UNDELIVERED.value: FAILED,
}
"""The lines of the plot by status, and the statuses that are counted in each."""


def _period_words() -> Mapping[str, str]:
    return {"hour": gettext("hour"), "day": gettext("day"), "week": gettext("week"), "month": gettext("month")}
