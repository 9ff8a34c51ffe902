"""Reading events: whatever is broken in them, nothing is lost, and no secret is stored."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vk_api.bot_longpoll import VkBotEventType

from bots.vk.inbound.events import READERS
from bots.vk.inbound.webhook import parse
from gateway.domain.channel.calls import Call, Malformed, Parsed
from gateway.domain.model.event import Event, Inbound
from tests.support.hostile.broken_json import WRONG, break_at, places

PAYLOADS = Path(__file__).parents[1] / "payloads"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
OUTER = {("type",), ("event_id",), ("secret",)}


def parse_body(body: object) -> Parsed:
    call = Call("POST", "https://gateway.shop.ru/webhooks/vk/shop", {}, json.dumps(body).encode(), NOW)
    return parse("shop", "a1b2c3d4", call)


def bodies() -> dict[str, Any]:
    files = {file.stem: json.loads(file.read_text("utf-8")) for file in PAYLOADS.glob("*.json")}
    return {name: json.loads(file["call"]["body"]) for name, file in files.items() if file.get("events")}


@pytest.mark.parametrize("name", sorted(bodies()))
def test_whatever_is_broken_in_it_an_event_survives(name: str) -> None:
    body = bodies()[name]
    for channel in set(places(body)) - OUTER:
        for wrong in WRONG:
            events = parse_body(break_at(body, channel, wrong)).events
            assert events
            for event in events:
                assert msgspec.convert(msgspec.to_builtins(event), Event) == event, "what was read can be stored"


@pytest.mark.parametrize("name", sorted(bodies()))
def test_what_is_kept_is_all_but_the_secret(name: str) -> None:
    body = bodies()[name]
    for event in parse_body(body).events:
        assert json.loads(event.raw) == {key: value for key, value in body.items() if key != "secret"}


@pytest.mark.parametrize("name", sorted(bodies()))
def test_two_events_of_a_call_have_different_ids_and_one_lane(name: str) -> None:
    events = parse_body(bodies()[name]).events
    assert len({event.id for event in events}) == len(events)
    assert len({event.lane for event in events}) == 1


@pytest.mark.parametrize("wrong", [None, 7, "", [], {}])
def test_without_a_type_it_is_malformed(wrong: object) -> None:
    with pytest.raises(Malformed, match="it has no type"):
        parse_body({"type": wrong, "object": {}})


def test_every_kind_of_event_has_a_payload_file() -> None:
    """All of our readers' kinds are VK's own words; the library does not list all the others."""
    kinds = {body["type"] for body in bodies().values()}
    assert kinds > set(READERS)
    assert {kind.value for kind in VkBotEventType} > set(READERS)


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1), peer=st.integers(1, 2**53))
def test_a_text_arrives_as_it_was_written(text: str, peer: int) -> None:
    message = {"date": 0, "peer_id": peer, "conversation_message_id": 1, "text": text}
    (event,) = parse_body({"type": "message_new", "event_id": "e1", "object": {"message": message}}).events
    assert isinstance(event, Inbound)
    assert (event.content.text, event.address.user, event.id) == (text, str(peer), "e1")
