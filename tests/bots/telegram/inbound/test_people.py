"""People act, Telegram reports it, we read it. aiogram's own types check the stand-in's updates: see conftest."""

from gateway.domain.model.event import Inbound, Person, Subscription
from gateway.domain.model.nouns import Button, Content
from tests.bots.telegram.conftest import Pair
from tests.support.http.webhook_receiver import NOW


async def test_a_person_writes(pair: Pair) -> None:
    anna = await pair.start_user("Анна")
    await pair.server.say(anna, "Где мой заказ? 📦")
    await pair.server.quiet()
    start, text = pair.events
    assert isinstance(start, Inbound)
    assert isinstance(text, Inbound)
    assert start.content == Content("/start")
    assert (text.content, text.at, text.address) == (Content("Где мой заказ? 📦"), NOW, pair.address(anna))
    assert text.person == Person("Анна", language="ru")
    bubble = pair.server.phone(anna).screen[-1]
    assert (bubble.mine, bubble.id, bubble.text) == (True, text.provider_id, "Где мой заказ? 📦")


async def test_a_person_presses_a_button_and_its_spinner_stops(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    buttons = (Button("Yes", reply="yes:A-17"), Button("Site", url="https://shop.ru/"))
    provider_id = await pair.channel.send(pair.address(anna), Content("Deliver?", buttons=buttons), key="k1")
    await pair.server.press(anna, provider_id, "Site")
    await pair.server.press(anna, provider_id, "Yes")
    await pair.server.quiet()
    pressed = pair.events[-1]
    assert len(pair.events) == 2
    assert isinstance(pressed, Inbound)
    assert (pressed.kind, pressed.pressed, pressed.content.text) == ("callback_query", "yes:A-17", "Yes")
    assert (pressed.provider_id, pressed.address) == (provider_id, pair.address(anna))
    await pair.channel.acknowledge(pressed)
    await pair.channel.acknowledge(pressed)
    assert pair.server.answered == [pressed.callback_id] * 2


async def test_acknowledging_never_fails(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    expired = Inbound(pair.address(anna), "1", "1/1", Content(), NOW, callback_id="expired")
    await pair.channel.acknowledge(expired)
    pair.server.faults.fail("500")
    await pair.channel.acknowledge(expired)
    pair.server.faults.fail("500")
    await pair.channel.acknowledge(pair.events[0])  # type: ignore[arg-type]
    assert len(pair.server.faults.planned) == 1, "a message needs no acknowledgement"
    assert pair.server.answered == []


async def test_a_person_blocks_the_bot_and_comes_back(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    await pair.server.block(anna)
    await pair.server.say(anna, "I am back")
    await pair.server.quiet()
    _, blocked, unblocked, text = pair.events
    assert isinstance(blocked, Subscription)
    assert isinstance(unblocked, Subscription)
    assert isinstance(text, Inbound)
    assert (blocked.active, unblocked.active) == (False, True)
    assert await pair.channel.send(pair.address(anna), Content("hi"), key="k1")


async def test_a_person_shares_their_number(pair: Pair) -> None:
    anna = await pair.start_user("Anna", "+79990001122")
    await pair.server.share_contact(anna)
    await pair.server.quiet()
    shared = pair.events[-1]
    assert isinstance(shared, Inbound)
    assert (shared.kind, shared.person.identifiers) == ("contact", ("phone:+79990001122",))


async def test_a_webhook_is_repeated_until_it_is_taken(pair: Pair) -> None:
    pair.statuses += [500, 401]
    await pair.start_user("Anna")
    assert [status for status, _ in pair.server.answers] == [500, 401, 200]
    assert len(pair.events) == 1


async def test_copies_have_the_same_id(pair: Pair) -> None:
    pair.server.faults.webhook_copies = 2
    await pair.start_user("Anna")
    first, second = pair.events
    assert first == second


def test_chat_ids_are_stable_and_nobody_shares_one(pair: Pair) -> None:
    numbers = [f"+7999{number:07}" for number in range(2000)]
    users = {pair.server.user_of(number) for number in numbers}
    assert len(users) == len(numbers)
    assert all(user.isdecimal() and int(user) < 2**52 for user in users)
    assert pair.server.user_of(numbers[0]) == pair.server.user_of(numbers[0])


async def test_what_a_phone_shows_of_a_message(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    phone = pair.server.phone(anna)
    for phone.reachable, phone.reads in ((False, True), (True, False), (True, True)):
        await pair.channel.send(pair.address(anna), Content("hi"), key="k1")
    assert [bubble.state for bubble in phone.screen[1:]] == ["sent", "delivered", "read"]
