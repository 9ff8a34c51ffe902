"""vk_api as a community's bot uses it: https://vk-api.readthedocs.io."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import requests
import vk_api
from requests.adapters import HTTPAdapter
from vk_api.bot_longpoll import VkBotEvent, VkBotEventType, VkBotMessageEvent
from vk_api.keyboard import VkKeyboard, VkKeyboardColor
from vk_api.utils import get_random_id

from tests.judges.bench import Bench, opened_bench

PNG = b"\x89PNG\r\n\x1a\n picture"
MESSAGES = {"message_new", "message_reply", "message_edit"}


class Adapter(HTTPAdapter):
    """Sends the calls for VK to the stand-in, since vk_api knows no other address."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:  # type: ignore[override]
        request.url = str(request.url).replace("https://api.vk.ru", self.url)
        return super().send(request, **options)


class Bot:
    """vk_api's client, whose blocking calls run in a thread."""

    def __init__(self, bench: Bench) -> None:
        self.http = requests.Session()
        self.http.mount("https://api.vk.ru/", Adapter(bench.url))
        token = bench.account.access_token.reveal()
        self.session = vk_api.VkApiGroup(token=token, session=self.http, api_version="5.199")
        self.session.RPS_DELAY = 0
        self.vk, self.upload = self.session.get_api(), vk_api.VkUpload(self.session)

    async def call(self, method: Callable[..., Any], *values: Any, **params: Any) -> Any:
        return await asyncio.to_thread(method, *values, **params)

    async def send(self, peer: str, message: str = "", **params: Any) -> Any:
        params = {"peer_id": peer, "random_id": get_random_id(), "message": message, **params}
        return await self.call(self.vk.messages.send, **params)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with opened_bench("vk") as bench:
        yield bench


@pytest.fixture
async def bot(bench: Bench) -> AsyncIterator[Bot]:
    bot = Bot(bench)
    yield bot
    bot.http.close()


async def events(bench: Bench) -> list[Any]:
    """Return the webhooks so far as vk_api reads them."""
    bodies = [json.loads(call.body) for call in await bench.taken()]
    return [(VkBotMessageEvent if body["type"] in MESSAGES else VkBotEvent)(body) for body in bodies]


async def test_one_peer_is_answered_with_an_id_and_several_with_a_line_each(bench: Bench, bot: Bot) -> None:
    anna, boris = await bench.start(), bench.server.user_of("+79990001133")
    assert isinstance(await bot.send(anna, "one"), int)
    peers = await bot.call(bot.vk.messages.send, peer_ids=[anna, boris], random_id=get_random_id(), message="two")
    assert [("message_id" in peer, "error" in peer) for peer in peers] == [(True, False), (True, True)]
    assert [bubble.text for bubble in bench.server.phone(anna).screen[1:]] == ["one", "two"]


async def test_keyboards_of_every_kind(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    inline, plain = VkKeyboard(inline=True), VkKeyboard(one_time=True)
    inline.add_callback_button("Yes", VkKeyboardColor.POSITIVE, payload={"reply": "yes"})
    inline.add_openlink_button("Site", "https://shop.ru/")
    inline.add_line()
    inline.add_location_button()
    plain.add_button("Hello", VkKeyboardColor.PRIMARY)
    plain.add_button("Order", VkKeyboardColor.NEGATIVE, payload={"command": "order"})
    await bot.send(anna, "inline", keyboard=inline.get_keyboard())
    await bot.send(anna, "plain", keyboard=plain.get_keyboard())
    await bot.send(anna, "none", keyboard=VkKeyboard.get_empty_keyboard())
    first, second, _ = bench.server.phone(anna).screen[1:]
    await bench.taken()
    await bench.server.press(anna, first.id, "Yes")
    await bench.server.press(anna, second.id, "Order")
    await bench.server.press(anna, second.id, "Hello")
    press, order, hello = await events(bench)
    assert (press.type, press.object.payload) == (VkBotEventType.MESSAGE_EVENT, {"reply": "yes"})
    assert (order.message.text, order.message.payload) == ("Order", '{"command":"order"}')
    assert (hello.message.text, hello.message.payload) == ("Hello", None)
    answer = {"event_id": press.object.event_id, "user_id": anna, "peer_id": anna}
    assert await bot.call(bot.vk.messages.sendMessageEventAnswer, **answer) == 1


async def test_files_are_uploaded_and_attached(bench: Bench, bot: Bot) -> None:
    anna, voice = await bench.start(), io.BytesIO(b"OggS voice")
    photos = await bot.call(bot.upload.photo_messages, [io.BytesIO(PNG), io.BytesIO(PNG)], peer_id=anna)
    bill = (await bot.call(bot.upload.document_message, io.BytesIO(b"%PDF"), title="a.pdf", peer_id=anna))["doc"]
    sound = (await bot.call(bot.upload.audio_message, voice, peer_id=anna))["audio_message"]
    names = [f"photo{item['owner_id']}_{item['id']}_{item['access_key']}" for item in photos]
    names += [f"doc{item['owner_id']}_{item['id']}_{item['access_key']}" for item in (bill, sound)]
    await bot.send(anna, attachment=",".join(names))
    assert bench.server.phone(anna).screen[-1].media == ",".join(names)
    assert len(names) == 4


async def test_messages_are_changed_and_deleted(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    await bot.send(anna, "typo")
    number = bench.server.phone(anna).screen[-1].id.partition("/")[2]
    messages = bot.vk.messages
    await bot.call(messages.edit, peer_id=anna, message="right", conversation_message_id=number)
    assert bench.server.phone(anna).screen[-1].text == "right"
    await bot.call(messages.setActivity, peer_id=anna, type="typing")
    await bot.call(messages.markAsRead, peer_id=anna)
    await bot.call(messages.delete, peer_id=anna, cmids=number, delete_for_all=1)
    assert len(bench.server.phone(anna).screen) == 1


async def test_what_people_do_is_read(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    await bench.server.say(anna, "hi")
    await bench.server.reply_as_operator(anna, "here")
    await bench.server.deny(anna)
    await bench.server.allow(anna, "code")
    new, reply, deny, allow = await events(bench)
    assert (new.type, new.from_user, new.message.text, new.message.version > 0) == (
        VkBotEventType.MESSAGE_NEW,
        True,
        "hi",
        True,
    )
    assert (reply.type, reply.object.text, reply.object.admin_author_id) == (VkBotEventType.MESSAGE_REPLY, "here", 1)
    assert (deny.type, deny.object.user_id) == (VkBotEventType.MESSAGE_DENY, int(anna))
    assert (allow.type, allow.object.key) == (VkBotEventType.MESSAGE_ALLOW, "code")
    (user,) = await bot.call(bot.vk.users.get, user_ids=anna)
    assert user["first_name"] == "Anna"


@pytest.mark.parametrize("code", [7, 901, 914, 950])
async def test_a_refusal_is_vk_apis_own_error(bench: Bench, bot: Bot, code: int) -> None:
    anna = await bench.start()
    bench.server.faults.fail(code)
    with pytest.raises(vk_api.ApiError) as error:
        await bot.send(anna, "hi")
    assert error.value.code == code


async def test_too_many_calls_are_repeated_and_a_captcha_is_asked_for(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    bench.server.faults.fail(6)
    assert isinstance(await bot.send(anna, "hi"), int)
    bench.server.faults.fail(14)
    with pytest.raises(vk_api.Captcha) as captcha:
        await bot.send(anna, "hi")
    assert captcha.value.sid
    assert captcha.value.url.startswith("https://")


async def test_callback_servers_are_set_up(bench: Bench, bot: Bot) -> None:
    group, groups = bench.account.group_id, bot.vk.groups
    bench.answer = (await bot.call(groups.getCallbackConfirmationCode, group_id=group))["code"]
    server = await bot.call(
        groups.addCallbackServer, group_id=group, url=bench.webhook_url, title="bot", secret_key="abc"
    )
    await bot.call(groups.setCallbackSettings, group_id=group, server_id=server["server_id"], message_new=1)
    servers = await bot.call(groups.getCallbackServers, group_id=group)
    assert {"url": bench.webhook_url, "status": "ok", "id": server["server_id"]}.items() <= servers["items"][-1].items()
