"""Providers write null where they mean nothing, and add fields without notice: neither changes what is read."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bots.wire.nulls import without_nulls
from gateway.domain.channel.calls import Call
from gateway.domain.channel.contract import Channel
from tests.bots.every_channel.test_contract import channel_of
from tests.support.corpus.payloads import PAYLOADS, channel_named, read
from tests.support.hostile.broken_json import Path as Place
from tests.support.hostile.broken_json import break_at, places

SPEAKING = [
    file
    for file in PAYLOADS
    if any(event["event"] == "inbound" for event in read(file)[0].get("events", ())) and channel_named(file) != "sms"
]
"""The payload files in which a person says something, of channels that speak JSON."""


NEW: tuple[object, ...] = (None, 1, "text", [], {"text": "stop"})
WHOLE = {"raw", "id", "provider_id"}


def events_of(channel: Channel, call: Call, body: object) -> list[Any]:
    """Return the events of a body, without nulls, and without what names or repeats the body as a whole."""
    parsed = channel.parse(Call(call.method, call.url, call.headers, json.dumps(body).encode(), call.received_at))
    events = [msgspec.to_builtins(event) for event in parsed.events]
    return [{name: without_nulls(value) for name, value in event.items() if name not in WHOLE} for event in events]


def without(body: Any, place: Place) -> Any:
    """Return a copy of a body without the field at this place."""
    copy = json.loads(json.dumps(body))
    parent = copy
    for key in place[:-1]:
        parent = parent[key]
    del parent[place[-1]]
    return copy


def fields(body: Any) -> Iterator[Place]:
    """Yield the places of all fields; items of lists have no names and are none."""
    return (place for place in places(body) if isinstance(place[-1], str))


@pytest.mark.parametrize("file", SPEAKING, ids=lambda file: f"{channel_named(file)}-{file.stem}")
async def test_a_null_is_a_field_that_is_missing(file: Path) -> None:
    payload, call = read(file)
    channel, body = await channel_of(channel_named(file), payload["account"]), json.loads(call.body)
    for place in fields(body):
        if place not in {("type",), ("event",), ("update_id",), ("entry",)}:  # without these it is no call at all
            null, missing = break_at(body, place, None), without(body, place)
            assert events_of(channel, call, null) == events_of(channel, call, missing), place


@pytest.mark.parametrize("file", SPEAKING, ids=lambda file: f"{channel_named(file)}-{file.stem}")
async def test_fields_of_tomorrow_change_nothing(file: Path) -> None:
    payload, call = read(file)
    channel, body = await channel_of(channel_named(file), payload["account"]), json.loads(call.body)
    assert events_of(channel, call, body)
    for new in NEW:
        assert events_of(channel, call, {"of_tomorrow": new, **body}) == events_of(channel, call, body), new
