"""A demo that keeps what people send."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from msgspec.structs import replace

from gateway.runtime.settings.settings import Settings
from tests.support.client import ApiClient
from webhooks.demo.environment import opened_environment

MONTH = timedelta(days=30)


@pytest.fixture
async def keeping(settings: Settings) -> AsyncIterator[ApiClient]:
    """Yield an API client of a demo that keeps people's files."""
    settings = replace(settings, media_kept=MONTH)
    async with opened_environment(settings) as environment, ApiClient.of(environment) as client:
        yield client
