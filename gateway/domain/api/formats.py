"""Formats of values that are no text by themselves, as the API writes them. Pure."""

from datetime import datetime

from gateway.domain.model.nouns import Progress

STEP_STATUS = {
    Progress.SKIPPED: "SKIPPED",
    Progress.RETRYING: "PENDING",
    Progress.SENDING: "PENDING",
    Progress.UNKNOWN: "UNKNOWN",
    Progress.SENT: "SENT",
    Progress.FAILED: "UNDELIVERED",
    Progress.DELIVERED: "DELIVERED",
    Progress.READ: "READ",
}
"""The status of a step, by the progress of its attempt."""


def iso(moment: datetime | None) -> str | None:
    """Return a moment in UTC as ISO 8601 with milliseconds, or None for None."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None
