"""The state of callback receivers' hosts in this process: busy, or left alone for a while. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

AT_ONCE = 20
"""Calls under way to one host: a slow one must not take all the room of the loop."""

AWAY = timedelta(seconds=30)
"""How long a host that keeps failing is left alone: its calls wait, and lose no try by it."""

KNOWN = 1000
"""Hosts that are remembered. Callers choose them."""

SOON = timedelta(seconds=0.5)
"""After which a call is due again that has to wait for others."""


@dataclass
class Host:
    """A receiver's host. failures: those in a row. away_until: until then it is left alone."""

    under_way: int = 0
    failures: int = 0
    away_until: datetime | None = None

    def busy_until(self, now: datetime) -> datetime | None:
        """Return when to try again, or None if the host may be called now."""
        if self.away_until and self.away_until > now:
            return self.away_until
        return now + SOON if self.under_way >= AT_ONCE else None

    def record(self, now: datetime, *, well: bool, most: int) -> None:
        """Record how a call ended. With `most` failures in a row the host is left alone for a while."""
        self.failures = 0 if well else self.failures + 1
        self.away_until = now + AWAY if self.failures >= most else None


@dataclass
class Hosts:
    """The hosts that this process has called, by network location."""

    hosts: dict[str, Host] = field(default_factory=dict)

    def of(self, url: str) -> Host:
        """Return the host of a URL. Beyond KNOWN hosts, those that are not being called are forgotten first."""
        host = self.hosts.setdefault(urlsplit(url).netloc, Host())
        if len(self.hosts) > KNOWN:
            idle = [name for name, other in self.hosts.items() if not other.under_way and other is not host]
            for name in idle[: len(self.hosts) // 2]:
                del self.hosts[name]
        return host
