"""People act, Telegram tells us, we read it. The stand-in's updates also pass aiogram's own types: see conftest."""

from gateway.domain.model.event import Inbound, Person, Subscription
from gateway.domain.model.nouns import Button, Content
from tests.bots.telegram.conftest import Shop
from tests.support.http.webhook_receiver import NOW


async def test_a_person_writes(shop: Shop) -> None:
    anna = await shop.started("Анна")
    await shop.server.say(anna, "Где мой заказ? 📦")
    await shop.server.quiet()
    start, text = shop.events
    assert isinstance(start, Inbound)
    assert isinstance(text, Inbound)
    assert start.content == Content("/start")
    assert (text.content, text.at, text.address) == (Content("Где мой заказ? 📦"), NOW, shop.address(anna))
    assert text.person == Person("Анна", language="ru")
    mine = shop.server.phone(anna).screen[-1]
    assert (mine.mine, mine.id, mine.text) == (True, text.provider_id, "Где мой заказ? 📦")


async def test_a_person_presses_a_button_and_its_spinner_stops(shop: Shop) -> None:
    anna = await shop.started("Anna")
    buttons = (Button("Yes", reply="yes:A-17"), Button("Site", url="https://shop.ru/"))
    sent = await shop.channel.send(shop.address(anna), Content("Deliver?", buttons=buttons), key="k1")
    await shop.server.press(anna, sent, "Site")
    await shop.server.press(anna, sent, "Yes")
    await shop.server.quiet()
    pressed = shop.events[-1]
    assert len(shop.events) == 2
    assert isinstance(pressed, Inbound)
    assert (pressed.kind, pressed.pressed, pressed.content.text) == ("callback_query", "yes:A-17", "Yes")
    assert (pressed.provider_id, pressed.address) == (sent, shop.address(anna))
    await shop.channel.acknowledge(pressed)
    await shop.channel.acknowledge(pressed)
    assert shop.server.answered == [pressed.callback_id] * 2


async def test_acknowledging_never_fails(shop: Shop) -> None:
    anna = await shop.started("Anna")
    expired = Inbound(shop.address(anna), "1", "1/1", Content(), NOW, callback_id="expired")
    await shop.channel.acknowledge(expired)
    shop.server.faults.fail("500")
    await shop.channel.acknowledge(expired)
    shop.server.faults.fail("500")
    await shop.channel.acknowledge(shop.events[0])  # type: ignore[arg-type]
    assert len(shop.server.faults.planned) == 1, "a message needs no acknowledgement"
    assert shop.server.answered == []


async def test_a_person_blocks_the_bot_and_comes_back(shop: Shop) -> None:
    anna = await shop.started("Anna")
    await shop.server.block(anna)
    await shop.server.say(anna, "I am back")
    await shop.server.quiet()
    _, blocked, unblocked, text = shop.events
    assert isinstance(blocked, Subscription)
    assert isinstance(unblocked, Subscription)
    assert isinstance(text, Inbound)
    assert (blocked.active, unblocked.active) == (False, True)
    assert await shop.channel.send(shop.address(anna), Content("hi"), key="k1")


async def test_a_person_shares_their_number(shop: Shop) -> None:
    anna = await shop.started("Anna", "+79990001122")
    await shop.server.share_contact(anna)
    await shop.server.quiet()
    shared = shop.events[-1]
    assert isinstance(shared, Inbound)
    assert (shared.kind, shared.person.phone) == ("contact", "+79990001122")


async def test_a_webhook_is_repeated_until_it_is_taken(shop: Shop) -> None:
    shop.statuses += [500, 401]
    await shop.started("Anna")
    assert [status for status, _ in shop.server.answers] == [500, 401, 200]
    assert len(shop.events) == 1


async def test_copies_have_the_same_id(shop: Shop) -> None:
    shop.server.faults.webhook_copies = 2
    await shop.started("Anna")
    one, other = shop.events
    assert one == other


def test_chat_ids_are_stable_and_nobody_shares_one(shop: Shop) -> None:
    numbers = [f"+7999{number:07}" for number in range(2000)]
    users = {shop.server.user_of(number) for number in numbers}
    assert len(users) == len(numbers)
    assert all(user.isdecimal() and int(user) < 2**52 for user in users)
    assert shop.server.user_of(numbers[0]) == shop.server.user_of(numbers[0])


async def test_what_a_phone_shows_of_a_message(shop: Shop) -> None:
    anna = await shop.started("Anna")
    phone = shop.server.phone(anna)
    for phone.reachable, phone.reads in ((False, True), (True, False), (True, True)):
        await shop.channel.send(shop.address(anna), Content("hi"), key="k1")
    assert [bubble.state for bubble in phone.screen[1:]] == ["sent", "delivered", "read"]
