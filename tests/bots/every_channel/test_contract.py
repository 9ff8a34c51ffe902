"""One contract for every channel: each payload file, as the provider sends it, gives the events that it says.

A payload file holds the call (method, headers, body), and either the expected `events` (without `raw`) and `answer`,
or `refused`: the status that a forged, stale or malformed call must get. `needs_no_proof` marks the calls that a
provider makes without one; they must not have any effect.
"""

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
from tests.support.corpus.payloads import PAYLOADS, PUBLIC_URL, RECEIVED_AT, accounts_of, channel_named, read


async def channel_of(name: str, account: str) -> Channel:
    """Open and return one of these accounts. Parsing never makes a call."""
    async with aiohttp.ClientSession() as http:
        return bots.package(name).open_accounts(accounts_of(name), Outside(http, PUBLIC_URL, http))[account]


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
