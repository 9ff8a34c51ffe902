"""Tests that mailings give way while the event loop is late, and only they."""

import pytest

from gateway.runtime.limits.pace import LATE, LEAST, MOST, Pace
from tests.support.client import PHONE, ApiClient
from tests.support.jobs import create_job, move, wait_for_counts
from tests.support.workload import accepted_messages, phone

HELD = 1.0
"""Seconds for which the stand-in for the provider holds each call."""


def room(pace: Pace) -> int:
    return pace.free(frozenset())


def grown() -> Pace:
    """Return a pace with all the room there can be."""
    pace = Pace()
    pace.begin(map(str, range(MOST)))
    for _ in range(MOST):
        pace.adjust(LATE / 2)
    return pace


def test_there_is_more_room_while_the_loop_is_on_time_and_less_while_it_is_late() -> None:
    pace = grown()
    assert room(pace) == MOST
    for _ in range(100):
        pace.adjust(10 * LATE)
    assert room(pace) == LEAST


def test_room_that_nobody_uses_does_not_grow() -> None:
    pace = Pace()
    for _ in range(1000):
        pace.adjust(0)
    assert room(pace) == LEAST


def test_one_late_moment_changes_nothing() -> None:
    pace = grown()
    pace.adjust(2 * LATE)
    assert room(pace) == MOST


def test_what_is_under_way_takes_room_until_it_ends() -> None:
    pace, keys = Pace(), [str(number) for number in range(LEAST)]
    pace.begin(keys)
    assert pace.free(frozenset(keys)) == 0
    wanted = [pace.end(key) for key in keys]
    assert (wanted.index(True), wanted.count(True)) == (LEAST // 2 - 1, 1)
    pace.begin(keys)
    assert pace.free(frozenset(keys[:5])) == LEAST - 5  # the others are not worked on any more, whatever became of them


async def test_a_mailing_gives_way_and_nobody_else(demo: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that end within the time for which each is held were all under way at once."""
    adjust = Pace.adjust
    monkeypatch.setattr(Pace, "adjust", lambda self, _: adjust(self, 1.0))
    simulators, people = demo.environment.simulators, 4 * LEAST
    simulators["sms"].faults.answer_after = HELD
    job = await create_job(demo, map(phone, range(people)))
    await move(demo, job, "start")
    await simulators["telegram"].say(simulators["telegram"].user_of(PHONE), "/start")
    await demo.answer("telegram", 0)
    assert len(accepted_messages(demo, "sms")) <= LEAST
    await wait_for_counts(demo, job, DELIVERED=people)
    moments = sorted(message.at.timestamp() for message in accepted_messages(demo, "sms"))
    assert max(sum(at <= other < at + 0.9 * HELD for other in moments) for at in moments) <= LEAST
