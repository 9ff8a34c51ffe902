"""`pytest -m fast` starts nothing: which tests are marked, and which are not."""

import subprocess
from typing import Any

import pytest

from bots.conversation import command
from tests.conftest import demo, mongodb_uri
from tests.support.fast import starts
from tests.support.processes import commands
from tests.support.processes.processes import Worker


def calls_by_way_of_another() -> None:
    starts_a_program()


def starts_a_program() -> None:
    subprocess.run(["true"], check=True)


def starts_in_a_function_within() -> None:
    def inner() -> Worker:
        return Worker("worker", commands.ROOT, {})

    inner()


@pytest.mark.parametrize(
    "thing",
    [mongodb_uri, demo, commands.run, Worker, starts_a_program, calls_by_way_of_another, starts_in_a_function_within],
)
def test_what_starts_something(thing: Any) -> None:
    assert starts(getattr(thing, "_fixture_function", thing))


def test_what_starts_nothing() -> None:
    assert not starts(test_this_one_is_fast)
    assert not starts(command)


def test_this_one_is_fast(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("fast")


def test_one_with_a_database_is_not(request: pytest.FixtureRequest, mongodb_uri: str) -> None:
    assert mongodb_uri
    assert request.node.get_closest_marker("fast") is None
