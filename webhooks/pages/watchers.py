"""Who else has a thing before them at this moment, as far as this process has their streams."""

from collections.abc import Sequence
from typing import Protocol

from quart import current_app

HINTS = "hints"
"""Under which name the app keeps what is watched."""


class Watchers(Protocol):
    """What knows who watches a topic."""

    def others(self, name: str, user: str) -> Sequence[str]:
        """Return which other users watch a topic here."""


def others_here(topic: str, user: str) -> Sequence[str]:
    """Return which other users watch a topic in this process."""
    watchers: Watchers | None = current_app.extensions.get(HINTS)
    return watchers.others(topic, user) if watchers else []
