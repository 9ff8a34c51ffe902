from collections.abc import AsyncIterator

import pytest

from tests.bots.whatsapp.pair import Pair, opened_pair


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with opened_pair() as pair:
        yield pair
