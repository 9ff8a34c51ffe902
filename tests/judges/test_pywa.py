"""pywa as a bot of WhatsApp uses it: https://pywa.readthedocs.io."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pywa_async import WhatsApp, errors, handlers
from pywa_async import types as pw
from pywa_async.types import templates as t

from tests.judges.bench import Bench, opened_bench

pytestmark = pytest.mark.filterwarnings("ignore::pywa.errors.PywaWarning", "ignore::DeprecationWarning")

PICTURE = "https://shop.ru/a.jpg"
HANDLERS = (
    handlers.MessageHandler,
    handlers.CallbackButtonHandler,
    handlers.CallbackSelectionHandler,
    handlers.MessageStatusHandler,
    handlers.TemplateStatusUpdateHandler,
)


class Bot:
    """pywa's client, whose handlers keep what it has read from the webhooks."""

    def __init__(self, bench: Bench) -> None:
        account = bench.account
        self.bench, self.seen = bench, list[Any]()
        self.client = WhatsApp(
            account.phone_number_id,
            account.access_token.reveal(),
            server=None,
            verify_token=account.verify_token.reveal(),
            app_secret=account.app_secret.reveal(),
            waba_id=account.waba_id,
            app_id=account.app_id,
            filter_updates=False,
        )
        self.session = self.client.api._session
        # In the version of the Graph API for which pywa itself was written.
        self.session.base_url = str(self.session.base_url).replace("https://graph.facebook.com", bench.url)
        for kind in HANDLERS:
            self.client.add_handlers(kind(self._keep))

    async def _keep(self, _: Any, update: Any) -> None:
        self.seen.append(update)

    async def updates(self) -> list[Any]:
        """Return the webhooks since the last time as pywa's own types; their signatures have to be valid."""
        self.seen.clear()
        for call in await self.bench.taken():
            assert await self.client.webhook_update_validator(call.body, call.headers["x-hub-signature-256"]) is None
            await self.client.webhook_update_handler(call.body)
        return list(self.seen)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with opened_bench("whatsapp") as bench:
        yield bench


@pytest.fixture
async def bot(bench: Bench) -> AsyncIterator[Bot]:
    bot = Bot(bench)
    yield bot
    await bot.session.aclose()


async def test_every_kind_of_message_is_sent_and_shown(bench: Bench, bot: Bot) -> None:
    anna, wa = await bench.start(), bot.client
    first = await wa.send_message(anna, "Hello *you*", preview_url=True, tracker="n1")
    await wa.send_message(anna, "Again", reply_to_message_id=first.id)
    await wa.send_image(anna, PICTURE, caption="Look")
    await wa.send_video(anna, "https://shop.ru/a.mp4")
    await wa.send_document(anna, "https://shop.ru/a.pdf", filename="a.pdf", caption="The bill")
    await wa.send_voice(anna, "https://shop.ru/a.ogg", mime_type="audio/ogg")
    await wa.send_sticker(anna, "https://shop.ru/a.webp")
    await wa.send_location(anna, 55.75, 37.62, name="Shop", address="Street 1")
    contact = pw.Contact(
        name=pw.Contact.Name(formatted_name="Boris B.", first_name="Boris"),
        phones=[pw.Contact.Phone(phone="+79990001133", type="CELL")],
    )
    await wa.send_contact(anna, contact)
    await wa.send_reaction(anna, "👍", first.id)
    await wa.request_location(anna, "Where are you?")
    assert [bubble.text or bubble.media for bubble in bench.server.phone(anna).screen[1:]] == [
        "Hello *you*",
        "Again",
        "Look",
        "https://shop.ru/a.mp4",
        "The bill",
        "https://shop.ru/a.ogg",
        "https://shop.ru/a.webp",
        "Shop Street 1 55.75, 37.62",
        "Boris B. +79990001133",
        "👍",
        "Where are you?",
    ]
    assert (first.input, bench.server.accepted[0].request["biz_opaque_callback_data"]) == (anna, "n1")


async def test_a_file_is_uploaded_sent_looked_up_downloaded_and_deleted(bench: Bench, bot: Bot) -> None:
    anna, wa = await bench.start(), bot.client
    await wa.send_document(anna, b"%PDF", filename="a.pdf", mime_type="application/pdf")
    key = bench.server.accepted[-1].request["document"]["id"]
    link = await wa.get_media_url(key)
    assert (link.mime_type, link.file_size) == ("application/pdf", 4)
    assert await wa.get_media_bytes(link.url) == b"%PDF"
    await wa.delete_media(key)
    with pytest.raises(errors.WhatsAppError):
        await wa.get_media_url(key)


async def test_buttons_lists_and_links_answer_as_pywas_callbacks(bench: Bench, bot: Bot) -> None:
    anna, wa = await bench.start(), bot.client
    yes = await wa.send_message(
        anna, "Deliver?", header="Order", footer="Shop", buttons=[pw.Button("Yes", "y"), pw.Button("No", "n")]
    )
    sections = [
        pw.Section(title, [pw.SectionRow(f"{title} {number}", f"{title}{number}", "d") for number in range(5)])
        for title in ("Day", "Night")
    ]
    day = await wa.send_message(anna, "When?", header="Time", buttons=pw.SectionList("Open", sections))
    await wa.send_message(anna, "Site", buttons=pw.URLButton("Open", "https://shop.ru/"))
    await wa.send_image(anna, PICTURE, caption="This?", buttons=[pw.Button("It is", "is")])
    await bot.updates()
    await bench.server.press(anna, yes.id, "Yes")
    await bench.server.press(anna, day.id, "Night 4")
    button, selection = await bot.updates()
    assert (type(button), button.data, button.title) == (pw.CallbackButton, "y", "Yes")
    assert (type(selection), selection.data, selection.title) == (pw.CallbackSelection, "Night4", "Night 4")
    assert button.reply_to_message.message_id == yes.id


async def test_what_people_do_is_read_with_both_of_their_names(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    await bench.server.say(anna, "hi")
    await bench.server.react(anna, bench.server.phone(anna).screen[-1].id, "👍")
    text, reaction = await bot.updates()
    assert (text.text, text.from_user.name, text.from_user.wa_id) == ("hi", "Anna", anna)
    assert (reaction.type, reaction.reaction.emoji) == (pw.MessageType.REACTION, "👍")


async def test_statuses_come_in_order_and_a_failure_is_an_exception(bench: Bench, bot: Bot) -> None:
    """pywa cannot read a whole `failed` webhook: it looks for the contacts, which Meta leaves out of it."""
    anna = await bench.start()
    sent = await bot.client.send_message(anna, "one", tracker="n1")
    assert [(update.status, update.id, update.tracker) for update in await bot.updates()] == [
        (status, sent.id, "n1")
        for status in (pw.MessageStatusType.SENT, pw.MessageStatusType.DELIVERED, pw.MessageStatusType.READ)
    ]
    bench.server.fail_late(131047)
    await bot.client.send_message(anna, "two")
    (call,) = await bench.taken()
    (status,) = json.loads(call.body)["entry"][0]["changes"][0]["value"]["statuses"]
    assert (status["status"], "recipient_user_id" in status) == ("failed", False)
    assert isinstance(errors.WhatsAppError.from_dict(status["errors"][0]), errors.ReEngagementMessage)


async def test_messages_are_marked_as_read_while_the_bot_types(bench: Bench, bot: Bot) -> None:
    anna = await bench.start()
    await bench.server.say(anna, "hi")
    (message,) = await bot.updates()
    await message.mark_as_read()
    await message.indicate_typing()
    assert bench.server.phone(anna).screen[-1].state == "read"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (131056, errors.TooManyMessages),
        (130429, errors.RateLimitHit),
        (131026, errors.MessageUndeliverable),
        (190, errors.ExpiredAccessToken),
        (131050, errors.UserStoppedMarketingMessages),
    ],
)
async def test_a_refusal_is_pywas_own_error(bench: Bench, bot: Bot, code: int, error: type[Exception]) -> None:
    anna = await bench.start()
    bench.server.faults.fail(code)
    with pytest.raises(error):
        await bot.client.send_message(anna, "hi")


async def test_what_breaks_metas_limits_is_refused(bench: Bench, bot: Bot) -> None:
    anna, wa = await bench.start(), bot.client
    with pytest.raises(errors.InvalidParameter):
        await wa.send_message(anna, "x" * 4097)
    with pytest.raises(errors.InvalidParameter):
        await wa.send_message(anna, "?", buttons=[pw.Button("Same", "1"), pw.Button("Same", "2")])
    with pytest.raises(errors.TemplateNotExists):
        await wa.send_template(anna, "nowhere", t.TemplateLanguage.RUSSIAN, [])
    assert len(bench.server.accepted) == 0


def order() -> t.Template:
    return t.Template(
        name="parcel",
        language=t.TemplateLanguage.ENGLISH,
        category=t.TemplateCategory.UTILITY,
        parameter_format=t.ParamFormat.NAMED,
        components=[
            t.HeaderText("Order {{number}}", number="A-1"),
            t.BodyText("Hello {{name}}, it is ready.", name="Anna"),
            t.FooterText(text="Shop"),
            t.Buttons(
                buttons=[
                    t.QuickReplyButton(text="Thanks"),
                    t.URLButton(text="Where", url="https://shop.ru/t/{{1}}", example="https://shop.ru/t/1"),
                    t.PhoneNumberButton(text="Call", phone_number="+79990000001"),
                ]
            ),
        ],
    )


async def test_a_template_is_submitted_approved_listed_and_sent(bench: Bench, bot: Bot) -> None:
    anna, wa, template = await bench.start(), bot.client, order()
    created = await wa.create_template(template)
    assert created.status is t.TemplateStatus.PENDING
    bench.server.set_template_status("parcel", "en", "APPROVED")
    (update,) = await bot.updates()
    assert (update.template_name, update.new_status) == ("parcel", t.TemplateStatus.APPROVED)
    details = await wa.get_template(created.id)
    assert (details.name, details.parameter_format) == ("parcel", t.ParamFormat.NAMED)
    assert {item.name for item in await wa.get_templates()} == {"parcel", "order_update"}
    header, body, _, keys = template.components
    quick, url, _ = keys.buttons
    params = [header.params(number="A-17"), body.params(name="Anna"), quick.params(callback_data="ty", index=0)]
    sent = await wa.send_template(
        anna, "parcel", t.TemplateLanguage.ENGLISH, [*params, url.params(url_variable="A-17", index=1)]
    )
    assert bench.server.phone(anna).screen[-1].text == "Order A-17\nHello Anna, it is ready.\nShop"
    await bot.updates()
    await bench.server.press(anna, sent.id, "Thanks")
    (button,) = await bot.updates()
    assert (type(button), button.data) == (pw.CallbackButton, "ty")
    await wa.delete_template("parcel")
    with pytest.raises(errors.WhatsAppError):
        await wa.get_template(created.id)


async def test_a_password_a_coupon_and_an_offer(bench: Bench, bot: Bot) -> None:
    anna, wa = await bench.start(), bot.client
    code, offer = t.CopyCodeOTPButton(text="Copy"), t.LimitedTimeOffer(text="Until Monday", has_expiration=True)
    coupon, text = t.CopyCodeButton(example="SAVE20"), t.BodyText("Twenty percent less")
    secret, end = t.AuthenticationBody(add_security_recommendation=True), datetime(2026, 12, 1, tzinfo=UTC)
    footer = t.AuthenticationFooter(code_expiration_minutes=5)
    for name, category, parts in (
        ("password", t.TemplateCategory.AUTHENTICATION, [secret, footer, t.Buttons(buttons=[code])]),
        ("sale", t.TemplateCategory.MARKETING, [offer, text, t.Buttons(buttons=[coupon])]),
    ):
        template = t.Template(name=name, language=t.TemplateLanguage.ENGLISH, category=category, components=parts)
        await wa.create_template(template)
        bench.server.set_template_status(name, "en", "APPROVED")
    await wa.send_template(
        anna,
        "password",
        t.TemplateLanguage.ENGLISH,
        [secret.params(otp="123456"), code.params(otp="123456")],
    )
    await wa.send_template(
        anna,
        "sale",
        t.TemplateLanguage.ENGLISH,
        [offer.params(expiration_time=end), coupon.params(coupon_code="SAVE20", index=0)],
    )
    password, sale = bench.server.phone(anna).screen[-2:]
    assert password.text.startswith("*123456* is your verification code.")
    assert password.text.endswith("This code expires in 5 minutes.")
    assert (sale.text, sale.buttons[0].url) == ("Until Monday\nTwenty percent less", "copy_code:SAVE20")


async def test_a_carousel(bench: Bench, bot: Bot) -> None:
    anna, wa = await bench.start(), bot.client
    bench.server.uploads["4::1"] = b"picture"
    header, quick = t.HeaderImage(example="4::1"), t.QuickReplyButton(text="This one")
    card, text = t.CarouselCard(components=[header, t.Buttons(buttons=[quick])]), t.BodyText("Choose")
    await wa.api.create_template(
        bench.account.waba_id,
        {
            "name": "cards",
            "language": "en",
            "category": "MARKETING",
            "components": [text.to_dict(), {"type": "carousel", "cards": [CARD, CARD]}],
        },
    )
    bench.server.set_template_status("cards", "en", "APPROVED")
    carousel = t.Carousel(cards=[card, card])
    cards = [
        card.params(
            index=index,
            params=[header.params(image=PICTURE), quick.params(callback_data=f"c{index}", index=0)],
        )
        for index in range(2)
    ]
    sent = await wa.send_template(anna, "cards", t.TemplateLanguage.ENGLISH, [carousel.params(cards=cards)])
    assert bench.server.phone(anna).screen[-1].media == f"{PICTURE}\n{PICTURE}"
    await bot.updates()
    await bench.server.press(anna, sent.id, "This one")
    (button,) = await bot.updates()
    assert button.data == "c0"
    with pytest.raises(errors.TemplateParamFormatMismatch):
        await wa.send_template(anna, "cards", t.TemplateLanguage.ENGLISH, [carousel._Params(cards=cards[:1])])


CARD = {
    "components": [
        {"type": "header", "format": "image", "example": {"header_handle": ["4::1"]}},
        {"type": "buttons", "buttons": [{"type": "quick_reply", "text": "This one"}]},
    ]
}
