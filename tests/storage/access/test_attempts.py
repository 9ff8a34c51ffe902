"""Tests that attempts to sign in are counted one by one, however many come at once."""

import asyncio
from datetime import UTC, datetime, timedelta

from storage.access.users import count_attempt
from storage.documents.documents import Db

WINDOW = timedelta(minutes=15)


async def test_each_of_many_attempts_at_once_has_a_count_of_its_own(db: Db) -> None:
    now = datetime(2026, 11, 30, tzinfo=UTC)
    counts = await asyncio.gather(*(count_attempt(db, "anna", now, WINDOW) for _ in range(55)))
    assert sorted(counts) == list(range(1, 56))
    later = now + WINDOW
    assert [await count_attempt(db, "anna", later, WINDOW), await count_attempt(db, "anna", later, WINDOW)] == [1, 2]
