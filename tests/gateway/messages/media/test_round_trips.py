"""Files of every kind on every channel, there and back: what a person sends, and what is sent to them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

import bots
from gateway.domain.channel.file import File
from tests.gateway.messages.media.steps import forget, kept, session_of, silent, upload
from tests.support.client import PHONE, ApiClient, until
from tests.support.files import PAPER, PICTURE, SOUND, VIDEO, download, share

SAMPLES = (PICTURE, SOUND, VIDEO, PAPER)
ALBUM = (PICTURE, PICTURE._replace(body=PICTURE.body + b"another"), PAPER)


async def test_each_kind_of_file_comes_as_it_was_sent_and_goes_as_it_was_uploaded(keeping: ApiClient) -> None:
    runtime = keeping.environment.runtime
    runtime.conversation = silent
    await asyncio.gather(*(is_kept(keeping, channel) for channel in bots.CHANNELS))
    runtime.settings = replace(runtime.settings, media_kept=None)
    await asyncio.gather(*(comes(keeping, channel) for channel in bots.CHANNELS))
    await asyncio.gather(*(goes(keeping, channel) for channel in bots.CHANNELS))


async def comes(demo: ApiClient, channel: str) -> None:
    """Let a person send each kind of file, and download it from the provider."""
    for sample in SAMPLES:
        file = await share(demo, channel, sample)
        status, headers, body = await download(demo, file["fileId"])
        assert (status, body) == (200, sample.body), (channel, sample.name)
        assert headers["Content-Type"] == sample.content_type, channel
        shown = "inline" if sample is PICTURE else "attachment"
        assert headers["Content-Disposition"].startswith(f"{shown}; filename"), (channel, sample.name)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in headers["Content-Security-Policy"]


async def is_kept(demo: ApiClient, channel: str) -> None:
    """Let a person send each kind of file, and download it although the provider has it no more."""
    for sample in SAMPLES:
        file = await share(demo, channel, sample)
        assert (await kept(demo, file["fileId"])).size == len(sample.body), (channel, sample.name)
        forget(demo, channel)
        status, headers, body = await download(demo, file["fileId"])
        assert (status, body) == (200, sample.body), (channel, sample.name)
        assert (headers["Content-Type"], headers["Content-Length"]) == (sample.content_type, str(len(sample.body)))


async def goes(demo: ApiClient, channel: str) -> None:
    """Upload each kind of file and send it: the provider's own book has its bytes."""
    simulator = demo.environment.simulators[channel]
    for sample in SAMPLES:
        forget(demo, channel)
        step = {"channel": channel, "media": {"id": (await upload(demo, sample))["id"]}}
        key = await demo.send(step, chatSessionId=session_of(demo, channel))
        await demo.wait_for(key, "SENT", "DELIVERED", "READ")
        got = await BOOKS[channel](simulator, simulator.accepted[-1].request)
        assert got == sample.body, (channel, sample.name)


async def in_telegram(simulator: Any, _: Any) -> bytes:
    return bytes(list(simulator.uploads.values())[-1])


async def in_vk(simulator: Any, _: Any) -> bytes:
    return bytes(list(simulator.files.stored.values())[-1].body)


async def in_viber(_: Any, request: Any) -> bytes:
    got = await fetched(request["media"])
    if request["type"] == "file":
        assert (request["size"], request["file_name"].rpartition(".")[2]) == (
            len(got),
            request["media"].rpartition(".")[2],
        )
    return got


async def in_whatsapp(simulator: Any, request: Any) -> bytes:
    return bytes(simulator.media[request[request["type"]]["id"]].body)


async def in_sms(_: Any, request: Any) -> bytes:
    return await fetched(request["Body"])


async def fetched(address: str) -> bytes:
    """Return what whoever has an address gets there."""
    async with aiohttp.ClientSession() as stranger, stranger.get(address) as response:
        return await response.read()


BOOKS: Mapping[str, Callable[[Any, Any], Awaitable[bytes]]] = {
    "telegram": in_telegram,
    "vk": in_vk,
    "viber": in_viber,
    "whatsapp": in_whatsapp,
    "sms": in_sms,
}


@pytest.mark.parametrize("channel", ["telegram", "vk", "sms"])
async def test_each_file_of_an_album_has_an_id(demo: ApiClient, channel: str) -> None:
    simulator: Any = demo.environment.simulators[channel]
    user = simulator.user_of(PHONE)
    await simulator.share_album(user, [File(each.name, each.content_type, each.body) for each in ALBUM])
    session = f"{channel}:demo:{simulator.known_as(user)}"

    async def whole() -> list[str] | None:
        async with demo.http.get(f"/api/v1/sessions/{session}/messages") as response:
            lines = (await response.json()).get("messages", [])
        came = [line for line in reversed(lines) if line["media"] and line["direction"] == "in"]
        keys = [file["fileId"] for line in came for file in (line["media"], *line["others"])]
        return keys if len(keys) == len(ALBUM) else None

    keys = await until(whole)
    assert [(await download(demo, key))[2] for key in keys] == [sample.body for sample in ALBUM]
