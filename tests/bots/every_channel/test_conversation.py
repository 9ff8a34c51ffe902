"""The bot itself: what it recognises as a command, and what it answers."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.conversation import MENU, command, reply
from gateway.domain.commands.command import SLASH
from gateway.domain.model.event import Inbound
from gateway.domain.model.nouns import Address, Content, Session

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ADDRESS = Address("telegram", "shop", "42")
ANNA = Session("s1", ADDRESS, name="Anna")


def message(text: str = "", *, start: str | None = None, pressed: str | None = None, kind: str = "text") -> Inbound:
    return Inbound(ADDRESS, "1", "1", Content(text), NOW, kind=kind, start=start, pressed=pressed)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (message("/start"), ("start", "")),
        (message("/start abc123"), ("start", "abc123")),
        (message("/start@the_bot abc123"), ("start", "abc123")),
        (message("/START"), ("start", "")),
        (message("Начать"), ("start", "")),
        (message("  стоп \n"), ("stop", "")),
        (message("STOP"), ("stop", "")),
        (message("/stop@the_bot"), ("stop", "")),
        (message("/help\nplease"), ("help", "please")),
        (message("/start\tabc123"), ("start", "abc123")),
        (message("Помощь"), ("help", "")),
        (message("where is my order"), ("", "where is my order")),
        (message("/settings now"), ("", "/settings now")),
        (message("don't stop"), ("", "don't stop")),
        (message("@stop"), ("stop", "")),
        (message("start abc123"), ("", "start abc123")),
        (message(""), ("", "")),
        (message("/start", start="abc123"), ("start", "abc123")),
        (message("", start=""), ("start", "")),
        (message("Stop it all", pressed="/help"), ("help", "")),
        (message("Yes", pressed="order:5"), ("", "order:5")),
    ],
)
def test_commands(event: Inbound, expected: tuple[str, str]) -> None:
    assert command(event) == expected


@given(st.text(), st.none() | st.text(), st.none() | st.text())
def test_any_event_is_a_command_or_a_text(text: str, pressed: str | None, start: str | None) -> None:
    name, rest = command(message(text, pressed=pressed, start=start))
    assert name in {"", *SLASH.values()}
    assert rest == rest.strip() or start is not None


@given(st.sampled_from(sorted(SLASH)), st.text(st.characters(categories=["L", "N"]), max_size=20))
def test_a_command_is_known_in_any_case(word: str, argument: str) -> None:
    for spelled in (word, word.upper(), word.title()):
        assert command(message(f"{spelled} {argument}")) == (SLASH[word], argument)


def test_the_menu_is_made_of_commands() -> None:
    assert [command(message(pressed=button.reply))[0] for button in MENU] == ["help", "stop"]


async def test_it_greets_by_name() -> None:
    answer = await reply(message("/start"), ANNA)
    assert answer
    assert answer.text.startswith("Hello, Anna!")
    assert answer.buttons == MENU


async def test_it_greets_those_who_have_no_name() -> None:
    answer = await reply(message("/start"), Session("s1", ADDRESS))
    assert answer
    assert answer.text.startswith("Hello!")


async def test_stop_says_the_way_back_and_asks_nothing_more() -> None:
    answer = await reply(message("stop"), ANNA)
    assert answer
    assert "/start" in answer.text
    assert answer.buttons == ()


async def test_help_names_every_command() -> None:
    answer = await reply(message("/help"), ANNA)
    assert answer
    assert [line.partition(" ")[0] for line in answer.text.splitlines()] == ["/start", "/stop", "/help"]


@pytest.mark.parametrize(
    "event", [message("where is my order"), message(""), message(kind="sticker"), message(pressed="order:5")]
)
async def test_it_says_when_it_does_not_understand(event: Inbound) -> None:
    answer = await reply(event, ANNA)
    assert answer
    assert "did not understand" in answer.text
    assert answer.buttons == MENU


async def test_a_reaction_needs_no_answer() -> None:
    assert await reply(message("👍", kind="reaction"), ANNA) is None
