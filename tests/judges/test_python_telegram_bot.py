"""python-telegram-bot as a bot uses it: https://docs.python-telegram-bot.org."""

import json
from collections.abc import AsyncIterator

import pytest
from telegram import (
    Bot,
    BotCommand,
    ForceReply,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    KeyboardButton,
    MessageEntity,
    ReactionTypeEmoji,
    ReplyKeyboardMarkup,
    ReplyParameters,
    Update,
    User,
    WebAppInfo,
)
from telegram.constants import ChatAction, ParseMode
from telegram.error import BadRequest, ChatMigrated, Conflict, EndPointNotFound, Forbidden, InvalidToken, RetryAfter

from tests.judges.bench import Bench, opened_bench

pytestmark = pytest.mark.filterwarnings("ignore::telegram.warnings.PTBDeprecationWarning")

ID = "AgACAgIAAxkBAAIB-large"
KEYS = InlineKeyboardMarkup(
    [
        [InlineKeyboardButton("Yes", callback_data="yes"), InlineKeyboardButton("Site", url="https://shop.ru/")],
        [InlineKeyboardButton("App", web_app=WebAppInfo("https://shop.ru/app"))],
        [InlineKeyboardButton("Share", switch_inline_query="")],
    ]
)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with opened_bench("telegram") as bench:
        yield bench


@pytest.fixture
async def bot(bench: Bench) -> AsyncIterator[Bot]:
    token = bench.account.token.reveal()
    async with Bot(token, f"{bench.url}/bot", f"{bench.url}/file/bot") as bot:
        yield bot


async def updates(bench: Bench, bot: Bot) -> list[Update]:
    """Return the webhooks so far as python-telegram-bot's own updates, of which nothing is left unread."""
    calls = await bench.taken()
    assert {call.headers["x-telegram-bot-api-secret-token"] for call in calls} <= {bench.server.secret}
    read = [Update.de_json(json.loads(call.body), bot) for call in calls]
    assert not any(update.api_kwargs or (update.message and update.message.api_kwargs) for update in read)
    return read


async def test_texts_are_formatted_answered_and_marked(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    html = await bot.send_message(anna, "<b>Hello</b> &amp; <i>hi</i>", ParseMode.HTML, reply_markup=KEYS)
    assert (html.text, html.parse_entities()) == (
        "Hello & hi",
        {html.entities[0]: "Hello", html.entities[1]: "hi"},
    )
    markdown = await bot.send_message(anna, "*Hello* 12\\.50", ParseMode.MARKDOWN_V2)
    assert (markdown.text, markdown.text_markdown_v2) == ("Hello 12.50", "*Hello* 12\\.50")
    bold = [MessageEntity(MessageEntity.BOLD, 0, 5)]
    answer = await bot.send_message(
        anna, "Hello", entities=bold, reply_parameters=ReplyParameters(html.message_id), reply_markup=ForceReply()
    )
    assert answer.reply_to_message is not None
    assert answer.reply_to_message.message_id == html.message_id
    keyboard = ReplyKeyboardMarkup([[KeyboardButton("My number", request_contact=True)]])
    await bot.send_message(anna, "Who are you?", reply_markup=keyboard)
    assert [bubble.text for bubble in bench.server.phone(anna).screen[1:]] == [
        "Hello & hi",
        "Hello 12.50",
        "Hello",
        "Who are you?",
    ]


async def test_files_are_uploaded_and_sent_by_url_and_by_id(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    photo = await bot.send_photo(anna, b"\x89PNG", caption="<i>Look</i>", parse_mode=ParseMode.HTML)
    assert (photo.caption, photo.photo[-1].file_size) == ("Look", 4)
    document = await bot.send_document(anna, b"a;b", filename="a.csv")
    assert document.document is not None
    assert (document.document.file_name, document.document.mime_type) == ("a.csv", "text/csv")
    file = await document.document.get_file()
    assert bytes(await file.download_as_bytearray()) == b"a;b"
    messages = [
        await bot.send_document(anna, document.document.file_id),
        await bot.send_video(anna, "https://shop.ru/a.mp4"),
        await bot.send_animation(anna, "https://shop.ru/a.gif"),
        await bot.send_audio(anna, "https://shop.ru/a.mp3"),
        await bot.send_voice(anna, "https://shop.ru/a.ogg"),
        await bot.send_sticker(anna, "https://shop.ru/a.webp"),
        await bot.send_video_note(anna, ID),
    ]
    assert all(message.effective_attachment for message in messages)
    album = await bot.send_media_group(
        anna, [InputMediaPhoto(b"\x89PNG", caption="One"), InputMediaPhoto("https://shop.ru/a.jpg")]
    )
    assert [message.caption for message in album] == ["One", None]
    assert len({message.media_group_id for message in album}) == 1
    with pytest.raises(BadRequest, match="Media group must include 2-10 items"):
        await bot.send_media_group(anna, [InputMediaDocument(ID)])


async def test_places_contacts_polls_and_dice(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    venue = await bot.send_venue(anna, 55.75, 37.62, "Shop", "Street 1")
    place = await bot.send_location(anna, 55.75, 37.62)
    contact = await bot.send_contact(anna, "+79990001133", "Boris")
    poll = await bot.send_poll(anna, "Tea?", ["Yes", "No"])
    dice = await bot.send_dice(anna)
    assert venue.venue is not None
    assert (venue.venue.title, place.location) == ("Shop", venue.venue.location)
    assert contact.contact is not None
    assert poll.poll is not None
    assert [option.text for option in poll.poll.options] == ["Yes", "No"]
    assert dice.dice is not None
    assert (contact.contact.first_name, dice.dice.emoji) == ("Boris", "🎲")


async def test_messages_are_changed_copied_forwarded_and_deleted(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    sent = await bot.send_message(anna, "typo", reply_markup=KEYS)
    edited = await sent.edit_text("right", reply_markup=KEYS)
    assert isinstance(edited, type(sent))
    assert (edited.text, edited.edit_date is not None) == ("right", True)
    with pytest.raises(BadRequest, match="Message is not modified"):
        await sent.edit_text("right", reply_markup=KEYS)
    await sent.edit_reply_markup(None)
    photo = await bot.send_photo(anna, ID, caption="typo")
    await photo.edit_caption("right")
    copy = await sent.copy(anna)
    forwarded = await sent.forward(anna)
    assert forwarded.forward_origin is not None
    await bot.delete_messages(anna, [copy.message_id, forwarded.message_id])
    await sent.delete()
    assert [bubble.text for bubble in bench.server.phone(anna).screen[1:]] == ["right"]
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await sent.delete()


async def test_every_kind_of_update_is_read(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    question = await bot.send_message(anna, "Deliver?", reply_markup=KEYS)
    await bench.server.start(anna, "CODE")
    await bench.server.press(anna, f"{anna}/{question.message_id}", "Yes")
    await bench.server.share_contact(anna)
    await bench.server.block(anna)
    await bench.server.unblock(anna)
    start, press, contact, blocked, unblocked = await updates(bench, bot)
    assert start.message is not None
    assert (start.message.text, start.message.entities[0].type) == ("/start CODE", "bot_command")
    assert press.callback_query is not None
    assert (press.callback_query.data, await press.callback_query.answer("Thanks")) == ("yes", True)
    assert contact.message is not None
    assert contact.message.contact is not None
    assert contact.message.contact.user_id == int(anna)
    assert blocked.my_chat_member is not None
    assert unblocked.my_chat_member is not None
    changes = [
        (change.old_chat_member.status, change.new_chat_member.status)
        for change in (blocked.my_chat_member, unblocked.my_chat_member)
    ]
    assert changes == [("member", "kicked"), ("kicked", "member")]
    assert len(bench.server.answered) == 1


async def test_updates_wait_without_a_webhook(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    with pytest.raises(Conflict):
        await bot.get_updates()
    await bot.delete_webhook()
    await bench.server.say(anna, "one")
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert update.message.text == "one"
    assert await bot.get_updates(offset=update.update_id + 1) == ()
    await bot.set_webhook(bench.webhook_url, secret_token="words", allowed_updates=Update.ALL_TYPES)
    info = await bot.get_webhook_info()
    assert (info.url, info.allowed_updates) == (bench.webhook_url, tuple(Update.ALL_TYPES))


async def test_the_bot_its_chats_and_commands(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    assert isinstance(bot.bot, User)
    assert bot.username == "demo_shop_bot"
    assert (await bot.get_chat(anna)).first_name == "Anna"
    await bot.send_chat_action(anna, ChatAction.TYPING)
    await bot.set_my_commands([BotCommand("order", "Order something")])
    assert await bot.get_my_commands() == (BotCommand("order", "Order something"),)
    with pytest.raises(BadRequest):
        await bot.set_my_commands([BotCommand("Order!", "x")])


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("400", BadRequest),
        ("401", InvalidToken),
        ("403", Forbidden),
        ("409", Conflict),
        ("429", RetryAfter),
    ],
)
async def test_a_refusal_is_its_own_error(bench: Bench, bot: Bot, code: str, error: type[Exception]) -> None:
    anna = await bench.start()
    bench.server.faults.fail(code)
    with pytest.raises(error):
        await bot.send_message(anna, "hi")


async def test_what_breaks_telegrams_limits_is_refused(bench: Bench, bot: Bot) -> None:
    anna, yes = await bench.start(), InlineKeyboardButton("Yes", callback_data="yes")
    many = InlineKeyboardMarkup([[yes]] * 101)
    for text, mode, keys, words in (
        ("<b>", ParseMode.HTML, None, "Can't parse entities: can't find end tag corresponding to start tag"),
        ("12.50", ParseMode.MARKDOWN_V2, None, "Can't parse entities: character '.' is reserved"),
        ("\u200b\u2060", None, None, "Text must be non-empty"),
        ("x" * 4097, None, None, "Message is too long"),
        ("hi", None, many, "Reply_markup_too_long"),
    ):
        with pytest.raises(BadRequest) as error:
            await bot.send_message(anna, text, mode, reply_markup=keys)
        assert words.casefold() in str(error.value).casefold()
    with pytest.raises(BadRequest, match="Wrong type of the web page content"):
        await bot.send_document(anna, "https://shop.ru/a.docx")
    with pytest.raises(EndPointNotFound):
        await bot.do_api_request("send_telepathy", {"chat_id": anna})
    assert bench.server.accepted == []


async def test_a_group_that_has_moved_is_named(bench: Bench, bot: Bot) -> None:
    bench.server.phone("-4001", "Friends")
    new = bench.server.upgrade("-4001")
    with pytest.raises(ChatMigrated) as moved:
        await bot.send_message("-4001", "hi")
    assert moved.value.new_chat_id == int(new)


async def test_what_the_stand_in_does_not_know_is_refused_and_never_ignored(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    sent = await bot.send_message(anna, "hi")
    with pytest.raises(InvalidToken, match="method not found"):
        await sent.set_reaction(ReactionTypeEmoji("👍"))
