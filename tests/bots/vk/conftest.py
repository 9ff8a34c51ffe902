from collections.abc import AsyncIterator

import pytest

from tests.bots.vk.outbound.shelf import Shelf, a_shelf
from tests.bots.vk.pair import Pair, a_bench


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with a_bench() as pair:
        yield pair


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    async with a_shelf() as shelf:
        yield shelf
