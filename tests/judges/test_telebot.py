"""pyTelegramBotAPI as a bot uses it: https://pytba.readthedocs.io."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from telebot import asyncio_helper, types
from telebot.async_telebot import AsyncTeleBot
from telebot.asyncio_helper import ApiTelegramException

from tests.judges.bench import Bench, opened_bench


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with opened_bench("telegram") as bench:
        yield bench


@pytest.fixture
def addresses(bench: Bench) -> Iterator[None]:
    """Point the library, which has one address for all bots, to the stand-in."""
    before = asyncio_helper.API_URL, asyncio_helper.FILE_URL
    asyncio_helper.API_URL = f"{bench.url}/bot{{0}}/{{1}}"
    asyncio_helper.FILE_URL = f"{bench.url}/file/bot{{0}}/{{1}}"
    yield
    asyncio_helper.API_URL, asyncio_helper.FILE_URL = before


@pytest.fixture
async def bot(bench: Bench, addresses: None) -> AsyncIterator[AsyncTeleBot]:
    bot = AsyncTeleBot(bench.account.token.reveal())
    yield bot
    await bot.close_session()


def keys() -> types.InlineKeyboardMarkup:
    markup = types.InlineKeyboardMarkup()
    markup.add(types.InlineKeyboardButton("Yes", callback_data="yes"))
    markup.add(types.InlineKeyboardButton("Site", url="https://shop.ru/"))
    return markup


async def test_messages_files_and_albums(bench: Bench, bot: AsyncTeleBot) -> None:
    anna = await bench.start()
    text = await bot.send_message(anna, "<b>Hello</b>", parse_mode="HTML", reply_markup=keys())
    await bot.send_message(anna, "*Hello*", parse_mode="Markdown", reply_to_message_id=text.message_id)
    photo = await bot.send_photo(anna, b"\x89PNG", caption="Look")
    bill = await bot.send_document(anna, b"%PDF", visible_file_name="a.pdf")
    file = await bot.get_file(bill.document.file_id)
    assert (await bot.download_file(file.file_path), bill.document.file_name) == (b"%PDF", "a.pdf")
    album = await bot.send_media_group(
        anna, [types.InputMediaPhoto(photo.photo[-1].file_id), types.InputMediaPhoto("https://shop.ru/a.jpg")]
    )
    await bot.send_location(anna, 55.75, 37.62)
    await bot.send_contact(anna, "+79990001133", "Boris")
    await bot.send_chat_action(anna, "typing")
    assert (text.text, text.entities[0].type, photo.caption, len(album)) == ("Hello", "bold", "Look", 2)
    assert [bubble.text for bubble in bench.server.phone(anna).screen[1:4]] == ["Hello", "Hello", "Look"]


async def test_a_bot_answers_people_and_their_presses(bench: Bench, bot: AsyncTeleBot) -> None:
    anna, seen = await bench.start(), list[Any]()

    async def start(message: types.Message) -> None:
        await bot.reply_to(message, f"Welcome {message.text.partition(' ')[2]}", reply_markup=keys())

    async def press(call: types.CallbackQuery) -> None:
        await bot.answer_callback_query(call.id, "Thanks")
        await bot.edit_message_text("Done", call.message.chat.id, call.message.message_id)

    async def member(change: types.ChatMemberUpdated) -> None:
        seen.append(change.new_chat_member.status)

    async def contact(message: types.Message) -> None:
        seen.append(message.contact.phone_number)

    bot.register_message_handler(start, commands=["start"])
    bot.register_callback_query_handler(press, func=lambda call: call.data == "yes")
    bot.register_my_chat_member_handler(member, None)
    bot.register_message_handler(contact, content_types=["contact"])

    async def handle() -> None:
        updates = [types.Update.de_json(call.body.decode()) for call in await bench.taken()]
        await bot.process_new_updates(updates)

    await bench.server.start(anna, "CODE")
    await handle()
    question = bench.server.phone(anna).screen[-1]
    assert question.text == "Welcome CODE"
    await bench.server.press(anna, question.id, "Yes")
    await handle()
    assert (bench.server.phone(anna).screen[-1].text, len(bench.server.answered)) == ("Done", 1)
    await bench.server.share_contact(anna)
    await bench.server.block(anna)
    await handle()
    assert seen == ["79990001122", "kicked"]


@pytest.mark.parametrize(("code", "status"), [("400", 400), ("401", 401), ("403", 403), ("429", 429), ("500", 500)])
async def test_a_refusal_is_its_own_error(bench: Bench, bot: AsyncTeleBot, code: str, status: int) -> None:
    anna = await bench.start()
    bench.server.faults.fail(code)
    with pytest.raises(ApiTelegramException) as error:
        await bot.send_message(anna, "hi")
    assert error.value.error_code == status


async def test_webhooks_and_commands_are_set(bench: Bench, bot: AsyncTeleBot) -> None:
    assert await bot.set_webhook(bench.webhook_url, allowed_updates=["message"], secret_token="words")
    assert (await bot.get_webhook_info()).allowed_updates == ["message"]
    await bot.set_my_commands([types.BotCommand("order", "Order something")])
    assert [command.command for command in await bot.get_my_commands(None, None)] == ["order"]
    assert (await bot.get_me()).username == "demo_shop_bot"
    with pytest.raises(ApiTelegramException, match="unallowed characters"):
        await bot.set_webhook(bench.webhook_url, secret_token="a b")
