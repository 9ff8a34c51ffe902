"""Tests numbers that change hands: the latest proof of a number counts, and the former owner's chat is nobody's."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from bots.telegram.simulator.server import Server as Telegram
from bots.whatsapp.simulator import webhooks
from gateway.runtime.settings.settings import Settings
from tests.gateway.people.consent.test_preferences import report
from tests.gateway.people.test_joining import chats, follow, has_worked, make_contact
from tests.support.client import PHONE, ApiClient, until
from tests.support.http.callback_receiver import CallbackReceiver, opened_callback_receiver
from tests.support.workload import phone, send_all, whatsapp
from webhooks.demo.environment import ACCOUNT, opened_environment

ANNA, BORIS = phone(901), phone(902)
FIRST, SECOND = "RU.1349120865530274", "RU.2481730591287364"
SMS = {"channel": "sms", "text": "Sale!"}


@pytest.fixture
async def receiver() -> AsyncIterator[CallbackReceiver]:
    async with opened_callback_receiver() as receiver:
        yield receiver


@pytest.fixture
async def demo(settings: Settings, receiver: CallbackReceiver) -> AsyncIterator[ApiClient]:
    """Yield a client of an environment whose Telegram account tells the receiver what happens."""
    with_callbacks = replace(settings, callbacks={f"telegram:{ACCOUNT}": receiver.url})
    async with opened_environment(with_callbacks) as environment, ApiClient.of(environment) as client:
        yield client


def telegram(demo: ApiClient) -> Telegram:
    simulator = demo.environment.simulators["telegram"]
    assert isinstance(simulator, Telegram)
    return simulator


async def share(demo: ApiClient, user: str, hours_ago: float = 0) -> None:
    """Let a Telegram user share PHONE as their own number."""
    at = int(demo.environment.runtime.clock().timestamp() - hours_ago * 3600)
    contact = {"phone_number": PHONE.removeprefix("+"), "first_name": "Anna", "user_id": int(user)}
    telegram(demo)._write(user, "", contact=contact, date=at)
    await settled(demo)


async def say(demo: ApiClient, user: str, text: str) -> None:
    telegram(demo)._write(user, text, text=text)
    await settled(demo)


async def settled(demo: ApiClient) -> None:
    await telegram(demo).quiet()
    await until(lambda: has_worked(demo.environment.runtime.db))


async def reached(demo: ApiClient, channel: str) -> str:
    """Return the address at which a message to PHONE is sent."""
    (key,) = await send_all(demo, [{"phone": PHONE}], {"channel": channel, "text": "Your result is here."})
    story = await demo.wait_for(key, "SENT", "DELIVERED", "READ")
    return str(story["attempts"][-1]["address"])


async def wanted(demo: ApiClient) -> bool:
    """Return whether the person with PHONE still gets advertisements."""
    (key,) = await send_all(demo, [{"phone": PHONE}], SMS, category="marketing")
    return bool((await demo.wait_for(key, "DELIVERED", "UNDELIVERED"))["status"] == "DELIVERED")


async def test_a_number_that_changed_hands_is_the_new_owners(demo: ApiClient, receiver: CallbackReceiver) -> None:
    old, new = (telegram(demo).user_of(number) for number in (ANNA, BORIS))
    await share(demo, old)
    assert await reached(demo, "telegram") == old
    demo.pass_time(1)
    await share(demo, new)
    demo.pass_time(1)
    await say(demo, old, "It is me again")
    assert await reached(demo, "telegram") == new
    await say(demo, old, "stop")
    assert await wanted(demo)
    assert await chats(demo, await make_contact(demo, phone=PHONE)) == {f"telegram:{ACCOUNT}:{new}"}

    async def heard() -> list[Any]:
        return [event for event in receiver.accepted if event["event"] == "session.left"]

    assert [event["session"] for event in await until(heard)] == [f"telegram:{ACCOUNT}:{old}"]
    demo.pass_time(1)
    await share(demo, old)
    await say(demo, old, "/start")
    assert await reached(demo, "telegram") == old


async def test_a_proof_that_is_heard_late_takes_nobodys_place(demo: ApiClient) -> None:
    old, new = (telegram(demo).user_of(number) for number in (ANNA, BORIS))
    demo.pass_time(2)
    await share(demo, new)
    await share(demo, old, hours_ago=1)
    await say(demo, old, "stop")
    assert await wanted(demo)
    assert await chats(demo, await make_contact(demo, phone=PHONE)) == {f"telegram:{ACCOUNT}:{new}"}


@pytest.mark.parametrize("order", ["link, number", "number, link"])
async def test_a_link_gives_nobody_the_place_of_who_has_proved_the_number(demo: ApiClient, order: str) -> None:
    linked, owner = (telegram(demo).user_of(number) for number in (ANNA, BORIS))
    contact = await make_contact(demo, phone=PHONE)
    for step in order.split(", "):
        demo.pass_time(1)
        if step == "link":
            await follow(demo, "telegram", contact["startCode"], ANNA)
        else:
            await share(demo, owner)
    await say(demo, linked, "Hello")
    assert await reached(demo, "telegram") == owner
    assert await chats(demo, contact) == {f"telegram:{ACCOUNT}:{owner}"}


async def write(demo: ApiClient, text: str, **names: str) -> None:
    """Let somebody write by WhatsApp. names: `from`, `from_user_id`, or both."""
    clock = demo.environment.runtime.clock
    whatsapp(demo).phone(PHONE.removeprefix("+")).last_wrote_at = clock()
    for user in (FIRST, SECOND):
        whatsapp(demo).phone(user).last_wrote_at = clock()
    person = {"wa_id": names.get("from"), "user_id": names.get("from_user_id"), "profile": {"name": "Anna"}}
    contact = {name: value for name, value in person.items() if value}
    stamp = webhooks.seconds(clock())
    message = {**names, "id": f"wamid.{text}.{stamp}", "timestamp": stamp, "type": "text", "text": {"body": text}}
    await report(demo, "messages", contacts=[contact], messages=[message])


NUMBER = {"from": PHONE.removeprefix("+")}


async def test_a_whatsapp_number_is_that_of_the_user_id_that_had_it_last(demo: ApiClient) -> None:
    await write(demo, "Hello", **NUMBER, from_user_id=FIRST)
    demo.pass_time(1)
    await write(demo, "Hi", **NUMBER, from_user_id=SECOND)
    demo.pass_time(1)
    await write(demo, "My number is hidden", from_user_id=FIRST)
    await write(demo, "stop", from_user_id=FIRST)
    assert await reached(demo, "whatsapp") == SECOND
    assert await wanted(demo)
    assert await chats(demo, await make_contact(demo, phone=PHONE)) == {f"whatsapp:{ACCOUNT}:{SECOND}"}
