"""The due queue finds everything that is due, the oldest first, and gives each to one taker, however it fills."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.domain.model.attempt import Step
from gateway.domain.model.identifier import identifiers
from gateway.domain.model.notification import Notification, Priority, Recipient, Status, lane_of
from gateway.domain.model.nouns import Content
from storage.documents.documents import Db
from storage.documents.queue import LOOK_BACK, MARGIN, Due
from storage.documents.trips import Collection
from storage.engine.database import connect, prepare
from storage.messages import notifications

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
LEASE = timedelta(seconds=90)
MILLISECOND, SECOND = timedelta(milliseconds=1), timedelta(seconds=1)
LANES = [lane_of(Priority.NORMAL), lane_of(Priority.BULK), lane_of(Priority.NORMAL, "vk:demo")]

# How long ago it falls due, in milliseconds: from decades to a moment, at the edges of what is looked at, and to come.
AGES = st.sampled_from([10**12, 10**9, 86_400_000, 60_000, 7_000, 5_000, 2_001, 2_000, 1_999, 1, 0, -1, -500, -60_000])
PAUSES = st.sampled_from([0, 1, 10, 500, 2_000, 5_000, 20_000, 3_600_000]).map(lambda number: number * MILLISECOND)


@dataclass
class Queue:
    """The truth, beside what is asked of the database."""

    collection: Collection
    now: datetime = START
    due: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    async def fill(self, ages: list[int], lanes: list[str]) -> None:
        added = {
            uuid4().hex: (lanes[number % len(lanes)], self.now - age * MILLISECOND) for number, age in enumerate(ages)
        }
        self.due |= added
        rows: list[dict[str, Any]] = [
            {"_id": key, "lane": lane, "due_at": at, "version": 1} for key, (lane, at) in added.items()
        ]
        if rows:
            await self.collection.insert_many(rows)

    async def settle(self, keys: list[str]) -> None:
        await self.collection.update_many({"_id": {"$in": keys}}, {"$unset": {"due_at": "", "lane": "", "lease": ""}})
        for key in keys:
            del self.due[key]

    def expected(self, lane: str) -> list[str]:
        """All that is due there, the oldest first."""
        found = [(at, key) for key, (where, at) in self.due.items() if where == lane and at <= self.now]
        return [key for _, key in sorted(found)]

    def ages(self, keys: list[str]) -> list[datetime]:
        return [self.due[key][1] for key in keys]


ROUNDS = st.lists(
    st.tuples(PAUSES, st.lists(AGES, max_size=12), st.integers(1, 8), st.booleans()), min_size=1, max_size=6
)


def test_everything_that_is_due_is_found_however_the_queue_fills(mongodb_uri: str) -> None:
    """Two readers look in turn, each with marks of its own; what one has settled the other does not see."""
    with asyncio.Runner() as runner:
        db = connect(mongodb_uri, f"test-{uuid4().hex[:12]}")
        runner.run(prepare(db))

        @settings(max_examples=20, deadline=None)
        @given(ROUNDS)
        def plays(rounds: list[tuple[timedelta, list[int], int, bool]]) -> None:
            runner.run(play(db, rounds))

        plays()
        db.client.close()


async def play(db: Db, rounds: list[tuple[timedelta, list[int], int, bool]]) -> None:
    """A fresh set of lanes each time, so that one collection does for all."""
    lanes, truth = [f"{lane}-{uuid4().hex[:6]}" for lane in LANES[:2]], Queue(db["notifications"])
    readers = [Due(db["notifications"]) for _ in range(2)]
    for pause, ages, limit, swapped in rounds:
        truth.now += pause
        await truth.fill([age for age in ages if age <= 0 or age < MARGIN / MILLISECOND], lanes)
        for lane in lanes:
            due, expected = readers[swapped], truth.expected(lane)
            found = await due.ids(lane, truth.now, limit)
            assert truth.ages(found) == truth.ages(expected[:limit])
            assert len(set(found)) == len(found)
            await truth.settle(found)
    await truth.fill([10**12, 10**9, 60_000, 5_000], lanes)
    truth.now += LOOK_BACK
    for reader, lane in product(readers, lanes):
        assert sorted(await reader.ids(lane, truth.now, 1000)) == sorted(truth.expected(lane))


@pytest.mark.parametrize("age", [MARGIN, MARGIN + MILLISECOND, 60 * SECOND, timedelta(days=9000)])
async def test_what_falls_due_behind_our_back_is_found_soon(db: Db, age: timedelta) -> None:
    reader, truth = Due(db["notifications"]), Queue(db["notifications"])
    lane, found = LANES[0], list[str]()
    assert await reader.ids(lane, truth.now, 10) == []
    await truth.fill([age // MILLISECOND], [lane])
    began = truth.now
    while not found:
        truth.now += SECOND
        found = await reader.ids(lane, truth.now, 10)
        assert truth.now <= began + LOOK_BACK
    assert found == list(truth.due)


async def test_what_falls_due_within_the_margin_is_found_at_once(db: Db) -> None:
    """Another machine's clock is a little behind ours."""
    reader, truth = Due(db["notifications"]), Queue(db["notifications"])
    assert await reader.ids(LANES[0], truth.now, 10) == []
    await truth.fill([1999, 1, 0], [LANES[0]])
    assert await reader.ids(LANES[0], truth.now, 10) == truth.expected(LANES[0])


async def test_a_clock_that_is_put_back_hides_nothing(db: Db) -> None:
    reader, truth = Due(db["notifications"]), Queue(db["notifications"])
    assert await reader.ids(LANES[0], truth.now + timedelta(days=2), 10) == []
    await truth.fill([1000, 0], [LANES[0]])
    assert await reader.ids(LANES[0], truth.now, 10) == truth.expected(LANES[0])


async def test_what_is_due_at_one_moment_comes_in_several_helpings(db: Db) -> None:
    reader, truth = Due(db["notifications"]), Queue(db["notifications"])
    await truth.fill([60_000] * 50, [LANES[0]])
    seen = set[str]()
    while found := await reader.ids(LANES[0], truth.now, 7):
        assert len(found) <= 7
        assert not seen & set(found)
        seen |= set(found)
        await truth.settle(found)
    assert len(seen) == 50


def asked(number: int, **fields: object) -> Notification:
    step = Step("sms", content=Content("Hello"))
    asked = Notification(
        f"n{number}",
        Recipient(identifiers(phone="+79000000001")),
        (step,),
        START,
        START + 1000 * LEASE,
        due_at=START - number % 7 * SECOND,
        lane=LANES[0],
        accepted=number,
    )
    return replace(asked, **fields)


async def test_each_has_exactly_one_taker(db: Db) -> None:
    """Six processes look for the same work at once, until nothing is left."""
    await notifications.add(db, [asked(number) for number in range(120)])
    taken: list[str] = []

    async def works(number: int) -> None:
        outbox = notifications.Outbox(db)
        while ids := await outbox.due(LANES[0], START, 10 + number):
            claimed = await outbox.claim(ids, START, LEASE)
            assert [one.accepted for one in claimed] == sorted(one.accepted for one in claimed)
            assert len({one.lease for one in claimed}) <= 1
            assert all(one.due_at == START + LEASE for one in claimed)
            taken.extend(one.id for one in claimed)

    await asyncio.gather(*[works(number) for number in range(6)])
    assert sorted(taken) == sorted(f"n{number}" for number in range(120))


async def test_a_lease_that_has_run_out_has_one_taker_again(db: Db) -> None:
    await notifications.add(db, [asked(1)])
    outbox = notifications.Outbox(db)
    (first,) = await outbox.claim(["n1"], START, LEASE)
    assert await outbox.claim(["n1"], START + LEASE - MILLISECOND, LEASE) == []
    assert await outbox.due(LANES[0], START + LEASE - MILLISECOND, 10) == []
    assert await outbox.due(LANES[0], START + LEASE, 10) == ["n1"]
    takers = await asyncio.gather(*[outbox.claim(["n1"], START + LEASE, LEASE) for _ in range(5)])
    ((second,),) = [claimed for claimed in takers if claimed]
    assert second.lease != first.lease
    assert second.version == first.version + 1


async def test_nothing_that_is_settled_or_not_due_yet_is_claimed(db: Db) -> None:
    """Whoever read the ids before does not take what somebody else has settled meanwhile."""
    rows = [asked(1).complete(Status.SENT, START), asked(2, due_at=START + MILLISECOND), asked(3)]
    await notifications.add(db, rows)
    before = [await notifications.get(db, f"n{number}") for number in (1, 2)]
    outbox = notifications.Outbox(db)
    claimed = await outbox.claim(["n1", "n2", "n3", "never"], START, LEASE)
    assert [one.id for one in claimed] == ["n3"]
    assert [await notifications.get(db, f"n{number}") for number in (1, 2)] == before
    assert await outbox.due(LANES[0], START + 1000 * LEASE, 10) == ["n2", "n3"]


async def test_each_lane_is_a_queue_of_its_own(db: Db) -> None:
    await notifications.add(db, [asked(number, lane=lane) for number, lane in enumerate(LANES)])
    outbox = notifications.Outbox(db)
    assert [await outbox.due(lane, START, 10) for lane in LANES] == [["n0"], ["n1"], ["n2"]]
