"""The due queue finds everything that is due, the oldest first, and gives each document to exactly one taker."""

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
from gateway.messages.delivery import recording
from storage.documents.documents import Db
from storage.documents.queue import LOOK_BACK, MARGIN, Due
from storage.documents.trips import Collection
from storage.engine.database import connect, prepare
from storage.messages import notifications

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
LEASE = timedelta(seconds=90)
MILLISECOND, SECOND = timedelta(milliseconds=1), timedelta(seconds=1)
LANES = [lane_of(Priority.NORMAL), lane_of(Priority.BULK), lane_of(Priority.NORMAL, "vk:demo")]

# How long ago a document fell due, in milliseconds: from decades to a moment, at the edges of the ranges that are
# read, and in the future (negative).
AGES = st.sampled_from([10**12, 10**9, 86_400_000, 60_000, 7_000, 5_000, 2_001, 2_000, 1_999, 1, 0, -1, -500, -60_000])
PAUSES = st.sampled_from([0, 1, 10, 500, 2_000, 5_000, 20_000, 3_600_000]).map(lambda number: number * MILLISECOND)


@dataclass
class Queue:
    """The expected state of the queue, beside the collection in the database. `due` is {id: (lane, due_at)}."""

    collection: Collection
    now: datetime = START
    due: dict[str, tuple[str, datetime]] = field(default_factory=dict)

    async def fill(self, ages: list[int], lanes: list[str]) -> None:
        """Add a document of each age (in milliseconds), over the lanes in turn."""
        additions = {
            uuid4().hex: (lanes[number % len(lanes)], self.now - age * MILLISECOND) for number, age in enumerate(ages)
        }
        self.due |= additions
        rows: list[dict[str, Any]] = [
            {"_id": key, "lane": lane, "due_at": at, "version": 1} for key, (lane, at) in additions.items()
        ]
        if rows:
            await self.collection.insert_many(rows)

    async def complete(self, keys: list[str]) -> None:
        """Take these documents out of the queue."""
        await self.collection.update_many({"_id": {"$in": keys}}, {"$unset": {"due_at": "", "lane": "", "lease": ""}})
        for key in keys:
            del self.due[key]

    def expected(self, lane: str) -> list[str]:
        """Return the ids of all that is due in this lane, the oldest first."""
        places = [(at, key) for key, (own_lane, at) in self.due.items() if own_lane == lane and at <= self.now]
        return [key for _, key in sorted(places)]

    def ages(self, keys: list[str]) -> list[datetime]:
        return [self.due[key][1] for key in keys]


ROUNDS = st.lists(
    st.tuples(PAUSES, st.lists(AGES, max_size=12), st.integers(1, 8), st.booleans()), min_size=1, max_size=6
)


def test_everything_that_is_due_is_found_however_the_queue_fills(mongodb_uri: str) -> None:
    """Two readers look in turn, each with marks of its own; neither sees what the other has completed."""
    with asyncio.Runner() as runner:
        db = connect(mongodb_uri, f"test-{uuid4().hex[:12]}")
        runner.run(prepare(db))

        @settings(max_examples=20, deadline=None)
        @given(ROUNDS)
        def play_rounds(rounds: list[tuple[timedelta, list[int], int, bool]]) -> None:
            runner.run(play(db, rounds))

        play_rounds()
        db.client.close()


async def play(db: Db, rounds: list[tuple[timedelta, list[int], int, bool]]) -> None:
    """Play the rounds in fresh lanes, so that one collection serves all examples."""
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
            await truth.complete(found)
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
        await truth.complete(found)
    assert len(seen) == 50


def due_message(number: int, **fields: object) -> Notification:
    step = Step("sms", content=Content("Hello"))
    notification = Notification(
        f"n{number}",
        Recipient(identifiers(phone="+79000000001")),
        (step,),
        START,
        START + 1000 * LEASE,
        due_at=START - number % 7 * SECOND,
        lane=LANES[0],
        accepted=number,
    )
    return replace(notification, **fields)


async def test_each_has_exactly_one_taker(db: Db) -> None:
    """Six workers look for the same work at once, until nothing is left."""
    await recording.add(db, [due_message(number) for number in range(120)])
    claimed_ids: list[str] = []

    async def work(number: int) -> None:
        outbox = notifications.Outbox(db)
        while ids := await outbox.due(LANES[0], START, 10 + number):
            claimed = await outbox.claim(ids, START, LEASE)
            assert [message.accepted for message in claimed] == sorted(message.accepted for message in claimed)
            assert len({message.lease for message in claimed}) <= 1
            assert all(message.due_at == START + LEASE for message in claimed)
            claimed_ids.extend(message.id for message in claimed)

    await asyncio.gather(*[work(number) for number in range(6)])
    assert sorted(claimed_ids) == sorted(f"n{number}" for number in range(120))


async def test_a_lease_that_has_run_out_has_one_taker_again(db: Db) -> None:
    await recording.add(db, [due_message(1)])
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
    """A worker that has read the ids does not claim what another has completed meanwhile."""
    rows = [due_message(1).complete(Status.SENT, START), due_message(2, due_at=START + MILLISECOND), due_message(3)]
    await recording.add(db, rows)
    before = [await notifications.get(db, f"n{number}") for number in (1, 2)]
    outbox = notifications.Outbox(db)
    claimed = await outbox.claim(["n1", "n2", "n3", "never"], START, LEASE)
    assert [message.id for message in claimed] == ["n3"]
    assert [await notifications.get(db, f"n{number}") for number in (1, 2)] == before
    assert await outbox.due(LANES[0], START + 1000 * LEASE, 10) == ["n2", "n3"]


async def test_each_lane_is_a_queue_of_its_own(db: Db) -> None:
    await recording.add(db, [due_message(number, lane=lane) for number, lane in enumerate(LANES)])
    outbox = notifications.Outbox(db)
    assert [await outbox.due(lane, START, 10) for lane in LANES] == [["n0"], ["n1"], ["n2"]]
