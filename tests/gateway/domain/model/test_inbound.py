"""What a message means, by who says it, to whom and where: which command it is, and whether the bot is to answer."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.domain.model.event import Inbound, Person
from gateway.domain.model.identifier import Identifier
from gateway.domain.model.nouns import Address, Content

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PERSON = Person("Anna", (Identifier("phone:+79000000001"),))
US, OTHERS = {"addressed": True}, {"addressed": False}
COPY = {"automatic": True}


def said(text: str, **fields: Any) -> Inbound:
    return Inbound(Address("telegram", "shop", "42"), "1", "1", Content(text), NOW, person=PERSON, **fields)


@pytest.mark.parametrize(
    ("text", "fields", "in_person", "in_a_group"),
    [
        ("hello", {}, ("", True), ("", False)),
        ("stop", {}, ("stop", True), ("", False)),
        ("stop by tomorrow", {}, ("", True), ("", False)),
        ("/stop", {}, ("stop", True), ("stop", True)),
        ("/help me", {}, ("help", True), ("help", True)),
        ("/settings", {}, ("", True), ("", False)),
        ("hello", US, ("", True), ("", True)),
        ("stop", US, ("stop", True), ("stop", True)),
        ("/stop@shop_bot", US, ("stop", True), ("stop", True)),
        ("/stop@another_bot", OTHERS, ("", True), ("", False)),
        ("stop", OTHERS, ("", True), ("", False)),
        ("Cancel", {"pressed": "cancel:5"}, ("", True), ("", True)),
        ("Stop", {"pressed": "/stop"}, ("stop", True), ("stop", True)),
        ("Start", {"start": "code"}, ("start", True), ("start", True)),
        ("/stop", COPY, ("", False), ("", False)),
        ("stop", COPY | US, ("", False), ("", False)),
        ("Stop", COPY | {"pressed": "/stop"}, ("", False), ("", False)),
        ("Schluss", {"handled": "stop"}, ("stop", False), ("stop", False)),
        ("HELP", {"handled": "help"}, ("help", False), ("help", False)),
    ],
)
def test_what_it_means(
    text: str, fields: dict[str, Any], in_person: tuple[str, bool], in_a_group: tuple[str, bool]
) -> None:
    event = said(text, **fields)
    assert (event.command.name, event.asks) == in_person
    assert (event.in_group().command.name, event.in_group().asks) == in_a_group


def test_in_a_group_nothing_tells_whose_it_is() -> None:
    event = replace(said("/start code"), start="code").in_group()
    assert event.person == Person("Anna")
    assert event.command == ("start", "")
