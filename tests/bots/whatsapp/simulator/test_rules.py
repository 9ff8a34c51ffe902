"""The stand-in refuses requests that our channel never makes, to notice when it starts to make them."""

from typing import Any

import pytest

from bots.whatsapp.simulator.components import Fault
from bots.whatsapp.simulator.rules import read
from gateway.domain.model.event import Inbound
from gateway.domain.model.nouns import Button, Content
from tests.bots.whatsapp.pair import ANNA, Pair

HEAD = {"messaging_product": "whatsapp", "type": "text"}
TEXT = {**HEAD, "to": ANNA, "text": {"body": "hi"}}
FILE = {**HEAD, "to": ANNA, "type": "image"}
REPLY = {"type": "reply", "reply": {"id": "1", "title": "x"}}
SAME_TITLE = {"type": "reply", "reply": {"id": "2", "title": "x"}}
CONTACT = {"name": {"formatted_name": "Boris", "first_name": "Boris"}, "phones": [{"phone": "+7999", "type": "CELL"}]}


def interactive(kind: str, action: dict[str, Any]) -> dict[str, Any]:
    return {**TEXT, "type": "interactive", "interactive": {"type": kind, "body": {"text": "?"}, "action": action}}


def rows(first: int, count: int, title: str | None = None) -> dict[str, Any]:
    section = {"rows": [{"id": str(number), "title": "x"} for number in range(first, first + count)]}
    return section | ({"title": title} if title else {})


def listed(*sections: dict[str, Any], **parts: Any) -> dict[str, Any]:
    message = interactive("list", {"button": "Open", "sections": list(sections)})
    message["interactive"] |= parts
    return message


def template(value: str) -> dict[str, Any]:
    parameters = [{"type": "text", "text": value}]
    use = {"name": "t", "language": {"code": "ru"}, "components": [{"type": "body", "parameters": parameters}]}
    return {**TEXT, "type": "template", "template": use}


@pytest.mark.parametrize(
    ("request_body", "code"),
    [
        ({**TEXT, "txt": 1}, 100),
        ({**TEXT, "type": "hologram"}, 100),
        ({**TEXT, "text": {"body": "hi", "font": "Comic Sans"}}, 100),
        ([], 131009),
        ({**TEXT, "messaging_product": "telegram"}, 131009),
        ({**TEXT, "to": "Anna"}, 131009),
        ({**TEXT, "biz_opaque_callback_data": "x" * 513}, 131009),
        ({"type": "text", "to": ANNA, "text": {"body": "hi"}}, 131008),
        ({**HEAD, "text": {"body": "hi"}}, 131008),
        ({**HEAD, "to": ANNA}, 131008),
        ({**TEXT, "text": {}}, 131008),
        ({**FILE, "image": {}}, 131008),
        ({**FILE, "image": {"id": "1", "link": "https://shop.ru/1"}}, 131008),
        (interactive("button", {"buttons": [REPLY] * 4}), 131009),
        (interactive("button", {"buttons": [REPLY] * 2}), 131009),
        (interactive("list", {"button": "Open", "sections": [{"rows": [{"id": "1", "title": "x"}] * 2}]}), 131009),
        (interactive("button", {"buttons": [REPLY, SAME_TITLE]}), 131009),
        (listed(rows(0, 6, "A"), rows(6, 5, "B")), 131009),
        (listed(rows(0, 1, "A"), rows(1, 1)), 131009),
        (listed(rows(0, 1), footer={"text": "x" * 61}), 131009),
        (listed(rows(0, 1), header={"type": "image", "image": {"id": "1"}}), 131009),
        (interactive("list", {"button": "Open", "sections": [rows(0, 1, "x" * 25)]}), 131009),
        ({**TEXT, "type": "location", "location": {"latitude": 55.75}}, 131008),
        ({**TEXT, "type": "contacts", "contacts": []}, 131009),
        ({**TEXT, "context": {}}, 131008),
        (template("two\nlines"), 132018),
        (template("wide     gap"), 132018),
    ],
)
def test_refused(request_body: object, code: int) -> None:
    fault = read(request_body, {("t", "ru"): {"body": "{{1}}"}})
    assert isinstance(fault, Fault)
    assert fault.code == code


@pytest.mark.parametrize(
    "request_body",
    [
        listed(rows(0, 5, "A"), rows(5, 5, "B"), header={"type": "text", "text": "x" * 60}, footer={"text": "x" * 60}),
        {**TEXT, "context": {"message_id": "wamid.1"}},
        {**TEXT, "to": "+7 (999) 000-11-22"},
        {**TEXT, "type": "location", "location": {"latitude": "55.75", "longitude": 37.6, "name": "Shop"}},
        {**TEXT, "type": "contacts", "contacts": [CONTACT]},
        {**TEXT, "type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": ""}},
        {**TEXT, "type": "audio", "audio": {"id": "1", "voice": True}},
        interactive("location_request_message", {"name": "send_location"}),
    ],
)
def test_taken(request_body: object) -> None:
    assert not isinstance(read(request_body, {}), Fault)


@pytest.mark.parametrize(
    ("status", "code"), [("DISABLED", 132016), ("PAUSED", 132015), ("REJECTED", 132007), ("PENDING", 132001)]
)
def test_templates_that_are_not_sent(status: str, code: int) -> None:
    fault = read(template("x"), {("t", "ru"): {"body": "{{1}}", "status": status}})
    assert isinstance(fault, Fault)
    assert fault.code == code


async def test_webhooks_come_again_until_they_are_taken_and_twice_when_told(pair: Pair) -> None:
    pair.meta.faults.webhook_copies = 2
    await pair.receive()
    assert len({event.id for event in pair.parsed_events(Inbound)}) == 1
    assert len(pair.parsed_events(Inbound)) == 2


async def test_a_row_shows_its_whole_text_where_the_title_is_cut(pair: Pair) -> None:
    await pair.receive()
    await pair.send(Content("?", buttons=(Button("A title of more than twenty-four letters", reply="1"),)))
    (row,) = pair.meta.accepted[-1].request["interactive"]["action"]["sections"][0]["rows"]
    assert row == {
        "id": "1",
        "title": "A title of more than twe",
        "description": "A title of more than twenty-four letters",
    }
