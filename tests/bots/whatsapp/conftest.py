from collections.abc import AsyncIterator

import pytest

from tests.bots.whatsapp.bench import Bench, a_bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with a_bench() as bench:
        yield bench
