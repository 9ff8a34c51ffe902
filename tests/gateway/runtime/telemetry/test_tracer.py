"""Tests that traces of calls hold no secret, whatever providers answer, and that nobody waits for their storage."""

import asyncio
import logging
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest

import bots
from bots.wire.traces import HIDDEN, MOST, PENDING, TORN, Exchange, Trace, listener, tracing
from gateway.domain.channel.errors import SendError
from gateway.domain.channel.secret import Secret
from gateway.domain.model.nouns import Address, Content
from gateway.runtime.runtime import open_channels, opened_outside
from gateway.runtime.settings.settings import Settings
from gateway.runtime.telemetry.tracer import Tracer, secrets_of
from storage.documents.documents import Db
from storage.messages import traces
from tests.support.client import PHONE

Answer = Callable[[bytes], bytes]

CLOSE = b"Connection: close\r\n\r\n"


def echo(request: bytes) -> bytes:
    """Answer like a proxy's error page that repeats the request."""
    return b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nRetry-After: 7\r\n" + CLOSE + request


def torn_answer(_: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n" + CLOSE + b'{"ok": '


def empty_answer(_: bytes) -> bytes:
    return b""


@asynccontextmanager
async def served_answer(answer: Answer) -> AsyncIterator[str]:
    """Serve a provider that gives this answer, byte for byte, and hangs up. Yields its URL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        writer.write(answer(head + await reader.readexactly(int(length or 0))))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield "http://127.0.0.1:{1}".format(*server.sockets[0].getsockname())


def user_of(channel: str) -> str:
    return PHONE if channel == "sms" else "79000000001"


async def send_traced(
    db: Db, settings: Settings, channel: str, answer: Answer
) -> tuple[list[traces.TracedCall], str, list[str]]:
    """Send a message with tracing. Returns its trace lines, all that the database holds, and the account's secrets."""
    async with served_answer(answer) as url, opened_outside(settings) as outside:
        accounts = {channel: {"shop": bots.simulator(channel).demo_account(url)}}
        opened_channel, secrets = open_channels(accounts, outside)[channel]["shop"], secrets_of(accounts)
        tracer, trace = Tracer(db, secrets, wanted=True), Trace()
        with tracing(trace), suppress(SendError):
            await opened_channel.send(Address(channel, "shop", user_of(channel)), Content("Hi"), key="k")
        tracer.keep(f"{channel}:shop", "n", 0, trace)
        await tracer.close()
        await opened_channel.close()
    raw = str([document async for document in db["traces"].find()])
    return await traces.of_notification(db, "n"), raw, [secret.reveal() for secret in secrets[f"{channel}:shop"]]


@pytest.mark.parametrize("channel", bots.CHANNELS)
async def test_a_provider_that_says_our_secrets_aloud(db: Db, settings: Settings, channel: str) -> None:
    (line, *_), raw, secrets = await send_traced(db, settings, channel, echo)
    assert secrets
    assert [secret for secret in secrets if secret in raw] == []
    assert HIDDEN in line.answer
    assert (line.status, line.retry_after, line.broke) == (400, "7", "")
    assert "Host:" in line.answer
    assert "Hi" in line.request


async def test_basic_hides_its_secret_too(db: Db, settings: Settings) -> None:
    (line, *_), _, (secret,) = await send_traced(db, settings, "sms", echo)
    words = line.answer.partition("Authorization: Basic ")[2].partition("\r\n")[0]
    assert HIDDEN in words
    assert not any(b64encode(secret[at : at + 6].encode()).decode() in words for at in range(len(secret) - 6))


@pytest.mark.parametrize("channel", bots.CHANNELS)
@pytest.mark.parametrize(("answer", "broke"), [(torn_answer, TORN), (empty_answer, "ServerDisconnectedError")])
async def test_how_the_wire_broke(db: Db, settings: Settings, channel: str, answer: Answer, broke: str) -> None:
    """The request is traced all the same."""
    (line, *_), raw, secrets = await send_traced(db, settings, channel, answer)
    assert (line.broke, "Hi" in line.request) == (broke, True)
    assert [secret for secret in secrets if secret in raw] == []


async def trace_lines(db: Db, secret: str, *exchanges: Exchange) -> list[traces.TracedCall]:
    tracer = Tracer(db, {"a": [Secret(secret)]}, wanted=True)
    tracer.keep("a", "n", 0, list(exchanges))
    await tracer.close()
    return await traces.of_notification(db, "n")


def make_exchange(body: bytes, kind: str = "text/plain", size: int = 0, **fields: Any) -> Exchange:
    return Exchange("POST", "http://x/", 0, kind, bytearray(body), size or len(body), **fields)


@pytest.mark.parametrize(
    "body",
    [
        *(b'a"c/d:e+f<g&h', b'{"t": "a\\"c/d:e+f<g&h"}', b'{"t": "a\\"c\\/d:e+f<g&h"}', b"a&quot;c/d:e+f&lt;g&amp;h"),
        *(b"t=a%22c%2Fd%3Ae%2Bf%3Cg%26h", b"t=a%22c%2fd%3ae%2bf%3cg%26h", b"t=a%22c/d%3Ae%2Bf%3Cg%26h"),
    ],
)
async def test_a_secret_goes_however_it_is_written(db: Db, body: bytes) -> None:
    (line,) = await trace_lines(db, 'a"c/d:e+f<g&h', make_exchange(body))
    assert line.request.replace('{"t": "', "").replace("t=", "").removesuffix('"}') == HIDDEN


@pytest.mark.parametrize("within", range(1, 16))
async def test_a_body_that_is_cut_within_a_secret(db: Db, within: int) -> None:
    secret = "0123456789abcdef"
    whole = secret.encode() + b"." * (MOST - len(secret) - within) + secret.encode()
    (line,) = await trace_lines(db, secret, make_exchange(whole[:MOST], size=len(whole)))
    text = line.request.partition("... <")[0]
    assert (text.startswith(HIDDEN), set(text.removeprefix(HIDDEN))) == (True, {"."})
    assert line.request.endswith(f"... <{len(whole)} bytes in all>")
    assert len(line.request) > MOST - 100


async def test_of_what_is_no_text_the_size_is_kept(db: Db) -> None:
    file = make_exchange(b"\xff\xd8", "multipart/form-data; boundary=x", 5_000_000)
    (line,) = await trace_lines(db, "s" * 16, file)
    assert line.request == "<multipart/form-data, 5000000 bytes>"


async def test_addresses_that_a_provider_gives_keep_their_proof_to_themselves(db: Db) -> None:
    answer = rb'{"a":"https:\/\/pu.vk.com\/u.php?act=add&hash=1f2e","b":"https://x/y?hash=3d4c","c":"?"}'
    (line,) = await trace_lines(db, "s" * 16, make_exchange(b"", answer_kind="application/json", answer=answer))
    assert line.answer == rf'{{"a":"https:\/\/pu.vk.com\/u.php?{HIDDEN}","b":"https://x/y?{HIDDEN}","c":"?"}}'


async def test_what_nobody_waited_for_has_no_answer_yet(db: Db) -> None:
    assert [line.broke for line in await trace_lines(db, "s" * 16, make_exchange(b""))] == [PENDING]


async def test_calls_that_nobody_traces_are_kept_nowhere() -> None:
    own_trace = Trace()
    async with served_answer(echo) as url, aiohttp.ClientSession(trace_configs=[listener()]) as http:
        for traces in ([], [own_trace]):
            with tracing(*traces):
                async with http.get(f"{url}/?hash=secret") as response:
                    await response.read()
    (exchange,) = own_trace
    assert exchange.url == f"{url}/?{HIDDEN}"


async def test_that_none_can_be_kept_is_said_once(
    db: Db, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While the database refuses traces nobody fails and the queue is bounded; later traces are stored again."""
    add: Callable[..., Awaitable[None]] = traces.add

    async def away(*_: object) -> None:
        raise OSError("gone")

    tracer = Tracer(db, {"a": []}, wanted=True)
    with monkeypatch.context() as broken, caplog.at_level(logging.WARNING, "gateway.runtime.telemetry.tracer"):
        broken.setattr(traces, "add", away)
        for _ in range(3):
            for number in range(3000):
                tracer.keep("a", f"{number}", 0, [make_exchange(b"Hi")])
            await tracer.close()
    assert traces.add is add
    assert [record.getMessage() for record in caplog.records] == [
        "calls to providers are not kept: 2000 wait for the database"
    ]
    tracer.keep("a", "n", 0, [make_exchange(b"Hi")])
    await tracer.close()
    assert len(await traces.of_notification(db, "n")) == 1
