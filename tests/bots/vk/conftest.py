from collections.abc import AsyncIterator

import pytest

from tests.bots.vk.pair import Pair, opened_pair
from tests.support.http.file_server import FileServer, opened_file_server


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with opened_pair() as pair:
        yield pair


@pytest.fixture
async def file_server() -> AsyncIterator[FileServer]:
    async with opened_file_server() as file_server:
        yield file_server
