"""A process that has just started finds what is due with few queries, however old or empty the queue is."""

from datetime import UTC, datetime, timedelta

import pytest
from pymongo import monitoring

from gateway.domain.model.notification import Notification, Recipient
from gateway.messages.delivery import recording
from storage.documents.documents import Db
from storage.messages.notifications import Outbox

NOW = datetime.now(UTC).replace(microsecond=0)
FEW = 4


class FindCounter(monitoring.CommandListener):
    """Counts the finds of each database."""

    def __init__(self) -> None:
        self.finds: dict[str, int] = {}

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name == "find":
            self.finds[event.database_name] = self.finds.get(event.database_name, 0) + 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


COUNTER = FindCounter()
monitoring.register(COUNTER)


async def test_an_empty_lane_costs_little(db: Db) -> None:
    assert await Outbox(db).due("/2", NOW, 100) == []
    assert COUNTER.finds[db.name] <= FEW


@pytest.mark.parametrize("ago", [timedelta(milliseconds=1), timedelta(seconds=90), timedelta(days=400)])
async def test_what_is_due_is_found_however_old_it_is(db: Db, ago: timedelta) -> None:
    notification = Notification(
        "n1", Recipient(), (), created_at=NOW - ago, expires_at=NOW, due_at=NOW - ago, lane="/2", accepted=1
    )
    await recording.add(db, [notification])
    assert await Outbox(db).due("/2", NOW, 100) == ["n1"]
