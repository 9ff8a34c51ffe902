"""Tests that the garbage collector passes over what lives as long as the process, whichever way it was started."""

import asyncio
import gc
from collections.abc import Iterator

import pytest

from gateway.cli import processes
from gateway.runtime.settings.settings import Settings
from webhooks.app import create_app
from webhooks.demo.demo import demo


@pytest.fixture(autouse=True)
def unspared() -> Iterator[None]:
    """Let the collector look at everything again, before and after."""
    gc.unfreeze()
    yield
    gc.unfreeze()


def is_spared() -> bool:
    """Tell whether the collector passes over most of what there is."""
    return gc.get_freeze_count() > 10 * len(gc.get_objects())


async def test_the_commands_pass_over_what_they_have_opened(settings: Settings) -> None:
    async with processes._opened(settings):
        assert is_spared()


async def test_an_app_that_another_server_starts_passes_over_what_it_has_opened(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MONGODB_URI", str(settings.mongodb_uri))
    monkeypatch.setenv("GATEWAY_DATABASE", settings.database)
    async with create_app().test_app():
        assert is_spared()


async def test_the_demo_passes_over_what_it_has_opened(settings: Settings) -> None:
    stop, seen = asyncio.Event(), list[bool]()

    def announce(*_: object) -> None:
        seen.append(is_spared())
        stop.set()

    await demo(settings, 0, 0, stop, announce)
    assert seen == [True]
