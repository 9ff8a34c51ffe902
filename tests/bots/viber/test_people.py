"""How people come, press Start, write, leave and come back."""

import asyncio
import re

import pytest

from gateway.domain.channel.errors import Refused, Stopped
from gateway.domain.model.event import Inbound, Subscription, Visit
from tests.bots.viber.pair import ANNA, Pair, opened_pair
from tests.support.client import until

CODE = "Zk3v_X9-q"


def screen(pair: Pair) -> list[tuple[bool, str]]:
    return [(bubble.mine, bubble.text) for bubble in pair.server.phone(pair.anna.user).screen]


async def test_a_deep_link_brings_its_code_through_the_start_button() -> None:
    async with opened_pair() as pair:
        assert pair.channel.start_link(CODE) == f"viber://pa?chatURI=demoshop&context={CODE}"
        await pair.server.start(pair.anna.user, CODE)
        await pair.server.quiet()
        (visit,), (message,) = pair.parsed_events(Visit), pair.parsed_events(Inbound)
        assert (visit.address, visit.start) == (pair.anna, CODE)
        assert (message.address, message.content.text, message.start) == (pair.anna, f"/start {CODE}", None)
        assert screen(pair) == [(False, "Hello! Press Start to talk to us."), (True, "Start")]
        assert pair.parsed_events(Subscription) == []
        assert await pair.send()
        assert pair.server.charged == []


async def test_whoever_comes_by_themselves_starts_without_a_code() -> None:
    async with opened_pair() as pair:
        await pair.server.start(pair.anna.user)
        await pair.server.quiet()
        assert [event.start for event in pair.parsed_events(Visit)] == [""]
        assert [event.content.text for event in pair.parsed_events(Inbound)] == ["/start"]


async def test_a_subscriber_needs_no_welcome() -> None:
    async with opened_pair() as pair:
        await pair.subscribers(ANNA)
        await pair.server.start(pair.anna.user, CODE)
        await pair.server.quiet()
        assert [event.start for event in pair.parsed_events(Visit)] == [CODE]
        assert screen(pair) == [(True, "hello"), (True, "/start")]


async def test_opening_the_chat_allows_nothing() -> None:
    async with opened_pair() as pair:
        await pair.server.open_chat(pair.anna.user, CODE)
        await pair.server.quiet()
        with pytest.raises(Stopped):
            await pair.send()
        assert pair.parsed_events(Inbound) == []
        assert pair.server.sessions == {}


@pytest.mark.parametrize("context", ["a b", "/stop", "x" * 65, "ы", "a\nb", '"', "a&b"])
async def test_a_link_of_somebody_elses_does_not_break_the_command(context: str) -> None:
    async with opened_pair() as pair:
        await pair.server.start(pair.anna.user, context)
        await pair.server.quiet()
        assert [event.start for event in pair.parsed_events(Visit)] == [context]
        assert [event.content.text for event in pair.parsed_events(Inbound)] == ["/start"]


async def test_our_own_welcome() -> None:
    async with opened_pair(welcome="Привет <3", name="Магазин") as pair:
        await pair.server.open_chat(pair.anna.user)
        assert screen(pair) == [(False, "Привет <3")]
        (button,) = pair.server.phone(pair.anna.user).screen[0].buttons
        assert (button.text, button.reply) == ("Start", "/start")


async def test_a_chat_opened_while_we_are_down_is_welcomed_later() -> None:
    async with opened_pair() as pair:
        pair.down = True
        opening = asyncio.create_task(pair.server.open_chat(pair.anna.user))
        await until(lambda: has_been_refused(pair))
        pair.down = False
        await opening
        assert [status for status, _ in pair.server.answers] == [503, 200]
        assert len(screen(pair)) == 1


async def has_been_refused(pair: Pair) -> bool:
    return len(pair.server.answers) > 0


async def test_whoever_leaves_is_not_written_to_until_they_come_back() -> None:
    async with opened_pair() as pair:
        await pair.subscribers(ANNA)
        await pair.server.unsubscribe(pair.anna.user)
        await pair.server.quiet()
        with pytest.raises(Stopped, match=r"\(6 receiverNotSubscribed\)"):
            await pair.send()
        await pair.server.subscribe(pair.anna.user)
        await pair.server.quiet()
        assert await pair.send()
        subscriptions = pair.parsed_events(Subscription)
        assert [(event.address, event.active) for event in subscriptions] == [(pair.anna, False), (pair.anna, True)]


async def test_nobody_is_found_by_an_id_that_viber_does_not_know() -> None:
    async with opened_pair() as pair:
        with pytest.raises(Refused, match=r"\(5 receiverNotRegistered\)"):
            await pair.send()


async def test_a_person_writes() -> None:
    async with opened_pair() as pair:
        pair.server.phone(pair.anna.user, "Анна")
        await pair.server.say(pair.anna.user, "Где заказ? 🙂")
        picture = {"type": "picture", "media": "https://dl-media.viber.com/1/a.jpg", "text": "Вот"}
        pair.server.write(pair.anna.user, picture, "Вот")
        await pair.server.quiet()
        first, second = pair.parsed_events(Inbound)
        assert (first.content.text, first.person.name, first.person.language) == ("Где заказ? 🙂", "Анна", "ru")
        assert second.content.media
        assert (second.kind, second.content.media.url) == ("picture", "https://dl-media.viber.com/1/a.jpg")
        assert first.provider_id == f"{pair.anna.user}/{first.id}"
        assert pair.server.answers == [(200, "")] * 2


async def test_ids_look_like_vibers() -> None:
    async with opened_pair() as pair:
        users = [pair.server.user_of(f"+7916000{number:04}") for number in range(50)]
        assert len({*users}) == 50
        assert all(re.fullmatch(r"[A-Za-z0-9+/]{22}==", user) for user in users)
        assert {"+", "/"} <= {*"".join(users)}
        assert users[0] == pair.server.user_of("+79160000000")
