"""Whatever goes wrong on the wire, and however much is logged about it, no secret is shown."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

import bots
from gateway.domain.channel.contract import Channel, webhook_url
from gateway.domain.channel.errors import SendError
from gateway.domain.model.nouns import Address, Content
from gateway.runtime.runtime import open_channels, opened_outside
from gateway.runtime.settings.settings import Settings
from gateway.runtime.telemetry import logs
from gateway.runtime.telemetry.tracer import forms_of, secrets_of
from tests.gateway.runtime.telemetry.test_tracer import Answer, echo, empty_answer, served_answer, torn_answer, user_of
from tests.support.http.serving import free_port
from tests.support.processes.commands import run
from tests.support.processes.processes import accounts_file

log = logging.getLogger(__name__)


def redirect(_: bytes) -> bytes:
    """Redirect, as a captive portal does that wants somebody to log in first."""
    port = free_port()
    return f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{port}/\r\nContent-Length: 0\r\n\r\n".encode()


def garbage(request: bytes) -> bytes:
    """Answer with something that is no HTTP at all."""
    return request


def nobody(_: bytes) -> bytes:
    """Stand for a provider that is not there at all: see `provider`."""
    raise NotImplementedError


TROUBLES = (echo, torn_answer, empty_answer, redirect, garbage, nobody)


@asynccontextmanager
async def provider(answer: Answer) -> AsyncIterator[str]:
    if answer is nobody:
        yield f"http://127.0.0.1:{free_port()}"
    else:
        async with served_answer(answer) as url:
            yield url


def visible_secrets(text: str, forms: Iterable[str]) -> list[str]:
    """Return those of the secrets that can be read in the text, in any form in which they are sent."""
    return [form for form in forms if form in text]


@pytest.mark.usefixtures("restored_logging")
@pytest.mark.parametrize("channel", bots.CHANNELS)
@pytest.mark.parametrize("answer", TROUBLES, ids=lambda answer: answer.__name__)
async def test_a_failed_call(
    capsys: pytest.CaptureFixture[str], settings: Settings, channel: str, answer: Answer
) -> None:
    """Let all libraries log all that they can; each failure is logged with everything that led to it."""
    logs.setup("DEBUG", "json")
    async with provider(answer) as url, opened_outside(settings) as outside:
        accounts = {channel: {"shop": bots.simulator(channel).demo_account(url)}}
        forms = forms_of(secrets_of(accounts)[f"{channel}:shop"])
        opened_channel = open_channels(accounts, outside)[channel]["shop"]
        await fail_every_call(opened_channel)
        await opened_channel.close()
    log_text = capsys.readouterr().err
    assert visible_secrets(log_text, forms) == []
    assert log_text.count("Traceback") >= 1


async def fail_every_call(channel: Channel) -> None:
    """Make every call to a provider, each of which fails."""
    name = channel.facts.name
    address, url = Address(name, "shop", user_of(name)), webhook_url("https://gateway.shop.ru", name, "shop")
    send, bind = partial(channel.send, address, Content("Hi"), key="k"), partial(channel.bind, url)
    for call in (send, bind, channel.binding, channel.unbind):
        try:
            await call()
        except SendError:
            log.exception("%s does not do what we ask", name)


@pytest.mark.parametrize("channel", bots.CHANNELS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed_with_the_token(settings: Settings, channel: str, status: int) -> None:
    """Whoever can redirect our calls gets neither the token nor the message."""
    heard, asked = list[bytes](), list[bytes]()

    def listen(request: bytes) -> bytes:
        heard.append(request)
        return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

    async with served_answer(listen) as elsewhere:

        def lead_away(request: bytes) -> bytes:
            asked.append(request)
            head = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {elsewhere}/\r\nContent-Length: 0\r\n\r\n"
            return head.encode()

        async with served_answer(lead_away) as url, opened_outside(settings) as outside:
            accounts = {channel: {"shop": bots.simulator(channel).demo_account(url)}}
            opened_channel = open_channels(accounts, outside)[channel]["shop"]
            await fail_every_call(opened_channel)
            await opened_channel.close()
    assert asked
    assert heard == []


async def test_what_an_operator_is_told(tmp_path: Path, settings: Settings) -> None:
    """Run `gateway check` and `webhooks` at providers that repeat our requests in their answers."""
    async with provider(echo) as url:
        accounts = {channel: {"shop": bots.simulator(channel).demo_account(url)} for channel in bots.CHANNELS}
        accounts_file(tmp_path / "accounts.toml", accounts)
        environ = {
            "MONGODB_URI": str(settings.mongodb_uri),
            "GATEWAY_DATABASE": settings.database,
            "GATEWAY_LOG_LEVEL": "DEBUG",
            "GATEWAY_PUBLIC_URL": "https://gateway.shop.ru",
        }
        commands = (["check"], ["webhooks", "set"], ["webhooks", "show"], ["webhooks", "delete"])
        runs = await asyncio.gather(*(run(tmp_path, "gateway", *command, **environ) for command in commands))
    forms = [form for secrets in secrets_of(accounts).values() for form in forms_of(secrets)]
    for process in runs:
        assert process.out.count("WRONG") >= len(accounts) - 1, "SMS has nothing to ask for"
        assert visible_secrets(process.out + process.err, forms) == []
