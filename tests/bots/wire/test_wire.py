"""What a provider may answer besides sense, down to the bytes: none of it gets past the wire module."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest

from bots.wire import wire
from gateway.domain.channel.errors import Unavailable

DAY = timedelta(days=1)
SENT = "Wed, 21 Oct 2015 07:28:00 GMT"


@asynccontextmanager
async def serving_answer(body: bytes, *headers: str) -> AsyncIterator[str]:
    """Serve this response, byte for byte."""
    head = ("HTTP/1.1 429 Too Many Requests", f"Content-Length: {len(body)}", "Connection: close", *headers, "", "")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write("\r\n".join(head).encode() + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield "http://127.0.0.1:{1}".format(*server.sockets[0].getsockname())


async def reply(body: bytes, *headers: str) -> wire.Reply:
    async with serving_answer(body, *headers) as url, aiohttp.ClientSession() as http:
        return await wire.call(http, "GET", url)


@pytest.mark.parametrize(
    ("retry_after", "pause"),
    [
        *(("7", timedelta(seconds=7)), ("0", timedelta(0)), ("86399", timedelta(seconds=86399))),
        *(("999999999999", DAY), ("99999999999999999999", DAY), ("9" * 5000, DAY)),
        *(("²", None), ("٣", None), ("-7", None), ("1.5", None), ("soon", None), ("", None)),
        ("Wed, 21 Oct 2015 07:28:30 GMT", timedelta(seconds=30)),
        ("Wed, 21 Oct 2015 07:27:00 GMT", timedelta(0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", DAY),
        ("Wed, 21 Oct 99999 07:28:00 GMT", None),
        ("Wed, 21 Oct 2015 99999999999999999999:28:00 GMT", None),
        ("Wed, 21 Oct 2015 07:28:30", None),
    ],
)
async def test_how_long_a_provider_asks_us_to_wait(retry_after: str, pause: timedelta | None) -> None:
    assert (await reply(b"", f"Retry-After: {retry_after}", f"Date: {SENT}")).retry_after == pause


async def test_a_date_says_nothing_where_the_answer_has_none() -> None:
    assert (await reply(b"", f"Retry-After: {SENT}")).retry_after is None


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"\xff", b'"\xff"', b"9" * 5000, b"1e999", b"[" * 200_000, b'{"a":' * 200_000]
)
async def test_what_is_not_json(body: bytes) -> None:
    assert (await reply(body)).json is None


@pytest.mark.parametrize("url", ["http://a..b/", f"http://{'a' * 64}.com/", "http://[", "http://256.256.256.256/"])
async def test_an_address_that_cannot_be_called_at_all(url: str) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(Unavailable):
            await wire.call(http, "POST", url, json={})
