"""Reading updates: aiogram's own types say which payload files are realistic, and which ones aiogram would lose."""

import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from aiogram.types import Update
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bots.telegram.inbound.webhook import parse
from gateway.domain.channel.calls import Call
from gateway.domain.model.event import Event, Inbound, Unrecognised
from tests.support.hostile.broken_json import WRONG, break_at, places

PAYLOADS = Path(__file__).parents[1] / "payloads"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
LOST_BY_AIOGRAM = {
    "date_beyond",
    "forward_new_origin",
    "member_new_status",
    "message_not_object",
    "reaction_new_type",
    "text_not_string",
}


def call_with(body: str) -> Call:
    return Call("POST", "https://gateway.shop.ru/webhooks/telegram/shop", {}, body.encode(), NOW)


def updates() -> dict[str, str]:
    files = {file.stem: json.loads(file.read_text("utf-8")) for file in PAYLOADS.glob("*.json")}
    return {name: file["call"]["body"] for name, file in files.items() if "events" in file}


@pytest.mark.parametrize("name", sorted(updates()))
def test_the_payload_files_are_true_to_life(name: str) -> None:
    body = json.loads(updates()[name])
    if name in LOST_BY_AIOGRAM:
        with pytest.raises(ValidationError):
            Update.model_validate(body)
    else:
        Update.model_validate(body)


@pytest.mark.parametrize("name", sorted(updates()))
def test_each_update_is_one_event_that_keeps_it_all(name: str) -> None:
    body = updates()[name]
    (event,) = parse("shop", call_with(body)).events
    assert event.raw == body
    assert event.id == str(json.loads(body)["update_id"])


@pytest.mark.parametrize("name", sorted(updates()))
def test_whatever_is_broken_in_it_an_update_survives(name: str) -> None:
    update = json.loads(updates()[name])
    for channel in places(update):
        for wrong in WRONG if channel != ("update_id",) else ():
            body = json.dumps(break_at(update, channel, wrong))
            (event,) = parse("shop", call_with(body)).events
            assert (event.id, event.raw) == (str(update["update_id"]), body)
            assert msgspec.convert(msgspec.to_builtins(event), Event) == event, "what was read can be stored and read"


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1), chat=st.integers(-(2**52), 2**52))
def test_a_text_arrives_as_it_was_written(text: str, chat: int) -> None:
    message = {"message_id": 1, "date": 0, "chat": {"id": chat}, "from": {"id": 1}, "text": text}
    (event,) = parse("shop", call_with(json.dumps({"update_id": 1, "message": message}))).events
    assert isinstance(event, Inbound)
    assert (event.content.text, event.address.user) == (text, str(chat))


def test_other_fields_of_a_message_never_make_it_unreadable() -> None:
    body = json.loads(updates()["text"])
    body["message"] |= {"forward_origin": 1, "entities": None, "poll_answer": [[]], "effect_id": {}}
    (event,) = parse("shop", call_with(json.dumps(body))).events
    assert not isinstance(event, Unrecognised)
