"""What the tests of files have in common."""

from typing import Any

import aiohttp

from storage import files
from tests.support.client import PHONE, ApiClient, until
from tests.support.files import Sample

FORGET = {"telegram": "uploads", "whatsapp": "media", "viber": "files", "sms": "media"}


def forget(demo: ApiClient, channel: str) -> None:
    """Let the provider have no file of anybody's any more."""
    simulator: Any = demo.environment.simulators[channel]
    (simulator.files.shared if channel == "vk" else getattr(simulator, FORGET[channel])).clear()


async def kept(demo: ApiClient, key: str) -> Any:
    """Return what is stored of a file, once its bytes are."""

    async def stored() -> Any:
        file = await files.get(demo.environment.runtime.db, key)
        return file if file and file.content_type else None

    return await until(stored)


async def silent(*_: object) -> None:
    """Answer nobody."""


async def upload(demo: ApiClient, sample: Sample) -> Any:
    """Upload a file as the only one of a form. Returns the answer."""
    form = aiohttp.FormData(quote_fields=False)  # as browsers and curl write names
    form.add_field("file", sample.body, filename=sample.name, content_type="text/html")
    async with demo.http.post("/api/v1/media", data=form) as response:
        assert response.status == 201, await response.text()
        return await response.json()


def session_of(demo: ApiClient, channel: str) -> str:
    """Return the id of the person's conversation on this channel."""
    simulator = demo.environment.simulators[channel]
    return f"{channel}:demo:{simulator.known_as(simulator.user_of(PHONE))}"
