"""How people come, press Start, write, leave and come back."""

import asyncio
import re

import pytest

from gateway.domain.channel.errors import Refused, Stopped
from gateway.domain.model.event import Inbound, Subscription, Visit
from tests.bots.viber.bench import ANNA, Bench, opened

CODE = "Zk3v_X9-q"


def screen(bench: Bench) -> list[tuple[bool, str]]:
    return [(bubble.mine, bubble.text) for bubble in bench.server.phone(bench.anna.user).screen]


async def test_a_deep_link_brings_its_code_through_the_start_button() -> None:
    async with opened() as bench:
        assert bench.channel.start_link(CODE) == f"viber://pa?chatURI=demoshop&context={CODE}"
        await bench.server.start(bench.anna.user, CODE)
        await bench.server.quiet()
        (visit,), (written,) = bench.told(Visit), bench.told(Inbound)
        assert (visit.address, visit.start) == (bench.anna, CODE)
        assert (written.address, written.content.text, written.start) == (bench.anna, f"/start {CODE}", None)
        assert screen(bench) == [(False, "Hello! Press Start to talk to us."), (True, "Start")]
        assert bench.told(Subscription) == []
        assert await bench.send()
        assert bench.server.charged == []


async def test_whoever_comes_by_themselves_starts_without_a_code() -> None:
    async with opened() as bench:
        await bench.server.start(bench.anna.user)
        await bench.server.quiet()
        assert [event.start for event in bench.told(Visit)] == [""]
        assert [event.content.text for event in bench.told(Inbound)] == ["/start"]


async def test_a_subscriber_needs_no_welcome() -> None:
    async with opened() as bench:
        await bench.subscribers(ANNA)
        await bench.server.start(bench.anna.user, CODE)
        await bench.server.quiet()
        assert [event.start for event in bench.told(Visit)] == [CODE]
        assert screen(bench) == [(True, "hello"), (True, "/start")]


async def test_opening_the_chat_allows_nothing() -> None:
    async with opened() as bench:
        await bench.server.open_chat(bench.anna.user, CODE)
        await bench.server.quiet()
        with pytest.raises(Stopped):
            await bench.send()
        assert bench.told(Inbound) == []
        assert bench.server.sessions == {}


@pytest.mark.parametrize("context", ["a b", "/stop", "x" * 65, "ы", "a\nb", '"', "a&b"])
async def test_a_link_of_somebody_elses_does_not_break_the_command(context: str) -> None:
    async with opened() as bench:
        await bench.server.start(bench.anna.user, context)
        await bench.server.quiet()
        assert [event.start for event in bench.told(Visit)] == [context]
        assert [event.content.text for event in bench.told(Inbound)] == ["/start"]


async def test_our_own_welcome() -> None:
    async with opened(welcome="Привет <3", name="Магазин") as bench:
        await bench.server.open_chat(bench.anna.user)
        assert screen(bench) == [(False, "Привет <3")]
        (button,) = bench.server.phone(bench.anna.user).screen[0].buttons
        assert (button.text, button.reply) == ("Start", "/start")


async def test_a_chat_opened_while_we_are_down_is_welcomed_later() -> None:
    async with opened() as bench:
        bench.down = True
        opening = asyncio.create_task(bench.server.open_chat(bench.anna.user))
        await asyncio.sleep(0.05)
        bench.down = False
        await opening
        assert [status for status, _ in bench.server.answers] == [503, 200]
        assert len(screen(bench)) == 1


async def test_whoever_leaves_is_not_written_to_until_they_come_back() -> None:
    async with opened() as bench:
        await bench.subscribers(ANNA)
        await bench.server.unsubscribe(bench.anna.user)
        await bench.server.quiet()
        with pytest.raises(Stopped, match=r"\(6 receiverNotSubscribed\)"):
            await bench.send()
        await bench.server.subscribe(bench.anna.user)
        await bench.server.quiet()
        assert await bench.send()
        told = bench.told(Subscription)
        assert [(event.address, event.active) for event in told] == [(bench.anna, False), (bench.anna, True)]


async def test_nobody_is_found_by_an_id_that_viber_does_not_know() -> None:
    async with opened() as bench:
        with pytest.raises(Refused, match=r"\(5 receiverNotRegistered\)"):
            await bench.send()


async def test_a_person_writes() -> None:
    async with opened() as bench:
        bench.server.phone(bench.anna.user, "Анна")
        await bench.server.say(bench.anna.user, "Где заказ? 🙂")
        picture = {"type": "picture", "media": "https://dl-media.viber.com/1/a.jpg", "text": "Вот"}
        bench.server.write(bench.anna.user, picture, "Вот")
        await bench.server.quiet()
        first, second = bench.told(Inbound)
        assert (first.content.text, first.person.name, first.person.language) == ("Где заказ? 🙂", "Анна", "ru")
        assert second.content.media
        assert (second.kind, second.content.media.url) == ("picture", "https://dl-media.viber.com/1/a.jpg")
        assert first.provider_id == f"{bench.anna.user}/{first.id}"
        assert bench.server.answers == [(200, "")] * 2


async def test_ids_look_like_vibers() -> None:
    async with opened() as bench:
        users = [bench.server.user_of(f"+7916000{number:04}") for number in range(50)]
        assert len({*users}) == 50
        assert all(re.fullmatch(r"[A-Za-z0-9+/]{22}==", user) for user in users)
        assert {"+", "/"} <= {*"".join(users)}
        assert users[0] == bench.server.user_of("+79160000000")
