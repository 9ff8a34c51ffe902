"""People act, VK reports it, we read it."""

from datetime import timedelta

import pytest

from gateway.domain.model.event import Echo, Inbound, Subscription, Visit
from gateway.domain.model.nouns import Button, Content
from tests.bots.vk.pair import Pair
from tests.support.client import until


async def test_a_person_starts_and_writes(pair: Pair) -> None:
    anna = await pair.start_user(code="AbC_1-2")
    await pair.vk.say(anna, "Где мой заказ? 📦")
    start, text = await pair.events_of(Inbound)
    assert (start.start, start.content.text) == ("AbC_1-2", "Начать")
    assert (text.start, text.content, text.at) == (None, Content("Где мой заказ? 📦"), pair.now)
    assert text.address == pair.address(anna)
    assert pair.vk.phone(anna).screen[-1].id == text.provider_id
    (allowed,) = await pair.events_of(Subscription)
    assert allowed.active, "a first message counts as permission, and VK says so"


async def test_a_person_comes_by_the_widget_and_goes(pair: Pair) -> None:
    anna = pair.vk.user_of("+79990001122")
    await pair.vk.allow(anna, "AbC_1-2")
    await pair.vk.deny(anna)
    (visit,) = await pair.events_of(Visit)
    allowed, denied = await pair.events_of(Subscription)
    assert (visit.start, visit.address) == ("AbC_1-2", pair.address(anna))
    assert (allowed.active, denied.active) == (True, False)
    assert pair.events.index(visit) < pair.events.index(allowed)


async def test_a_person_presses_a_button_and_its_spinner_stops(pair: Pair) -> None:
    anna = await pair.start_user()
    buttons = (Button("Yes", reply="yes:A-17"), Button("Site", url="https://shop.ru/"))
    provider_id = await pair.send(anna, Content("Deliver?", buttons=buttons))
    await pair.vk.press(anna, provider_id, "Site")
    await pair.vk.press(anna, provider_id, "Yes")
    _, pressed = await pair.events_of(Inbound)
    assert (pressed.kind, pressed.pressed, pressed.provider_id) == ("message_event", "yes:A-17", provider_id)
    for _ in range(2):
        await pair.channel.acknowledge(pressed)
    assert pressed.callback_id is not None
    assert [f"{anna}/{event_id}" for event_id in pair.vk.answered] == [pressed.callback_id] * 2


async def test_acknowledging_never_fails(pair: Pair) -> None:
    anna = await pair.start_user()
    provider_id = await pair.send(anna, Content("?", buttons=(Button("Yes"),)))
    await pair.vk.press(anna, provider_id, "Yes")
    start, pressed = await pair.events_of(Inbound)
    pair.vk.faults.fail("10")
    await pair.channel.acknowledge(start)
    assert pair.vk.faults.planned, "a message needs no acknowledgement"
    await pair.channel.acknowledge(pressed)
    pair.now += timedelta(seconds=61)
    await pair.channel.acknowledge(pressed)
    await pair.channel.acknowledge(Inbound(pair.address(anna), "e", "1/1", Content(), pair.now, callback_id="odd"))
    assert pair.vk.answered == []


async def test_vk_tells_us_what_was_written_in_our_name(pair: Pair) -> None:
    anna = await pair.start_user()
    provider_id = await pair.send(anna, "Ваш заказ готов")
    await pair.vk.reply_as_operator(anna, "Это Ольга, слушаю вас")
    echoes = await pair.events_of(Echo)
    assert [echo.content.text for echo in echoes] == ["Ваш заказ готов", "Это Ольга, слушаю вас"]
    assert echoes[0].provider_id == provider_id
    assert len(await pair.events_of(Inbound)) == 1, "an echo is never answered"
    assert [bubble.id for bubble in pair.vk.phone(anna).screen[1:]] == [echo.provider_id for echo in echoes]


async def test_a_group_chat(pair: Pair) -> None:
    anna = await pair.start_user()
    await pair.vk.say_in_chat("2000000001", anna, "hi all")
    assert [event.address.user for event in await pair.events_of(Inbound)] == [anna, "2000000001"]
    assert len(await pair.events_of(Subscription)) == 1


async def test_a_webhook_is_repeated_until_it_is_taken(pair: Pair) -> None:
    pair.statuses += [500, 503]
    await pair.start_user()
    assert [status for status, _ in pair.vk.answers] == [500, 503, 200, 200]
    assert pair.tries == ["", "1", "2", ""]
    assert len(pair.events) == 2


async def test_copies_have_the_same_id(pair: Pair) -> None:
    pair.vk.faults.webhook_copies = 2
    await pair.start_user()
    first, second = await pair.events_of(Inbound)
    assert first == second


async def test_another_secret_is_not_believed(pair: Pair) -> None:
    pair.vk.callbacks.servers[0].secret_key = "someBodyElses1"
    pair.vk.callbacks.servers[0].events["message_allow"] = 0
    anna = pair.vk.user_of("+79990001122")
    await pair.vk.say(anna, "pay me")

    async def has_forged_call() -> bool:
        return pair.forged > 0

    await until(has_forged_call)
    assert pair.events == []


def test_ids_are_stable_and_nobody_shares_one(pair: Pair) -> None:
    numbers = [f"+7999{number:07}" for number in range(2000)]
    users = {pair.vk.user_of(number) for number in numbers}
    assert len(users) == len(numbers)
    assert all(user.isdecimal() and 0 < int(user) < 2_000_000_000 for user in users)


@pytest.mark.parametrize(("reachable", "reads", "state"), [(False, True, "sent"), (True, False, "delivered")])
async def test_what_a_phone_shows(pair: Pair, reachable: bool, reads: bool, state: str) -> None:  # noqa: FBT001
    anna = await pair.start_user()
    phone = pair.vk.phone(anna)
    phone.reachable, phone.reads = reachable, reads
    await pair.send(anna, "hi")
    assert phone.screen[-1].state == state
