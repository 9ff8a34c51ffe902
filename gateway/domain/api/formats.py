"""Formats of values that are no text by themselves, as the API writes them. Pure."""

from datetime import datetime


def iso(moment: datetime | None) -> str | None:
    """Return a moment in UTC as ISO 8601 with milliseconds, or None for None."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None
