"""Tests the logs: JSON lines, a message's life under its id, and never a secret."""

import asyncio
import json
import logging
import pickle
import traceback
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from structlog.contextvars import bound_contextvars

from gateway.domain.channel.secret import Secret
from gateway.runtime.settings.settings import Settings
from gateway.runtime.telemetry import logs
from tests.support.client import PHONE, until
from tests.support.processes.cli import opened_cli
from tests.support.processes.commands import started_process, wait_for_exit
from tests.support.processes.processes import Web, Worker

HIDDEN = "a-very-long-and-secret-word"


def parse_lines(output: str) -> list[dict[str, Any]]:
    """Parse the lines, each of which has to be JSON, except for the command's own line."""
    return [json.loads(line) for line in output.splitlines() if not line.endswith("Ctrl-C stops it")]


async def test_a_message_is_followed_through_web_and_worker(tmp_path: Path, settings: Settings) -> None:
    """At DEBUG, too, libraries say nothing of what went over the wire: they would print keys and texts."""
    async with opened_cli(tmp_path, settings) as cli:
        key = (await cli.gateway("keys", "create", "shop")).out.split()[-1]
        accounts = {"GATEWAY_ACCOUNTS": str(tmp_path / "accounts.toml")}
        environ = {**cli.environment, **accounts, "GATEWAY_LOG_LEVEL": "DEBUG"}
        web, worker = Web("web", tmp_path, environ), Worker("worker", tmp_path, environ)
        for program in (web, worker):
            program.environment["GATEWAY_PUBLIC_URL"] = web.url
        cli.simulator.webhook_url = f"{web.url}/webhooks/sms/main"
        await asyncio.gather(web.start(), worker.start())
        try:
            key_of = await send_and_wait(web.url, key)
        finally:
            await asyncio.gather(web.stop(), worker.stop())
    written = [parse_lines(program.log_text()) for program in (web, worker)]
    message_lines = [
        [line for line in log if key_of in (line.get("message_id"), *line.get("message_ids", ()))] for log in written
    ]
    assert [(line["event"], line["request_id"]) for line in message_lines[0] if is_own_line(line)] == [
        ("accepted", "r-17")
    ]
    story = [line for line in message_lines[1] if is_own_line(line)]
    assert [line["event"] for line in story] == [
        "sms: no reply window on this channel -> free text",
        "sms: sent; there is no further step; waiting for delivered",
        "sms: delivered",
    ]
    (message,) = cli.simulator.accepted
    assert [line["provider_ids"] for line in story[1:]] == [[message.id]] * 2
    assert {line["account"] for line in story} == {"sms:main"}
    assert {line["level"] for log in written for line in log if not is_ours(line)} <= {"info", "warning"}
    secrets = [getattr(cli.account, name) for name in cli.account.__struct_fields__]
    for secret in [key, *(value.reveal() for value in secrets if isinstance(value, Secret))]:
        assert secret not in str(written)


async def send_and_wait(url: str, key: str) -> str:
    """Send a message with the request id r-17 and wait for its delivery. Returns the message's id."""
    message = {"destinations": [{"phone": PHONE}], "channels": [{"channel": "sms", "text": "Hi"}]}
    headers = {"Authorization": f"Bearer {key}", "X-Request-Id": "r-17"}
    async with aiohttp.ClientSession(headers=headers) as http:
        async with http.post(f"{url}/api/v1/messages", json={"messages": [message]}) as response:
            assert response.headers["X-Request-Id"] == "r-17"
            (item,) = (await response.json())["messages"]

        async def is_delivered() -> bool:
            async with http.get(f"{url}/api/v1/messages/{item['id']}") as response:
                return bool((await response.json())["status"] == "DELIVERED")

        await until(is_delivered)
    return str(item["id"])


def is_ours(line: dict[str, Any]) -> bool:
    return str(line["logger"]).partition(".")[0] in logs.ROOMS


def is_own_line(line: dict[str, Any]) -> bool:
    return str(line["logger"]).startswith("gateway")


@pytest.mark.usefixtures("restored_logging")
@pytest.mark.parametrize("form", logs.FORMS)
def test_no_form_shows_a_secret(capsys: pytest.CaptureFixture[str], form: str) -> None:
    """The secret stands in the message, its fields, the bound context, an exception and its frames."""
    logs.setup("DEBUG", form)
    secret, log = Secret(HIDDEN), logging.getLogger("somebody")
    with bound_contextvars(token=secret):
        log.info("with %s and %r", secret, {"deep": [secret]}, extra={"key": secret, "more": {"key": (secret,)}})
        try:
            plain = secret.reveal()
            raise ValueError(secret)  # noqa: TRY301
        except ValueError:
            log.exception("it broke, and knew %d letters", len(plain))
    output = capsys.readouterr().err
    assert HIDDEN not in output
    assert output.count("<secret>") >= 5
    assert "Traceback" in output


def test_a_secret_is_not_written_down() -> None:
    secret = Secret(HIDDEN)
    for form in (repr(secret), str(secret), f"{secret}", f"{[secret]}"):
        assert HIDDEN not in form
    for write in (pickle.dumps, json.dumps, msgspec.json.encode, msgspec.to_builtins):
        with pytest.raises(TypeError) as refusal:
            write(secret)
        assert HIDDEN not in "".join(traceback.format_exception(refusal.value))


@pytest.mark.parametrize("name", ["GATEWAY_LOG_LEVEL", "GATEWAY_LOG_FORMAT"])
async def test_a_setting_that_is_none_is_refused_by_name(tmp_path: Path, name: str) -> None:
    async with started_process(tmp_path, "gateway", "check", **{name: "loud"}) as process:
        result = await wait_for_exit(process)
    assert result.code == 2
    assert name in result.err
    assert "Traceback" not in result.err


@pytest.mark.usefixtures("restored_logging")
def test_at_debug_our_own_rooms_alone_say_more() -> None:
    rooms = {name: logging.getLogger(name).level for name in ("gateway", "webhooks", "storage", "bots")}
    try:
        logs.setup("DEBUG", "json")
        assert {logging.getLogger(name).level for name in rooms} == {logging.DEBUG}
        assert logging.getLogger().level == logging.INFO
    finally:
        for name, level in rooms.items():
            logging.getLogger(name).setLevel(level)
