"""Tests joining: a deep link joins the chat of one person of a channel, once and for a while; the others just start."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from bots.simulation.simulation import Bubble
from bots.telegram.simulator.server import Server as Telegram
from gateway.domain.model.nouns import Address
from gateway.runtime.settings.settings import Settings
from storage.documents.documents import Db
from storage.people import contacts
from tests.support.client import PHONE, ApiClient, until
from tests.support.http.callback_receiver import CallbackReceiver, opened_callback_receiver
from tests.support.twins import OTHER, opened_twins
from tests.support.workload import phone, whatsapp
from webhooks.demo.environment import ACCOUNT, opened_environment

ANNA, BORIS = phone(701), phone(702)
LINKED = ("telegram", "vk", "viber", "whatsapp")
LIFE = timedelta(days=30, hours=1)


@pytest.fixture
async def receiver() -> AsyncIterator[CallbackReceiver]:
    async with opened_callback_receiver() as receiver:
        yield receiver


@pytest.fixture
async def demo(settings: Settings, receiver: CallbackReceiver) -> AsyncIterator[ApiClient]:
    """Yield a client of an environment whose accounts tell the receiver what happens."""
    callbacks = dict.fromkeys((f"{channel}:{ACCOUNT}" for channel in LINKED), receiver.url)
    with_callbacks = replace(settings, callbacks=callbacks)
    async with opened_environment(with_callbacks) as environment, ApiClient.of(environment) as client:
        yield client


async def make_contact(demo: ApiClient, **names: str) -> Any:
    status, contact = await demo.post("/api/v1/contacts", names or {"externalId": "crm-17"})
    assert status == 200, contact
    return contact


async def follow(demo: ApiClient, channel: str, code: str, number: str) -> Bubble:
    """Follow a deep link as the person with this number. Returns the bot's answer to the start."""
    simulator, before = demo.environment.simulators[channel], len(demo.answers(channel, number))
    await simulator.start(simulator.user_of(number), code)
    await simulator.quiet()
    answer = await demo.answer(channel, before, number)
    await until(lambda: has_worked(demo.environment.runtime.db))
    return answer


async def has_worked(db: Db) -> bool:
    """Return whether every event that has come in was worked on."""
    return await db["inbox"].find_one({"done_at": None}) is None


async def chats(demo: ApiClient, contact: Any) -> set[str]:
    """Return the ids of the contact's conversations, as the API shows them."""
    async with demo.http.get(f"/api/v1/contacts/{contact['id']}/sessions") as response:
        return {session["id"] for session in (await response.json())["sessions"]}


def chat_of(demo: ApiClient, channel: str, number: str) -> str:
    user = demo.environment.simulators[channel].user_of(number)
    return Address(channel, ACCOUNT, whatsapp(demo).identity(user).bsuid if channel == "whatsapp" else user).key


async def joined(receiver: CallbackReceiver, count: int) -> list[tuple[str, str]]:
    """Wait for as many `session.joined`. Returns their sessions and contacts."""

    async def heard() -> list[Any] | None:
        events = [event for event in receiver.accepted if event["event"] == "session.joined"]
        return events if len(events) >= count else None

    return [(event["session"], event["contact"]) for event in await until(heard)]


@pytest.mark.parametrize("channel", LINKED)
async def test_whoever_comes_second_by_a_link_starts_and_is_not_joined(
    demo: ApiClient, receiver: CallbackReceiver, channel: str
) -> None:
    contact = await make_contact(demo)
    first = await follow(demo, channel, contact["startCode"], ANNA)
    second = await follow(demo, channel, contact["startCode"], BORIS)
    assert (second.text.partition("!")[2], second.buttons) == (first.text.partition("!")[2], first.buttons)
    assert await chats(demo, contact) == {chat_of(demo, channel, ANNA)}
    key = await demo.send({"channel": channel, "text": "Your result is here."}, externalId="crm-17")
    await demo.wait_for(key, "SENT", "DELIVERED", "READ")
    assert "Your result is here." in [bubble.text for bubble in demo.answers(channel, ANNA)]
    assert "Your result is here." not in [bubble.text for bubble in demo.answers(channel, BORIS)]
    heard = await joined(receiver, 1)
    assert (chat_of(demo, channel, ANNA), contact["id"]) in heard
    assert (chat_of(demo, channel, BORIS), contact["id"]) not in heard


@pytest.mark.parametrize(("channel", "accounts"), [("viber", {ACCOUNT, OTHER}), ("telegram", {ACCOUNT})])
async def test_a_link_joins_one_user_of_each_account_where_ids_differ_between_them(
    settings: Settings, channel: str, accounts: set[str]
) -> None:
    """Anna's id at the second account is another one there; in Telegram it can only be somebody else's."""
    async with opened_twins(settings) as twins:
        contact = await make_contact(twins.first)
        for client, number in ((twins.first, ANNA), (twins.second, phone(703)), (twins.second, BORIS)):
            await follow(client, channel, contact["startCode"], number)
        user = twins.simulators(channel)[0].user_of
        joined = {ACCOUNT: user(ANNA), OTHER: user(phone(703))}
        assert await chats(twins.first, contact) == {Address(channel, name, joined[name]).key for name in accounts}


async def test_a_code_that_an_older_version_has_redeemed_joins_nobody_else(demo: ApiClient) -> None:
    contact, viber = await make_contact(demo), demo.environment.simulators["viber"]
    users = {"$set": {"code_users": {"viber": viber.user_of(ANNA)}}}
    await demo.environment.runtime.db["contacts"].update_one({"_id": contact["id"]}, users)
    await follow(demo, "viber", contact["startCode"], BORIS)
    await follow(demo, "viber", contact["startCode"], ANNA)
    assert await chats(demo, contact) == {chat_of(demo, "viber", ANNA)}


async def test_one_link_joins_a_chat_of_each_channel(demo: ApiClient, receiver: CallbackReceiver) -> None:
    contact = await make_contact(demo)
    for channel in LINKED:
        await follow(demo, channel, contact["startCode"], ANNA)
    assert await chats(demo, contact) == {chat_of(demo, channel, ANNA) for channel in LINKED}
    assert await joined(receiver, 4) == [(chat_of(demo, channel, ANNA), contact["id"]) for channel in LINKED]


@pytest.mark.parametrize("channel", LINKED)
async def test_a_code_that_has_expired_joins_nobody(demo: ApiClient, channel: str) -> None:
    contact = await make_contact(demo)
    demo.pass_time(LIFE / timedelta(hours=1))
    await follow(demo, channel, contact["startCode"], ANNA)
    assert await chats(demo, contact) == set()
    async with demo.http.get("/api/v1/contacts?externalId=crm-17") as response:
        shown = await response.json()
    assert (shown["startCode"], shown["links"]) == (None, {})
    renewed = await make_contact(demo)
    assert renewed["id"] == contact["id"]
    await follow(demo, channel, renewed["startCode"], ANNA)
    assert await chats(demo, contact) == {chat_of(demo, channel, ANNA)}


async def test_a_new_code_takes_the_place_of_one_that_went_astray(demo: ApiClient) -> None:
    contact = await make_contact(demo)
    status, renewed = await demo.post(f"/api/v1/contacts/{contact['id']}/startCode", {})
    assert (status, renewed["id"]) == (200, contact["id"])
    await follow(demo, "telegram", contact["startCode"], BORIS)
    await follow(demo, "telegram", renewed["startCode"], ANNA)
    assert await chats(demo, contact) == {chat_of(demo, "telegram", ANNA)}


async def test_of_many_who_come_at_the_same_moment_one_is_joined(demo: ApiClient, receiver: CallbackReceiver) -> None:
    contact, telegram = await make_contact(demo), demo.environment.simulators["telegram"]
    people = [phone(710 + number) for number in range(12)]
    await asyncio.gather(*(telegram.start(telegram.user_of(number), contact["startCode"]) for number in people))
    for number in people:
        await demo.answer("telegram", 0, number)
    (chat,) = await chats(demo, contact)
    assert await joined(receiver, 1) == [(chat, contact["id"])]


async def test_a_link_that_was_followed_before_a_crash_still_joins_the_one_who_followed_it(demo: ApiClient) -> None:
    """The process dies between the two writes, and the event is worked on again."""
    contact, db = await make_contact(demo), demo.environment.runtime.db
    found = await contacts.find_by_start_code(db, contact["startCode"])
    assert found
    anna = demo.environment.simulators["telegram"].user_of(ANNA)
    assert await contacts.redeem(db, found[0], "telegram", anna)
    await follow(demo, "telegram", contact["startCode"], BORIS)
    assert await chats(demo, contact) == set()
    await follow(demo, "telegram", contact["startCode"], ANNA)
    assert await chats(demo, contact) == {chat_of(demo, "telegram", ANNA)}


async def test_a_chat_that_is_known_to_be_somebody_elses_is_not_joined(demo: ApiClient) -> None:
    """Boris's own number is known; the link of Anna's that he follows is not used up by that."""
    anna = await make_contact(demo, phone=ANNA)
    boris = await make_contact(demo, phone=BORIS)
    await follow(demo, "telegram", boris["startCode"], BORIS)
    await follow(demo, "telegram", anna["startCode"], BORIS)
    await follow(demo, "whatsapp", anna["startCode"], BORIS)
    await follow(demo, "telegram", anna["startCode"], ANNA)
    assert await chats(demo, anna) == {chat_of(demo, "telegram", ANNA)}
    assert await chats(demo, boris) == {chat_of(demo, channel, BORIS) for channel in ("telegram", "whatsapp")}


@pytest.mark.parametrize("order", ["code, number", "number, code", "contact by number, code, number"])
async def test_an_external_id_a_code_and_a_shared_number_are_one_person(demo: ApiClient, order: str) -> None:
    telegram = demo.environment.simulators["telegram"]
    assert isinstance(telegram, Telegram)
    user = telegram.user_of(PHONE)
    contact = await make_contact(demo)
    for step in order.split(", "):
        if step == "contact by number":
            await make_contact(demo, phone=PHONE)
        elif step == "code":
            await follow(demo, "telegram", contact["startCode"], PHONE)
        else:
            before = len(demo.answers("telegram"))
            await telegram.share_contact(user)
            await demo.answer("telegram", before)
    for names in ({"phone": PHONE}, {"externalId": "crm-17"}):
        person = await make_contact(demo, **names)
        assert (person["phone"], person["externalId"]) == (PHONE, "crm-17")
        assert await chats(demo, person) == {chat_of(demo, "telegram", PHONE)}


async def test_a_number_that_contradicts_a_link_counts_more(demo: ApiClient) -> None:
    """Boris was faster with Anna's link; his own number, which Telegram reports, shows whose chat it is."""
    telegram = demo.environment.simulators["telegram"]
    assert isinstance(telegram, Telegram)
    anna = await make_contact(demo, phone=ANNA)
    await follow(demo, "telegram", anna["startCode"], BORIS)
    await telegram.share_contact(telegram.user_of(BORIS))
    await demo.answer("telegram", 1, BORIS)
    assert await chats(demo, anna) == set()
    assert await chats(demo, await make_contact(demo, phone=BORIS)) == {chat_of(demo, "telegram", BORIS)}
