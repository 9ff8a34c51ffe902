"""When a job's messages may leave, as its form asks for it and as its pages say it."""

from collections.abc import Sequence

from gateway.domain.model.job import Job
from gateway.messages.jobs.progress import JobMessage
from webhooks.http.context import runtime
from webhooks.pages.words import gettext, weekdays

WEEK = 7


def in_words(job: Job) -> str:
    """Return the allowed hours, as in 09:00-21:00, Mon-Fri, Europe/Moscow; "" if it may leave at any hour."""
    message = JobMessage.of(job)
    if not message.allowed_time_ranges and not message.weekdays:
        return ""
    ranges = [f"{start}\u2013{end}" for start, end in message.allowed_time_ranges]
    days = _days(sorted(set(message.weekdays)))
    zone = message.timezone or runtime().settings.timezone
    return gettext("May leave: %(hours)s") % {"hours": ", ".join([*ranges, *days, zone])}


def _days(days: Sequence[int]) -> list[str]:
    """Return some days of the week: those that follow one another without a gap as one."""
    names = weekdays()
    if not days or len(days) == WEEK:
        return []
    if len(days) > 2 and days[-1] - days[0] == len(days) - 1:  # noqa: PLR2004 - two days are named
        return [f"{names[days[0] - 1]}\u2013{names[days[-1] - 1]}"]
    return [names[day - 1] for day in days]
