"""One real database server for the whole run, a fresh database for each test, and a town to play in."""

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
    """How long the siege is: see tests/siege."""
    group = parser.getgroup("siege", "the siege (pytest -m faults)")
    group.addoption("--cycles", type=int, default=4, help="how many things are broken, one after another")
    group.addoption("--minutes", type=float, default=None, help="break things for so long, instead of by count")
    group.addoption("--seed", type=int, default=1, help="of everything that happens by chance")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start nothing, for `pytest -m fast`."""
    for item in items:
        if isinstance(item, pytest.Function) and is_fast(item):
            item.add_marker(pytest.mark.fast)


@pytest.fixture(scope="session")
def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """MONGODB_URI if it is set, else the embedded server."""
    if given := os.environ.get("MONGODB_URI"):
        yield given
        return
    with asyncio.Runner() as runner:
        server = embedded(tmp_path_factory.mktemp("database"))
        yield runner.run(server.__aenter__())
        runner.run(server.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path. Without one its tests skip, but never in CI, where that would hide a broken page."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None and os.environ.get("CI") == "true":
        pytest.fail(f"CI needs a browser: none of {', '.join(BROWSERS)} is installed")
    return found or pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")


@pytest.fixture
def settings(mongodb_uri: str) -> Settings:
    return Settings(mongodb_uri=mongodb_uri, database=f"test-{uuid4().hex[:12]}")


@pytest.fixture
async def db(settings: Settings) -> AsyncIterator[Db]:
    """A database of this test's own."""
    database = connect(str(settings.mongodb_uri), settings.database)
    await prepare(database)
    yield database
    database.client.close()


@pytest.fixture
async def demo(settings: Settings) -> AsyncIterator[ApiClient]:
    async with opened_environment(settings) as opened, ApiClient.of(opened) as client:
        yield client


@pytest.fixture
def unheard() -> Iterator[None]:
    """Puts back how the tests themselves log."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers.clear()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
