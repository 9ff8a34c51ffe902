from collections.abc import AsyncIterator

import pytest

from tests.bots.whatsapp.pair import Pair, a_bench


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with a_bench() as pair:
        yield pair
