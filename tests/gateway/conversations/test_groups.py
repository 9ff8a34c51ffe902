"""Groups, through the providers' webhooks: a group is nobody's own, and what is said there counts for it alone."""

import itertools
import json
from typing import Any

import pytest

from bots.simulation.simulation import Bubble
from bots.telegram.inbound.webhook import SECRET_HEADER
from bots.telegram.simulator.server import Server as Telegram
from bots.vk.simulator.server import Server as Vk
from bots.whatsapp.simulator.server import Server as WhatsApp
from gateway.domain.channel.calls import Call
from tests.gateway.conversations.test_consent import is_out_of_marketing, session_of, shown
from tests.support.client import PHONE, ApiClient, until

GROUP = "-1001234567890"
ANNA = {"id": 5550001, "is_bot": False, "first_name": "Anna"}
BOT = {"id": 4440001, "is_bot": True, "first_name": "Weather", "username": "weather_bot"}
ADMIN = {"from": {"id": 1087968824, "is_bot": True, "first_name": "Group"}, "sender_chat": {"id": int(GROUP)}}
POST = {"from": {"id": 777000, "is_bot": False, "first_name": "Telegram"}, "is_automatic_forward": True}
CONTACT = {"phone_number": PHONE, "first_name": "Anna", "user_id": 5550001}
numbers = itertools.count(900000001)


async def post(demo: ApiClient, kind: str = "message", **fields: Any) -> None:
    """Post an update about a message in the group, and wait until it is in the chat log."""
    server = demo.environment.simulators["telegram"]
    assert isinstance(server, Telegram)
    server.phone(GROUP).last_wrote_at = demo.environment.runtime.clock()
    number, chat = next(numbers), {"id": int(GROUP), "type": "supergroup", "title": "Warehouse"}
    now = int(demo.environment.runtime.clock().timestamp())
    message = {"message_id": number, "from": ANNA, "chat": chat, "date": now, **fields}
    body = json.dumps({"update_id": number, kind: message}).encode()
    headers = {"content-type": "application/json", SECRET_HEADER: server.account.webhook_secret.reveal()}
    server.deliver(Call("POST", server.webhook_url, headers, body, demo.environment.runtime.clock()))
    await wait_until_done(demo, f"telegram:demo:{number}")


async def wait_until_done(demo: ApiClient, key: str) -> None:
    async def is_done() -> bool:
        document = await demo.environment.runtime.db["inbox"].find_one({"_id": key})
        return document is not None and document.get("done_at") is not None

    await until(is_done)


def group_screen(demo: ApiClient) -> list[Bubble]:
    return [bubble for bubble in demo.environment.simulators["telegram"].phone(GROUP).screen if not bubble.mine]


async def session(demo: ApiClient, key: str = f"telegram:demo:{GROUP}") -> Any:
    return await shown(demo, f"/api/v1/sessions/{key}")


async def join_private_chat(demo: ApiClient) -> None:
    contact = (await demo.post("/api/v1/contacts", {"phone": PHONE}))[1]
    await demo.say("telegram", f"/start {contact['startCode']}")


@pytest.mark.parametrize(
    ("fields", "answer", "stops"),
    [
        ({"text": "hello"}, "", False),
        ({"text": "stop"}, "", False),
        ({"text": "/stop@another_bot"}, "", False),
        ({"from": BOT, "text": "/stop"}, "", False),
        ({"text": "/stop", **POST}, "", False),
        ({"text": "/stop"}, "no more notifications", True),
        ({"text": "/stop@demo_shop_bot"}, "no more notifications", True),
        ({"text": "@demo_shop_bot stop"}, "no more notifications", True),
        ({"text": "/stop", **ADMIN}, "no more notifications", True),
        ({"text": "@demo_shop_bot hello"}, "I did not understand", False),
        ({"text": "/help"}, "/start - get", False),
    ],
)
async def test_who_says_what(demo: ApiClient, fields: dict[str, Any], answer: str, stops: bool) -> None:  # noqa: FBT001
    await join_private_chat(demo)
    await post(demo, text="good morning")
    await post(demo, **fields)
    await demo.say("telegram", "/help")  # whatever was to be answered before this is answered
    texts = [bubble.text for bubble in group_screen(demo)]
    assert [answer in text for text in texts] == ([True] if answer else [])
    assert ((await session(demo))["stoppedAt"] is not None) is stops
    assert not await is_out_of_marketing(demo, phone=PHONE)
    private = f"telegram:demo:{demo.environment.simulators['telegram'].user_of(PHONE)}"
    assert (await session(demo, private))["stoppedAt"] is None


async def test_neither_a_number_nor_a_code_makes_a_group_somebodys(demo: ApiClient) -> None:
    contact = (await demo.post("/api/v1/contacts", {"phone": PHONE}))[1]
    await post(demo, contact=CONTACT)
    await post(demo, text=f"/start {contact['startCode']}")
    assert (await session(demo))["contactId"] is None
    assert (await session(demo))["name"] is None
    code = await demo.send({"channel": "telegram", "text": "Your code is 1234"}, {"channel": "sms", "text": "1234"})
    story = await demo.wait_for(code, "DELIVERED")
    assert [(each["channel"], each["status"]) for each in story["attempts"]] == [
        ("telegram", "SKIPPED"),
        ("sms", "DELIVERED"),
    ]
    await demo.say("telegram", f"/start {contact['startCode']}")
    await demo.wait_for(await demo.send({"channel": "telegram", "text": "Your code is 5678"}), "SENT")
    assert demo.answers("telegram")[-1].text == "Your code is 5678"
    assert "code" not in "".join(bubble.text for bubble in group_screen(demo))


async def test_a_group_that_is_named_gets_the_message_until_it_stops(demo: ApiClient) -> None:
    await post(demo, text="good morning")
    named = {"chatSessionId": f"telegram:demo:{GROUP}"}
    await demo.wait_for(await demo.send({"channel": "telegram", "text": "New goods"}, **named), "SENT")
    await post(demo, text="/stop")
    story = await demo.wait_for(await demo.send({"channel": "telegram", "text": "New goods"}, **named), "UNDELIVERED")
    assert story["attempts"][0]["status"] == "SKIPPED"


async def test_the_answer_goes_to_the_topic_of_the_question(demo: ApiClient) -> None:
    await post(demo, text="/help", message_thread_id=15, is_topic_message=True)
    await post(demo, text="/help", message_thread_id=16)
    server = demo.environment.simulators["telegram"]

    async def both() -> Any:
        requests = [entry.request for entry in server.accepted if entry.user == GROUP]
        return requests if len(requests) == 2 else None

    assert [request.get("message_thread_id") for request in await until(both)] == ["15", None]


async def test_the_chat_log_says_who_spoke(demo: ApiClient) -> None:
    await post(demo, text="hello")
    bot: dict[str, Any] = {"from": BOT}
    await post(demo, text="+20 °C", **bot)
    lines = (await shown(demo, f"/api/v1/sessions/telegram:demo:{GROUP}/messages"))["messages"]
    assert [(line["author"], line["text"]) for line in reversed(lines)] == [("Anna", "hello"), ("Weather", "+20 °C")]


async def test_vk_is_addressed_by_its_mention(demo: ApiClient) -> None:
    server = demo.environment.simulators["vk"]
    assert isinstance(server, Vk)
    chat, ours = "2000000001", f"[club{server.account.group_id}|@shop]"
    for text in ("стоп", "[club5|@other] стоп", f"{ours} привет", f"{ours}, стоп"):
        await server.say_in_chat(chat, "5550001", text)

    async def answers() -> Any:
        texts = [bubble.text for bubble in server.phone(chat).screen if not bubble.mine]
        return texts if len(texts) == 2 else None

    first, second = await until(answers)
    assert "I did not understand" in first
    assert "Больше не будем" in second
    assert (await session(demo, f"vk:demo:{chat}"))["stoppedAt"] is not None


async def test_whatsapps_groups_leave_the_private_chat_alone(demo: ApiClient) -> None:
    server = demo.environment.simulators["whatsapp"]
    assert isinstance(server, WhatsApp)
    await demo.say("whatsapp", "/start")
    user = server.user_of(PHONE)
    demo.pass_time(hours=25)
    server._write(user, {"type": "text", "text": {"body": "/stop"}, "group_id": "Y2FwaV9ncm91cDox"}, "/stop")

    async def group() -> Any:
        view = await session(demo, "whatsapp:demo:group:Y2FwaV9ncm91cDox")
        return view if view.get("stoppedAt") else None

    assert (await until(group))["contactId"] is None
    private = await session(demo, session_of(demo, "whatsapp", PHONE))
    assert (private["stoppedAt"], private["window"]["open"]) == (None, False)
    assert not await is_out_of_marketing(demo, phone=PHONE)
