"""One contract for every channel: each payload file, as the provider sends it, gives the events that it says.

A payload file holds the call (method, headers, body), and either the expected `events` (without `raw`) and `answer`,
or `refused`: the status that a forged, stale or malformed call must get. `needs_no_proof` marks the calls that a
provider makes without one; they must not have any effect.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

import bots
from gateway.domain.channel.calls import Answer, Call, Forged, Malformed, Parsed
from gateway.domain.channel.contract import Channel, Outside
from gateway.domain.channel.secret import Secret
from gateway.domain.model.event import Event
from gateway.runtime.settings.accounts import read_account
from gateway.runtime.settings.settings import load

TESTS = Path(__file__).parents[2]
PAYLOADS = sorted((TESTS / "bots").glob("*/payloads/*.json"))
RECEIVED_AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
PUBLIC_URL = "https://gateway.shop.ru"


def channel_named(file: Path) -> str:
    """Return the channel that a payload belongs to: tests/bots/<channel>/payloads/<file>."""
    return file.parents[1].name


def accounts_of(channel: str) -> dict[str, Any]:
    """Return the channel's accounts in tests/support/accounts.toml."""
    tables = load({"GATEWAY_ACCOUNTS": str(TESTS / "support/accounts.toml")}).accounts[channel]
    return {key: read_account(bots.package(channel).Account, key, table) for key, table in tables.items()}


async def channel_of(name: str, account: str) -> Channel:
    """Open and return one of these accounts. Parsing never makes a call."""
    async with aiohttp.ClientSession() as http:
        return bots.package(name).open_accounts(accounts_of(name), Outside(http, PUBLIC_URL, http))[account]


def read(file: Path) -> tuple[dict[str, Any], Call]:
    payload = json.loads(file.read_text("utf-8"))
    call = payload["call"]
    url = f"{PUBLIC_URL}/webhooks/{channel_named(file)}/{payload['account']}"
    headers = {key.lower(): value for key, value in call.get("headers", {}).items()}
    body = call.get("body", "").encode()
    return payload, Call(call["method"], url, headers, body, RECEIVED_AT, call.get("query", {}))


def without_secrets(channel: str, body: bytes) -> bytes:
    """Return the body without the secrets: some providers carry their proof in the body."""
    for account in accounts_of(channel).values():
        for secret in (getattr(account, field) for field in account.__struct_fields__):
            body = body.replace(secret.reveal().encode(), b"") if isinstance(secret, Secret) else body
    return body


def take(channel: Channel, call: Call) -> Parsed:
    channel.verify(call)
    return channel.parse(call)


def without_raw(event: Event) -> Any:
    """Return an event as JSON, without the raw item that it was read from."""
    assert event.raw, "every event keeps what it was read from"
    return {key: value for key, value in msgspec.to_builtins(event).items() if key != "raw"}


def expected(events: list[Any]) -> list[Any]:
    return [without_raw(msgspec.convert({**event, "raw": "-"}, Event)) for event in events]


@pytest.mark.parametrize("file", PAYLOADS, ids=lambda file: f"{channel_named(file)}-{file.stem}")
async def test_payload(file: Path) -> None:
    payload, call = read(file)
    channel = await channel_of(channel_named(file), payload["account"])
    if status := payload.get("refused"):
        with pytest.raises((Forged, Malformed)) as refusal:
            take(channel, call)
        assert getattr(refusal.value, "status", 400) == status
        return
    parsed = take(channel, call)
    assert [without_raw(event) for event in parsed.events] == expected(payload["events"])
    assert parsed.answer == Answer(**payload.get("answer", {}))


@pytest.mark.parametrize("file", PAYLOADS, ids=lambda file: f"{channel_named(file)}-{file.stem}")
async def test_without_its_proof_it_is_refused(file: Path) -> None:
    payload, call = read(file)
    channel = await channel_of(channel_named(file), payload["account"])
    bare = Call(call.method, call.url, {}, without_secrets(channel_named(file), call.body), RECEIVED_AT)
    if payload.get("needs_no_proof"):
        assert not take(channel, bare).events
        return
    with pytest.raises(Forged):
        channel.verify(bare)


def test_every_channel_has_payloads() -> None:
    assert {channel_named(file) for file in PAYLOADS} == set(bots.CHANNELS)
