"""People act, VK tells us, we read it."""

from datetime import timedelta

import pytest

from gateway.domain.model.event import Echo, Inbound, Subscription, Visit
from gateway.domain.model.nouns import Button, Content
from tests.bots.vk.bench import Bench
from tests.support.client import until


async def test_a_person_starts_and_writes(bench: Bench) -> None:
    anna = await bench.started(code="AbC_1-2")
    await bench.vk.say(anna, "Где мой заказ? 📦")
    start, text = await bench.of(Inbound)
    assert (start.start, start.content.text) == ("AbC_1-2", "Начать")
    assert (text.start, text.content, text.at) == (None, Content("Где мой заказ? 📦"), bench.now)
    assert text.address == bench.address(anna)
    assert bench.vk.phone(anna).screen[-1].id == text.provider_id
    (allowed,) = await bench.of(Subscription)
    assert allowed.active, "a first message counts as permission, and VK says so"


async def test_a_person_comes_by_the_widget_and_goes(bench: Bench) -> None:
    anna = bench.vk.user_of("+79990001122")
    await bench.vk.allow(anna, "AbC_1-2")
    await bench.vk.deny(anna)
    (visit,) = await bench.of(Visit)
    allowed, denied = await bench.of(Subscription)
    assert (visit.start, visit.address) == ("AbC_1-2", bench.address(anna))
    assert (allowed.active, denied.active) == (True, False)
    assert bench.events.index(visit) < bench.events.index(allowed)


async def test_a_person_presses_a_button_and_its_spinner_stops(bench: Bench) -> None:
    anna = await bench.started()
    buttons = (Button("Yes", reply="yes:A-17"), Button("Site", url="https://shop.ru/"))
    sent = await bench.send(anna, Content("Deliver?", buttons=buttons))
    await bench.vk.press(anna, sent, "Site")
    await bench.vk.press(anna, sent, "Yes")
    _, pressed = await bench.of(Inbound)
    assert (pressed.kind, pressed.pressed, pressed.provider_id) == ("message_event", "yes:A-17", sent)
    for _ in range(2):
        await bench.channel.acknowledge(pressed)
    assert pressed.callback_id is not None
    assert [f"{anna}/{event_id}" for event_id in bench.vk.answered] == [pressed.callback_id] * 2


async def test_acknowledging_never_fails(bench: Bench) -> None:
    anna = await bench.started()
    sent = await bench.send(anna, Content("?", buttons=(Button("Yes"),)))
    await bench.vk.press(anna, sent, "Yes")
    start, pressed = await bench.of(Inbound)
    bench.vk.faults.fail("10")
    await bench.channel.acknowledge(start)
    assert bench.vk.faults.planned, "a message needs no acknowledgement"
    await bench.channel.acknowledge(pressed)
    bench.now += timedelta(seconds=61)
    await bench.channel.acknowledge(pressed)
    await bench.channel.acknowledge(Inbound(bench.address(anna), "e", "1/1", Content(), bench.now, callback_id="odd"))
    assert bench.vk.answered == []


async def test_vk_tells_us_what_was_written_in_our_name(bench: Bench) -> None:
    anna = await bench.started()
    ours = await bench.send(anna, "Ваш заказ готов")
    await bench.vk.reply_as_operator(anna, "Это Ольга, слушаю вас")
    echoes = await bench.of(Echo)
    assert [echo.content.text for echo in echoes] == ["Ваш заказ готов", "Это Ольга, слушаю вас"]
    assert echoes[0].provider_id == ours
    assert len(await bench.of(Inbound)) == 1, "an echo is never answered"
    assert [bubble.id for bubble in bench.vk.phone(anna).screen[1:]] == [echo.provider_id for echo in echoes]


async def test_a_group_chat(bench: Bench) -> None:
    anna = await bench.started()
    await bench.vk.say_in_chat("2000000001", anna, "hi all")
    assert [event.address.user for event in await bench.of(Inbound)] == [anna, "2000000001"]
    assert len(await bench.of(Subscription)) == 1


async def test_a_webhook_is_repeated_until_it_is_taken(bench: Bench) -> None:
    bench.statuses += [500, 503]
    await bench.started()
    assert [status for status, _ in bench.vk.answers] == [500, 503, 200, 200]
    assert bench.tries == ["", "1", "2", ""]
    assert len(bench.events) == 2


async def test_copies_have_the_same_id(bench: Bench) -> None:
    bench.vk.faults.webhook_copies = 2
    await bench.started()
    one, other = await bench.of(Inbound)
    assert one == other


async def test_another_secret_is_not_believed(bench: Bench) -> None:
    bench.vk.callbacks.servers[0].secret_key = "someBodyElses1"
    bench.vk.callbacks.servers[0].events["message_allow"] = 0
    anna = bench.vk.user_of("+79990001122")
    await bench.vk.say(anna, "pay me")

    async def refused() -> bool:
        return bench.forged > 0

    await until(refused)
    assert bench.events == []


def test_ids_are_stable_and_nobody_shares_one(bench: Bench) -> None:
    numbers = [f"+7999{number:07}" for number in range(2000)]
    users = {bench.vk.user_of(number) for number in numbers}
    assert len(users) == len(numbers)
    assert all(user.isdecimal() and 0 < int(user) < 2_000_000_000 for user in users)


@pytest.mark.parametrize(("reachable", "reads", "state"), [(False, True, "sent"), (True, False, "delivered")])
async def test_what_a_phone_shows(bench: Bench, reachable: bool, reads: bool, state: str) -> None:  # noqa: FBT001
    anna = await bench.started()
    phone = bench.vk.phone(anna)
    phone.reachable, phone.reads = reachable, reads
    await bench.send(anna, "hi")
    assert phone.screen[-1].state == state
