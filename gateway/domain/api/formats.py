"""How the API writes what is no text by itself. Pure."""

from datetime import datetime


def iso(moment: datetime | None) -> str | None:
    """A moment in UTC as ISO 8601, to the millisecond."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None
