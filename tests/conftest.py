"""Fixtures of all tests: one real database server for the run, a fresh database for each test, the demo environment."""

import asyncio
import logging
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from gateway.runtime.settings.settings import Settings
from storage.documents.documents import Db
from storage.engine.database import connect, prepare
from storage.engine.embedded import embedded
from tests.support.client import ApiClient
from tests.support.fast import is_fast
from tests.support.processes.chromium import BROWSERS
from webhooks.demo.environment import opened_environment


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the siege (see tests/siege) and of the tables that tests hold."""
    group = parser.getgroup("siege", "the siege (pytest -m faults)")
    group.addoption("--cycles", type=int, default=4, help="how many things are broken, one after another")
    group.addoption("--minutes", type=float, default=None, help="break things for so long, instead of by count")
    group.addoption("--seed", type=int, default=1, help="of everything that happens by chance")
    parser.addoption("--job-rows", type=int, default=600, help="rows of the job that is watched through kills")
    parser.addoption(
        "--renew-tables",
        action="store_true",
        help="write the tables that tests hold anew: effects of payloads, operations and fields, facts, the help",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start nothing, for `pytest -m fast`."""
    for item in items:
        if isinstance(item, pytest.Function) and is_fast(item):
            item.add_marker(pytest.mark.fast)


@pytest.fixture(scope="session")
def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield MONGODB_URI if it is set, otherwise the URI of an embedded server."""
    if uri := os.environ.get("MONGODB_URI"):
        yield uri
        return
    with asyncio.Runner() as runner:
        server = embedded(tmp_path_factory.mktemp("database"))
        yield runner.run(server.__aenter__())
        runner.run(server.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the browser's path. Without a browser the test is skipped, but in CI, where that hides bugs, it fails."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None and os.environ.get("CI") == "true":
        pytest.fail(f"CI needs a browser: none of {', '.join(BROWSERS)} is installed")
    return path or pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")


@pytest.fixture
def settings(mongodb_uri: str) -> Settings:
    return Settings(mongodb_uri=mongodb_uri, database=f"test-{uuid4().hex[:12]}")


@pytest.fixture
async def db(settings: Settings) -> AsyncIterator[Db]:
    """Yield a prepared database that only this test uses."""
    database = connect(str(settings.mongodb_uri), settings.database)
    await prepare(database)
    yield database
    database.client.close()


@pytest.fixture
async def demo(settings: Settings) -> AsyncIterator[ApiClient]:
    """Yield an API client of a demo environment: the whole gateway with a simulator for each channel."""
    async with opened_environment(settings) as environment, ApiClient.of(environment) as client:
        yield client


@pytest.fixture
def restored_logging() -> Iterator[None]:
    """Restore the logging set-up of the test run, for a test that configures logging."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers.clear()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
