"""Many callers share few trips to the database: each gets its own answer, and a failing one harms nobody."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from pymongo.errors import AutoReconnect, DocumentTooLarge

from storage.documents.documents import Db
from storage.documents.trips import MOST, Shared, Swap, Together

MANY = 2 * MOST + 20
NOW = datetime(2026, 5, 1, tzinfo=UTC)


class Trips:
    """A service that doubles numbers, breaks on a negative one and loses its connection on zero."""

    def __init__(self) -> None:
        self.batches: list[Sequence[int]] = []
        self.together = Together(self._serve)

    async def _serve(self, numbers: Sequence[int]) -> Sequence[int]:
        self.batches.append(numbers)
        await asyncio.sleep(0)
        if any(number < 0 for number in numbers):
            raise DocumentTooLarge("a negative number")
        if 0 in numbers:
            raise AutoReconnect("gone")
        return [2 * number for number in numbers]


async def test_those_who_ask_together_share_trips() -> None:
    trips = Trips()
    answers = await asyncio.gather(*(trips.together(number) for number in range(1, MANY + 1)))
    assert answers == [2 * number for number in range(1, MANY + 1)]
    assert [len(trip) for trip in trips.batches] == [MOST, MOST, 20]


async def test_a_question_that_breaks_is_told_so_and_the_others_are_answered() -> None:
    trips = Trips()
    answers = await asyncio.gather(*(trips.together(n) for n in (1, -1, 2)), return_exceptions=True)
    assert (answers[0], answers[2]) == (2, 4)
    assert isinstance(answers[1], DocumentTooLarge)


async def test_when_the_database_is_gone_nobody_is_served_one_by_one() -> None:
    trips = Trips()
    answers = await asyncio.gather(*(trips.together(n) for n in (1, 0, 2)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [AutoReconnect] * 3
    assert len(trips.batches) == 1
    assert await trips.together(4) == 8


async def test_who_goes_away_does_not_disturb_the_others() -> None:
    trips = Trips()
    tasks = [asyncio.create_task(trips.together(number)) for number in (1, 2, 3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert (answers[0], type(answers[1]), answers[2]) == (2, asyncio.CancelledError, 6)


async def test_of_swaps_of_one_document_one_wins(db: Db) -> None:
    """It also holds for swaps that would write the very same thing, and beside swaps of other documents."""
    shared = db.shared("sessions")
    for key in ("a", "b", "c"):
        assert await shared.insert({"_id": key, "version": 1, "at": NOW})
    assert not await shared.insert({"_id": "a", "version": 1})
    swaps = [Swap("version", 1, {"_id": key, "version": 2}) for key in ("a", "b", "a")]
    gone = Swap("version", 1, {"_id": "nobody", "version": 2})
    late = Swap("version", 7, {"_id": "c", "version": 8})
    assert await asyncio.gather(*map(shared.swap, [*swaps, gone, late])) == [True, True, False, False, False]
    stored = await asyncio.gather(*map(shared.get, ("a", "b", "c", "nobody")))
    assert [document and document["version"] for document in stored] == [2, 2, 1, None]


async def test_two_processes_never_both_win(db: Db) -> None:
    """Each process counts the swaps that it has won against the others; the sum is what is stored."""
    keys = [f"k{index}" for index in range(20)]
    await asyncio.gather(*(db.shared("rate_limits").insert({"_id": key, "n": 0}) for key in keys))
    processes = [Shared(db["rate_limits"]) for _ in range(3)]
    wins = await asyncio.gather(*(_count_up(process, key) for process in processes for key in keys))
    stored = await asyncio.gather(*map(db.shared("rate_limits").get, keys))
    assert sum(wins) == sum(document["n"] for document in stored if document) == 3 * 5 * len(keys)


async def _count_up(shared: Shared, key: str) -> int:
    """Increment `n` five times. Returns how many of the swaps were won."""
    wins = 0
    while wins < 5:
        document = await shared.get(key)
        assert document
        wins += await shared.swap(Swap("n", document["n"], {"_id": key, "n": document["n"] + 1}))
    return wins


@pytest.mark.parametrize("field", ["_id", "contact"])
async def test_each_gets_what_it_asked_for(db: Db, field: str) -> None:
    shared = db.shared("sessions")
    rows = [{"_id": f"s{index}", "contact": f"c{index % 10}", "name": "x"} for index in range(40)]
    assert all(await asyncio.gather(*map(shared.insert, rows)))
    values = sorted({row[field] for row in rows})
    found = await asyncio.gather(*(shared.find(field, value, ["name"]) for value in [*values, "nobody"]))
    assert {document[field] for documents in found for document in documents} == set(values)
    assert [len(documents) for documents in found] == [len(rows) // len(values)] * len(values) + [0]
    assert all(document["name"] == "x" for documents in found for document in documents)
    assert ("contact" in found[0][0]) is (field == "contact")


async def test_each_gets_what_there_is_of_its_own_keys_in_their_order(db: Db) -> None:
    await db["x"].insert_many([{"_id": str(number)} for number in range(5)])
    shared = Shared(db["x"])
    queries = [["3", "1", "none"], [], ["1"], ["none"], ["0", "4", "3"]]
    answers = await asyncio.gather(*map(shared.several, queries))
    assert [[document["_id"] for document in documents] for documents in answers] == [
        ["3", "1"],
        [],
        ["1"],
        [],
        ["0", "4", "3"],
    ]
