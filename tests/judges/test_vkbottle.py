"""vkbottle as a community's bot uses it: https://vkbottle.readthedocs.io."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from vkbottle import (
    API,
    Bot,
    Callback,
    CaptchaError,
    DocMessagesUploader,
    GroupEventType,
    GroupTypes,
    Keyboard,
    KeyboardButtonColor,
    OpenLink,
    PhotoMessageUploader,
    Text,
    VKAPIError,
    VoiceMessageUploader,
)
from vkbottle.bot import Message, MessageEvent

from tests.judges.bench import Bench, opened_bench

PNG = b"\x89PNG\r\n\x1a\n picture"


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with opened_bench("vk") as bench:
        yield bench


@pytest.fixture
async def bot(bench: Bench) -> AsyncIterator[Bot]:
    api = API(bench.account.access_token.reveal())
    api.API_URL = f"{bench.url}/method/"
    yield Bot(api=api)
    await api.http_client.close()


async def handled(bench: Bench, bot: Bot) -> None:
    """Let vkbottle's router handle the webhooks so far."""
    for call in await bench.taken():
        await bot.router.route(json.loads(call.body), bot.api)


async def test_messages_keyboards_and_files_are_sent(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    keyboard = Keyboard(inline=True)
    keyboard.add(Callback("Yes", {"reply": "yes"}), color=KeyboardButtonColor.POSITIVE)
    keyboard.row().add(OpenLink("https://shop.ru/", "Site"))
    photo = await PhotoMessageUploader(bot.api).upload(PNG, peer_id=int(anna))
    bill = await DocMessagesUploader(bot.api).upload(b"%PDF", title="a.pdf", peer_id=int(anna))
    voice = await VoiceMessageUploader(bot.api).upload(b"OggS voice", title="voice", peer_id=int(anna))
    number = await bot.api.messages.send(
        peer_id=int(anna), random_id=0, message="Look", attachment=f"{photo},{bill}", keyboard=keyboard.get_json()
    )
    assert isinstance(number, int)
    await bot.api.messages.send(peer_id=int(anna), random_id=0, attachment=voice)
    look, sound = bench.server.phone(anna).screen[1:]
    assert (look.text, look.media, len(look.buttons), sound.media) == ("Look", f"{photo},{bill}", 2, voice)
    entries: Any = await bot.api.messages.send(peer_ids=[int(anna)], random_id=0, message="two")
    (entry,) = entries
    assert (entry.peer_id, entry.conversation_message_id) == (int(anna), 4)


async def test_a_bot_answers_and_a_press_is_acknowledged(bench: Bench, bot: Bot) -> None:
    anna, pressed = await bench.start(), list[Any]()

    @bot.on.message(text="hi")
    async def hello(message: Message) -> None:
        keyboard = Keyboard(inline=True).add(Callback("Yes", {"reply": "yes"})).get_json()
        await message.answer("Deliver?", keyboard=keyboard)

    @bot.on.message(payload={"command": "order"})
    async def order(message: Message) -> str:
        return f"{message.text}: ordered by {(await message.get_user()).first_name}"

    @bot.on.raw_event(GroupEventType.MESSAGE_EVENT, dataclass=MessageEvent)
    async def press(event: MessageEvent) -> None:
        pressed.append(event.payload)
        await event.show_snackbar("Thanks")

    await bench.server.say(anna, "hi")
    await handled(bench, bot)
    question = bench.server.phone(anna).screen[-1]
    assert question.text == "Deliver?"
    await bench.server.press(anna, question.id, "Yes")
    await handled(bench, bot)
    assert (pressed, len(bench.server.answered)) == ([{"reply": "yes"}], 1)
    keys = Keyboard(one_time=True).add(Text("Order", {"command": "order"})).get_json()
    await bot.api.messages.send(peer_id=int(anna), random_id=0, message="?", keyboard=keys)
    await bench.server.press(anna, bench.server.phone(anna).screen[-1].id, "Order")
    await handled(bench, bot)
    assert bench.server.phone(anna).screen[-1].text == "Order: ordered by Anna"


async def test_people_who_deny_and_allow_messages_are_read(bench: Bench, bot: Bot) -> None:
    anna, seen = await bench.start(), list[Any]()

    @bot.on.raw_event(GroupEventType.MESSAGE_DENY, dataclass=GroupTypes.MessageDeny)
    async def deny(event: GroupTypes.MessageDeny) -> None:
        seen.append(event.object.user_id)

    @bot.on.raw_event(GroupEventType.MESSAGE_ALLOW, dataclass=GroupTypes.MessageAllow)
    async def allow(event: GroupTypes.MessageAllow) -> None:
        seen.append(event.object.key)

    @bot.on.raw_event(GroupEventType.MESSAGE_REPLY, dataclass=GroupTypes.MessageReply)
    async def reply(event: GroupTypes.MessageReply) -> None:
        seen.append(event.object.text)

    await bench.server.deny(anna)
    await bench.server.allow(anna, "code")
    await bench.server.reply_as_operator(anna, "here")
    await handled(bench, bot)
    assert seen == [int(anna), "code", "here"]


@pytest.mark.parametrize("code", [7, 100, 901, 914])
async def test_a_refusal_is_vkbottles_own_error(bench: Bench, bot: Bot, code: int) -> None:
    anna = await bench.start()
    bench.server.faults.fail(code)
    with pytest.raises(VKAPIError[code]) as error:
        await bot.api.messages.send(peer_id=int(anna), random_id=0, message="hi")
    assert "access_token" not in error.value.request_params


async def test_a_captcha_is_vkbottles_own_error(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    bench.server.faults.fail(14)
    with pytest.raises(CaptchaError) as captcha:
        await bot.api.messages.send(peer_id=int(anna), random_id=0, message="hi")
    assert captcha.value.captcha_sid
