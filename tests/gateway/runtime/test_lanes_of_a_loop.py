"""The lanes of a loop: what is in the way of what, and what a failure leaves behind."""

import asyncio
import logging
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.runtime import loop
from gateway.runtime.loop import DEEP, Item, Lane
from storage.engine.database import DatabaseError


class Done:
    """Notes what was done with items, by their ids."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def item(self, name: str, error: Exception | None = None, *, patient: bool = True) -> Item:
        async def note(what: str) -> None:
            self.lines.append(f"{what} {name}")

        async def work() -> None:
            await note("worked on")
            await asyncio.sleep(0)
            if error:
                raise error

        later = None if patient else (lambda: note("put off"))
        return Item(name, "lane", "lease", work, lambda: note("given back"), later)


async def work(lane: Lane, *items: Item) -> None:
    """Work on items that were taken together."""
    await asyncio.gather(*(loop._in_lane(item, lane, lane.left, asyncio.Event(), {}) for item in items))


async def test_no_more_than_five_of_a_person_are_under_way_and_those_put_off_hold_nobody_up() -> None:
    done, lane = Done(), Lane()
    await work(lane, *(done.item(str(number), patient=False) for number in range(7)))
    assert done.lines == ["worked on 0", "put off 5", "put off 6", *(f"worked on {number}" for number in range(1, 5))]
    assert (lane.waiting, lane.left, DEEP) == (0, 0, 5)


@pytest.mark.parametrize("error", [ValueError("ours"), DatabaseError("away")])
async def test_behind_one_that_fails_the_others_go_back_and_the_lane_goes_on(error: Exception) -> None:
    done, lane = Done(), Lane()
    await work(lane, done.item("1", error), done.item("2"))
    assert (done.lines, lane.left) == (["worked on 1", "given back 2"], 2)
    await work(lane, done.item("3"))
    assert done.lines[-1] == "worked on 3"


async def test_what_does_not_end_is_told_and_left(caplog: pytest.LogCaptureFixture) -> None:
    runtime: Any = SimpleNamespace(settings=SimpleNamespace(stop_within=timedelta(seconds=0.1)))
    caplog.set_level(logging.WARNING)
    await loop._finish(runtime, "inbox", {})
    assert caplog.messages == []
    hanging = asyncio.create_task(asyncio.sleep(600))
    await loop._finish(runtime, "inbox", {hanging: Done().item("1")})
    assert caplog.messages == ["inbox: 1 are left as they are, since we have to end"]
    assert hanging.cancelled()
