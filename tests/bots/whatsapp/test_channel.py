"""What needs no HTTP: splitting messages, keeping accounts apart, and verifying calls."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bots.whatsapp import Account, WhatsApp, open_accounts
from bots.whatsapp.inbound.webhook import sign
from bots.whatsapp.outbound.pieces import split
from bots.whatsapp.outbound.sending import render
from bots.whatsapp.simulator.rules import read
from bots.whatsapp.simulator.server import demo_account
from bots.whatsapp.simulator.types.message import Message
from gateway.domain.channel.calls import Answer, Call, Forged, Malformed
from gateway.domain.channel.contract import Outside
from gateway.domain.channel.secret import Secret
from gateway.domain.model.identifier import identifier
from gateway.domain.model.nouns import Address, Button, Content, Media

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
WORDS = st.lists(st.text("abcдеж 👋\n", min_size=1, max_size=300), max_size=60).map("".join)
ANSWERS = st.integers(0, 25).map(lambda count: [Button(f"Choice {index}", reply=f"/{index}") for index in range(count)])
LINKS = st.lists(st.just(Button("Open", url="https://shop.ru/1")), max_size=3)
MEDIA = st.sampled_from(["image", "video", "audio", "document", "sticker", "hologram"]).map(
    lambda kind: Media(kind, url="https://shop.ru/file", name="file")
)


@given(WORDS, ANSWERS, LINKS, st.none() | MEDIA)
def test_whatever_is_said_meta_takes_every_piece(
    text: str, answers: list[Button], links: list[Button], media: Media | None
) -> None:
    content = Content(text.strip(), media, (*answers, *links))
    if content == Content():
        return
    pieces = list(split(content))
    for piece in pieces:
        message = read(render("79990001122", piece, "k"), {})
        assert isinstance(message, Message), message
    text_of_pieces = "".join(piece.text for piece in pieces)
    assert letters(text_of_pieces).startswith(letters(content.text))
    assert sum(piece.media is not None for piece in pieces) == (media is not None)
    buttons = [button for piece in pieces for button in piece.buttons]
    assert buttons == (answers or (links if len(links) == 1 else []))


def letters(text: str) -> str:
    return "".join(text.split())


def test_a_long_text_is_cut_between_lines_and_ends_with_its_buttons() -> None:
    line = "x" * 99 + "\n"
    *before, last = split(Content(line * 100, buttons=(Button("Yes", reply="y"),)))
    assert [len(piece.text) for piece in before] == [3999, 3999, 1399]
    assert len(last.text) <= 1024
    assert last.buttons
    assert not any(piece.buttons for piece in before)


def test_a_text_without_any_break_is_cut_at_the_limit() -> None:
    assert [len(piece.text) for piece in split(Content("x" * 9000))] == [4096, 4096, 808]
    *before, last = split(Content("x" * 4000, buttons=(Button("Yes", reply="y"),)))
    assert [len(piece.text) for piece in (*before, last)] == [3488, 512]


def test_a_long_caption_becomes_texts_under_the_file() -> None:
    file, text = split(Content("x" * 1025, Media("image", url="https://shop.ru/1")))
    assert (file.text, file.media is not None) == ("", True)
    assert (text.text, text.media) == ("x" * 1025, None)


def test_links_beside_answers_become_lines() -> None:
    buttons = (Button("Yes", reply="y"), Button("Site", url="https://shop.ru"))
    (piece,) = split(Content("See", buttons=buttons))
    assert piece == Content("See\nSite: https://shop.ru", buttons=buttons[:1])


def open_channels(accounts: dict[str, Account]) -> dict[str, WhatsApp]:
    outside = Outside(cast("Any", SimpleNamespace()), "https://gateway.shop.ru", cast("Any", SimpleNamespace()))
    return dict(open_accounts(accounts, outside))


def message_call(number: str, account: Account, name: str = "a") -> Call:
    message = {"from": "79990001122", "id": "wamid.1", "timestamp": "1795435200", "type": "text", "text": {"body": "x"}}
    value = {"metadata": {"phone_number_id": number}, "messages": [message]}
    changes = [
        {"field": "messages", "value": value},
        {
            "field": "message_template_status_update",
            "value": {"event": "APPROVED", "message_template_name": "t", "message_template_language": "ru"},
        },
    ]
    body = msgspec.json.encode({"entry": [{"id": account.waba_id, "changes": changes}]})
    headers = {"x-hub-signature-256": sign(body, account.app_secret)}
    return Call("POST", f"https://gateway.shop.ru/webhooks/whatsapp/{name}", headers, body, NOW)


def test_a_number_of_another_app_is_never_spoken_for() -> None:
    """Its app secret did not sign: whoever has ours must not write into the other's conversations."""
    account = demo_account("http://127.0.0.1")
    sibling = replace(account, phone_number_id="2")
    stranger = replace(account, phone_number_id="3", app_secret=Secret("another-app-4f8a1c77e2"))
    channel = open_channels({"a": account, "b": sibling, "c": stranger})["a"]
    owners = {}
    for number in ("2", "3"):
        call = message_call(number, account)
        channel.verify(call)
        owners[number] = [(type(event).__name__, lane_account(event)) for event in channel.parse(call).events]
    assert owners["2"] == [("Inbound", "b"), ("TemplateChange", "a"), ("TemplateChange", "b")]
    assert owners["3"] == [("Unrecognised", "a"), ("TemplateChange", "a"), ("TemplateChange", "b")]
    with pytest.raises(Forged):
        open_channels({"c": stranger})["c"].verify(message_call("3", account))


def lane_account(event: Any) -> str:
    return str(event.lane.split(":")[1])


def test_delivered_again_an_event_keeps_its_id() -> None:
    account = demo_account("http://127.0.0.1")
    channel = open_channels({"a": account})["a"]
    call = message_call("3", account)
    repetition = Call(call.method, call.url, call.headers, call.body, datetime(2026, 11, 25, tzinfo=UTC))
    first, second = ([event.id for event in channel.parse(delivery).events] for delivery in (call, repetition))
    assert first == second
    assert len(set(first)) == len(first) == 2


def test_only_our_own_token_gets_the_challenge() -> None:
    account = demo_account("http://127.0.0.1")
    channel = open_channels({"a": account})["a"]
    query = {"hub.mode": "subscribe", "hub.challenge": "<b>", "hub.verify_token": account.verify_token.reveal()}
    call = Call("GET", "https://gateway.shop.ru", {}, b"", NOW, query)
    channel.verify(call)
    assert channel.parse(call).answer == Answer(200, "<b>", "text/plain; charset=utf-8")
    for wrong in ("", "ы", query["hub.verify_token"].upper()):
        with pytest.raises(Forged) as refusal:
            channel.verify(Call("GET", call.url, {}, b"", NOW, {**query, "hub.verify_token": wrong}))
        assert refusal.value.status == 403


def test_a_body_of_nothing_but_brackets_is_malformed() -> None:
    account = demo_account("http://127.0.0.1")
    channel = open_channels({"a": account})["a"]
    with pytest.raises(Malformed):
        channel.parse(Call("POST", "https://gateway.shop.ru", {}, b"[" * 100_000, NOW))


def test_addresses_and_links() -> None:
    account = demo_account("http://127.0.0.1")
    channel = open_channels({"a": account})["a"]
    assert channel.address_of(identifier("phone", "+79990001122")) == Address("whatsapp", "a", "79990001122")
    assert channel.start_link("AbC_1-2") == "https://wa.me/79990000001?text=/start%20AbC_1-2"
    assert open_channels({"a": replace(account, number="")})["a"].start_link("x") is None
