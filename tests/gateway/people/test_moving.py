"""Tests people and groups whose address becomes another: what was said, stopped and joined goes along."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.telegram.simulator.server import Server as Telegram
from bots.whatsapp.simulator import webhooks
from gateway.domain.channel.window import Window
from gateway.domain.model.event import Inbound
from gateway.domain.model.nouns import Address, Content, Session
from gateway.people import sessions
from gateway.people.moving import united
from storage.documents.documents import Contended
from storage.people import sessions as stored
from tests.gateway.people.consent.test_preferences import has_worked, report
from tests.support.client import PHONE, ApiClient, until
from tests.support.workload import accepted_messages, decisions_text, phone, send_all, whatsapp

NEW = phone(801)
OLD_ID, NEW_ID = PHONE.removeprefix("+"), NEW.removeprefix("+")
BSUID, NEW_BSUID = "RU.1349120865530274", "RU.2481730591287364"
SMS = {"channel": "sms", "text": "Sale!"}
WHATSAPP = {"channel": "whatsapp", "text": "Hi"}


async def chats(demo: ApiClient) -> list[Any]:
    async with demo.http.get("/api/v1/sessions") as response:
        return list((await response.json())["sessions"])


async def said(demo: ApiClient, session: str) -> list[str]:
    """Return the texts of a conversation as the API shows them, the oldest first."""
    async with demo.http.get(f"/api/v1/sessions/{session}/messages") as response:
        assert response.status == 200, await response.text()
        return [line["text"] for line in reversed((await response.json())["messages"])]


def notice(demo: ApiClient, kind: str, system: dict[str, str], **names: str) -> dict[str, Any]:
    stamp = webhooks.seconds(demo.environment.runtime.clock())
    return {**names, "id": f"wamid.{kind}", "timestamp": stamp, "type": "system", "system": {**system, "type": kind}}


def user_id(demo: ApiClient, number: str) -> str:
    """Return the business-scoped id by which Meta names the person with this number."""
    return whatsapp(demo).identity(number).bsuid


async def change_number(demo: ApiClient) -> None:
    system = {"body": f"User Anna changed from {OLD_ID} to {NEW_ID}", "wa_id": NEW_ID, "user_id": user_id(demo, NEW_ID)}
    await report(demo, "messages", messages=[notice(demo, "user_changed_number", system, **{"from": OLD_ID})])


@pytest.mark.parametrize("first", ["the notice", "a message from the new number"])
async def test_a_new_number_has_the_conversation_the_opt_outs_and_the_contact(demo: ApiClient, first: str) -> None:
    await demo.post("/api/v1/contacts", {"phone": PHONE, "externalId": "crm-17"})
    await demo.say("whatsapp", "/start")
    await demo.post("/api/v1/optOuts", {"phone": PHONE})
    demo.pass_time(0.1)
    if first != "the notice":
        await demo.say("whatsapp", "Hello", NEW)
    await change_number(demo)
    if first == "the notice":
        await demo.say("whatsapp", "Hello", NEW)
    (chat,) = await chats(demo)
    assert chat["userId"] == user_id(demo, NEW_ID)
    lines = await said(demo, chat["id"])
    assert [line for line in lines if line in {"/start", "Hello"}] == ["/start", "Hello"]
    assert await said(demo, f"whatsapp:demo:{user_id(demo, OLD_ID)}") == lines
    async with demo.http.get("/api/v1/contacts?externalId=crm-17") as response:
        contact = await response.json()
    assert contact["phone"] == NEW
    assert chat["contactId"] in {contact["id"], *contact["mergedIds"]}
    people: list[Any] = [
        {"phone": NEW},
        {"externalId": "crm-17"},
        {"chatSessionId": f"whatsapp:demo:{user_id(demo, OLD_ID)}"},
    ]
    for key in await send_all(demo, people, WHATSAPP):
        assert (await demo.wait_for(key, "DELIVERED", "READ"))["attempts"][0]["address"] == chat["userId"]
    for key in await send_all(demo, people[:2], SMS, category="marketing"):
        assert "opted out of marketing" in decisions_text(await demo.wait_for(key, "UNDELIVERED"))


async def test_whoever_gets_the_old_number_later_is_somebody_else(demo: ApiClient) -> None:
    await demo.post("/api/v1/contacts", {"phone": PHONE, "externalId": "crm-17"})
    await demo.say("whatsapp", "/start")
    await demo.say("whatsapp", "/stop")
    await change_number(demo)
    demo.pass_time(24 * 90)
    await demo.say("whatsapp", "I am Boris", PHONE)
    stranger = f"whatsapp:demo:{user_id(demo, OLD_ID)}"
    assert "/start" not in await said(demo, stranger)
    chat = next(chat for chat in await chats(demo) if chat["id"] == stranger)
    assert (chat["stoppedAt"], chat["state"]) == (None, "open")
    async with demo.http.get("/api/v1/contacts?externalId=crm-17") as response:
        assert (await response.json())["id"] != chat["contactId"]


async def test_what_was_said_before_the_move_and_comes_after_it_is_in_the_same_conversation(demo: ApiClient) -> None:
    await demo.say("whatsapp", "/start")
    demo.pass_time(1)
    await change_number(demo)
    demo.pass_time(-0.5)
    simulator = whatsapp(demo)
    await simulator.say(OLD_ID, "I am about to get a new number")
    await simulator.quiet()
    await until(lambda: has_worked(demo.environment.runtime.db))
    (chat,) = await chats(demo)
    assert "I am about to get a new number" in await said(demo, chat["id"])


async def test_a_number_that_was_left_for_another_contacts_leads_nowhere(demo: ApiClient) -> None:
    await demo.post("/api/v1/contacts", {"phone": PHONE, "externalId": "crm-17"})
    await demo.post("/api/v1/contacts", {"phone": NEW})
    await demo.say("whatsapp", "/start")
    await change_number(demo)
    async with demo.http.get("/api/v1/contacts?externalId=crm-17") as response:
        assert (await response.json())["phone"] == NEW
    async with demo.http.get("/api/v1/contacts", params={"phone": PHONE}) as response:
        assert response.status == 404


CHANGED = {"body": f"User Anna changed from {BSUID} to {NEW_BSUID}", "user_id": NEW_BSUID}
UPDATE = {"user_id": {"previous": BSUID, "current": NEW_BSUID}, "detail": ""}


@pytest.mark.parametrize(
    ("field", "item"),
    [
        ("user_id_update", UPDATE),
        ("user_id_update", {**UPDATE, "wa_id": NEW_ID}),
        ("messages", {"system": CHANGED}),
        ("messages", {"system": CHANGED, "from_user_id": BSUID}),
        ("messages", {"system": {**CHANGED, "body": "", "previous_user_id": BSUID, "wa_id": NEW_ID}, "from": OLD_ID}),
    ],
)
async def test_a_new_user_id_has_the_conversation(demo: ApiClient, field: str, item: dict[str, Any]) -> None:
    simulator = whatsapp(demo)
    simulator.give_bsuid(OLD_ID, BSUID)
    await simulator.say(OLD_ID, "/stop")
    await simulator.quiet()
    await until(lambda: has_worked(demo.environment.runtime.db))
    if field == "messages":
        names = {name: value for name, value in item.items() if name != "system"}
        item = notice(demo, "user_changed_user_id", item["system"], **names)
    else:
        item = {**item, "timestamp": webhooks.seconds(demo.environment.runtime.clock())}
    await report(demo, field, **{field: [item]})
    (chat,) = await chats(demo)
    assert (chat["userId"], chat["state"]) == (NEW_BSUID, "stopped")
    assert "/stop" in await said(demo, chat["id"])
    if NEW_ID in str(item):
        (key,) = await send_all(demo, [{"phone": NEW}], SMS, category="marketing")
        await demo.wait_for(key, "UNDELIVERED")


GROUP = "-4001"


async def write_in_group(demo: ApiClient, chat: str, **content: Any) -> None:
    telegram = demo.environment.simulators["telegram"]
    assert isinstance(telegram, Telegram)
    telegram._write(chat, "", **content)
    await telegram.quiet()
    await until(lambda: has_worked(demo.environment.runtime.db))


@pytest.mark.parametrize("told", ["in the old chat", "in the new chat", "in both", "by the answer to a send"])
async def test_a_group_that_becomes_a_supergroup_is_one_conversation(demo: ApiClient, told: str) -> None:
    telegram = demo.environment.simulators["telegram"]
    assert isinstance(telegram, Telegram)
    old = Address("telegram", "demo", GROUP)
    telegram.phone(GROUP, "The team")
    await write_in_group(demo, GROUP, text="/start")
    new = telegram.upgrade(GROUP)
    if told in {"in the old chat", "in both"}:
        await write_in_group(demo, GROUP, migrate_to_chat_id=int(new))
    if told in {"in the new chat", "in both"}:
        await write_in_group(demo, new, migrate_from_chat_id=int(GROUP))
    destination = {"chatSessionId": old.key}
    (key,) = await send_all(demo, [destination], {"channel": "telegram", "text": "One"})
    await demo.wait_for(key, "SENT")
    await until(lambda: has_worked(demo.environment.runtime.db))
    (key,) = await send_all(demo, [destination], {"channel": "telegram", "text": "Two"})
    assert (await demo.wait_for(key, "SENT"))["attempts"][0]["address"] == new

    async def calls() -> list[Any]:
        return list((await demo.story(key))["attempts"][0]["calls"])

    assert len(await until(calls)) == 1
    (chat,) = await chats(demo)
    assert chat["userId"] == new
    lines = await said(demo, old.key)
    assert {"/start", "Two"} <= set(lines)
    assert lines == await said(demo, chat["id"])


async def test_the_id_that_meta_has_for_a_number_is_learned_from_its_answer(demo: ApiClient) -> None:
    """Of a country whose spellings nobody has told us: we wrote first, and the person answers from another id."""
    simulator, number, wa_id = whatsapp(demo), "+2250707123456", "22507123456"
    simulator.wa_ids[number.removeprefix("+")] = wa_id
    values = {"name": "{{name}}", "order": "{{order}}"}
    template = {"channel": "whatsapp", "template": {"name": "order_update", "language": "en", "variables": values}}
    variables = {"name": "Anna", "order": "A-17"}
    (key,) = await send_all(demo, [{"phone": number, "variables": variables}], template)
    await demo.wait_for(key, "DELIVERED", "READ")
    await until(lambda: has_worked(demo.environment.runtime.db))
    await demo.say("whatsapp", "Thanks", f"+{wa_id}")
    (key,) = await send_all(demo, [{"phone": number}], WHATSAPP)
    await demo.wait_for(key, "DELIVERED", "READ")
    assert {message.user for message in accepted_messages(demo, "whatsapp")} == {wa_id}
    async with demo.http.get("/api/v1/contacts", params={"phone": number}) as response:
        contact = await response.json()
    assert {chat["contactId"] for chat in await chats(demo)} <= {contact["id"], *contact["mergedIds"]}


async def test_who_finds_the_conversation_gone_opens_none_in_its_old_place(demo: ApiClient) -> None:
    """It has moved between the moment in which an event was addressed and that in which it is applied."""
    await demo.say("whatsapp", "/start")
    runtime, left = demo.environment.runtime, Address(*(await chats(demo))[0]["id"].split(":"))
    await change_number(demo)
    before = await stored.at_address(runtime.db, left.key)
    assert before
    assert before.moved_at

    def said_at(at: datetime) -> Inbound:
        return Inbound(left, "1", "1", Content("Hello"), at)

    later = before.moved_at + timedelta(seconds=1)
    with pytest.raises(Contended):
        await sessions.touch(runtime, Window(), said_at(before.moved_at), None, before.moved_at)
    assert await stored.at_address(runtime.db, left.key) == before
    another = await sessions.touch(runtime, Window(), said_at(later), None, later)
    assert another.moved_to is None, "who writes from there later is somebody else"


async def test_many_events_at_once_lose_nothing_of_a_move(demo: ApiClient) -> None:
    await demo.say("whatsapp", "/start")
    simulator = whatsapp(demo)
    await asyncio.gather(
        change_number(demo),
        *(simulator.say(OLD_ID, f"old {number}") for number in range(5)),
        *(simulator.say(NEW_ID, f"new {number}") for number in range(5)),
    )
    await simulator.quiet()
    await until(lambda: has_worked(demo.environment.runtime.db))
    texts = [text for chat in await chats(demo) for text in await said(demo, chat["id"])]
    assert {f"{age} {number}" for age in ("old", "new") for number in range(5)} <= set(texts)


moments = st.none() | st.integers(0, 5).map(lambda minute: datetime(2026, 11, 23, 12, minute, tzinfo=UTC))
TIMES = (
    "started_at",
    "last_inbound_at",
    "blocked_at",
    "stopped_at",
    "resumed_at",
    "closed_at",
    "active_at",
    "unseen_from",
)
conversations = st.builds(
    lambda **times: Session("vk:shop:1", Address("vk", "shop", "1"), **times), **dict.fromkeys(TIMES, moments)
)


@given(conversations, conversations)
def test_to_bring_a_conversation_twice_is_to_bring_it_once(session: Session, former: Session) -> None:
    whole = united(session, former)
    assert united(whole, former) == whole
    assert united(whole, session) == whole
    assert whole == united(former, session)
