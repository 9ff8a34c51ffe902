from collections.abc import AsyncIterator

import pytest

from tests.bots.vk.bench import Bench, a_bench
from tests.bots.vk.outbound.shelf import Shelf, a_shelf


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with a_bench() as bench:
        yield bench


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    async with a_shelf() as shelf:
        yield shelf
