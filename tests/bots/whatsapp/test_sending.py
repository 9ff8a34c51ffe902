"""Sending, as Meta's stand-in sees it: what arrives, what the person's phone shows, and what is reported."""

import asyncio

import pytest

from gateway.domain.channel.errors import Refused, TemplateUnusable, WindowClosed
from gateway.domain.model.event import Inbound, Receipt, TemplateChange
from gateway.domain.model.nouns import Button, Cause, Content, Media, Progress, TemplateMessage
from tests.bots.whatsapp.pair import ANNA, Pair

UPDATE = TemplateMessage("order_update", "ru", {"name": "Анна", "order": "A-17"})
YES = (Button("Yes", reply="yes"),)
PHOTO = Media("image", url="https://shop.ru/a.png")


async def test_a_text_arrives_and_is_reported_step_by_step(pair: Pair) -> None:
    await pair.receive()
    wamid = await pair.send("a_b *c*")
    assert [(receipt.progress, receipt.provider_id, receipt.key) for receipt in await pair.receipts()] == [
        (Progress.SENT, wamid, "n1.0.0"),
        (Progress.DELIVERED, wamid, "n1.0.0"),
        (Progress.READ, wamid, "n1.0.0"),
    ]
    request = pair.meta.accepted[-1].request
    assert request["text"] == {"body": "a_b *c*", "preview_url": False}
    assert (request["to"], request["recipient_type"]) == (ANNA, "individual")
    bubble = pair.meta.phone(ANNA).screen[-1]
    assert (bubble.id, bubble.text, bubble.state, bubble.mine) == (wamid, "a_b *c*", "read", False)


async def test_a_closed_window_is_told_late_and_without_contacts(pair: Pair) -> None:
    await pair.receive()
    pair.pass_time(hours=24)
    wamid = await pair.send("too late")
    (receipt,) = await pair.receipts()
    assert (receipt.provider_id, receipt.cause, receipt.key) == (wamid, Cause.WINDOW_CLOSED, "n1.0.0")
    assert pair.meta.phone(ANNA).screen[-1].state == "failed"


async def test_the_window_is_open_until_the_last_second(pair: Pair) -> None:
    await pair.receive()
    pair.pass_time(hours=23, minutes=59, seconds=59)
    await pair.send("in time")
    assert (await pair.receipts())[-1].progress is Progress.READ


async def test_a_closed_window_told_at_once(pair: Pair) -> None:
    pair.meta.window_sync = True
    with pytest.raises(WindowClosed, match="131047"):
        await pair.send("never written")
    await pair.send(UPDATE)
    assert [accepted.text for accepted in pair.meta.accepted] == ["Здравствуйте, Анна, ваш заказ A-17 готов."]


async def test_a_template_needs_no_window(pair: Pair) -> None:
    await pair.send(UPDATE)
    assert (await pair.receipts())[-1].progress is Progress.READ
    assert pair.meta.phone(ANNA).screen[-1].text == "Здравствуйте, Анна, ваш заказ A-17 готов."


async def test_numbered_values_go_in_the_order_of_their_numbers(pair: Pair) -> None:
    body = "".join(f"{{{{{index}}}}}" for index in range(1, 12))
    pair.meta.templates["letters", "en_US"] = {"body": body}
    values = {str(index): "abcdefghijk"[index - 1] for index in (11, 2, 1, 3, 4, 5, 6, 7, 8, 9, 10)}
    await pair.send(TemplateMessage("letters", "en-US", values))
    assert pair.meta.accepted[-1].text == "abcdefghijk"


async def test_a_template_without_values(pair: Pair) -> None:
    pair.meta.templates["hello", "ru"] = {"body": "Здравствуйте!"}
    await pair.send(TemplateMessage("hello", "ru"))
    assert "components" not in pair.meta.accepted[-1].request["template"]


async def test_a_value_with_line_breaks_is_made_to_fit(pair: Pair) -> None:
    await pair.send(TemplateMessage("order_update", "en", {"name": "Anna\n\tMaria", "order": "a      b"}))
    assert pair.meta.accepted[-1].text == "Hello Anna Maria, your order a b is ready."


@pytest.mark.parametrize(
    ("template", "error", "code"),
    [
        (TemplateMessage("order_updates", "ru"), TemplateUnusable, 132001),
        (TemplateMessage("order_update", "de", UPDATE.values), TemplateUnusable, 132001),
        (TemplateMessage("order_update", "ru", {"name": "Анна"}), Refused, 132000),
        (TemplateMessage("order_update", "ru", {"name": "Анна", "ordre": "A-17"}), Refused, 132012),
        (TemplateMessage("order_update", "ru", {"1": "Анна", "2": "A-17"}), Refused, 132012),
        (TemplateMessage("order_update", "ru", {"name": "Анна", "order": ""}), Refused, 131009),
    ],
)
async def test_meta_is_exact_about_templates(
    pair: Pair, template: TemplateMessage, error: type[Refused], code: int
) -> None:
    with pytest.raises(Refused, match=str(code)) as refusal:
        await pair.send(template)
    assert type(refusal.value) is error


async def test_a_paused_template_is_told_by_webhook_and_refused(pair: Pair) -> None:
    pair.meta.set_template_status("order_update", "ru", "PAUSED")
    await pair.meta.quiet()
    (change,) = pair.parsed_events(TemplateChange)
    assert (change.name, change.language, change.usable, change.state) == ("order_update", "ru", False, "paused")
    with pytest.raises(TemplateUnusable, match="132015"):
        await pair.send(UPDATE)
    pair.meta.set_template_status("order_update", "ru", "REINSTATED")
    await pair.send(UPDATE)


@pytest.mark.parametrize(
    ("longest", "one_more"),
    [
        (Content("ы" * 4096), Content("ы" * 4097)),
        (Content("ы" * 1024, buttons=YES), Content("ы" * 1025, buttons=YES)),
        (Content("ы" * 1024, PHOTO), Content("ы" * 1025, PHOTO)),
    ],
)
async def test_the_longest_text(pair: Pair, longest: Content, one_more: Content) -> None:
    await pair.receive()
    await pair.send(longest)
    with pytest.raises(Refused, match="131009"):
        await pair.send(one_more)
    assert [accepted.text for accepted in pair.meta.accepted] == [longest.text]


async def test_every_piece_of_a_long_message_is_taken(pair: Pair) -> None:
    await pair.receive()
    text = "Ваш заказ 📦 собран. " * 600
    pieces = pair.channel.split(Content(text, PHOTO, YES))
    for piece in pieces:
        await pair.send(piece)
    assert len(pieces) > 3
    assert " ".join(accepted.text for accepted in pair.meta.accepted).strip() == text.strip()


async def test_a_person_without_whatsapp(pair: Pair) -> None:
    pair.meta.phone(ANNA).reachable = False
    await pair.send(UPDATE)
    (receipt,) = await pair.receipts()
    assert (receipt.progress, receipt.cause) == (Progress.FAILED, Cause.REFUSED)
    assert receipt.reason.startswith("131026")


async def test_a_person_who_does_not_open_it_and_one_who_has_blocked_us(pair: Pair) -> None:
    pair.meta.phone(ANNA).reads = False
    await pair.send(UPDATE)
    assert [receipt.progress for receipt in await pair.receipts()] == [Progress.SENT, Progress.DELIVERED]
    pair.meta.phone(ANNA).blocked = True
    await pair.send(UPDATE)
    assert [receipt.progress for receipt in await pair.receipts()][2:] == [Progress.SENT]


async def test_a_receipt_may_come_before_the_answer(pair: Pair) -> None:
    pair.meta.receipts_first = True
    sending = asyncio.create_task(pair.send(UPDATE))
    while not pair.parsed_events(Receipt):  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    assert not sending.done()
    assert await sending == pair.parsed_events(Receipt)[0].provider_id


async def test_receipts_can_be_held_back(pair: Pair) -> None:
    pair.meta.hold_receipts = True
    await pair.send(UPDATE)
    assert await pair.receipts() == []
    pair.meta.release_receipts()
    assert len(await pair.receipts()) == 3


async def test_files(pair: Pair) -> None:
    await pair.receive()
    await pair.send(Content("чек", Media("image", url="https://shop.ru/a.jpg")))
    await pair.send(Content(media=Media("document", id="77", name="счёт.pdf")))
    await pair.send(Content("?", Media("hologram", url="https://shop.ru/a.holo")))
    await pair.send(Content(media=Media("document", url="https://shop.ru/%D1%81%D1%87%D1%91%D1%82.pdf?x=1")))
    await pair.send(Content("?", Media("image", url="https://shop.ru/a.svg")))
    assert [
        {key: entry.request[key] for key in ("image", "document") if key in entry.request}
        for entry in pair.meta.accepted
    ] == [
        {"image": {"link": "https://shop.ru/a.jpg", "caption": "чек"}},
        {"document": {"id": "77", "filename": "счёт.pdf"}},
        {"document": {"link": "https://shop.ru/a.holo", "caption": "?", "filename": "a.holo"}},
        {"document": {"link": "https://shop.ru/%D1%81%D1%87%D1%91%D1%82.pdf?x=1", "filename": "счёт.pdf"}},
        {"document": {"link": "https://shop.ru/a.svg", "caption": "?", "filename": "a.svg"}},
    ]
    assert [entry.media for entry in pair.meta.phone(ANNA).screen[1:]] == [
        "https://shop.ru/a.jpg",
        "счёт.pdf",
        "https://shop.ru/a.holo",
        "https://shop.ru/%D1%81%D1%87%D1%91%D1%82.pdf?x=1",
        "https://shop.ru/a.svg",
    ]


def buttons(count: int, title: str = "Button") -> tuple[Button, ...]:
    return tuple(Button(f"{index} {title}", reply=f"/b{index}") for index in range(count))


@pytest.mark.parametrize(
    ("message_buttons", "kind", "pressed_kind"),
    [
        (buttons(3), "button", "button_reply"),
        (buttons(10), "list", "list_reply"),
        (buttons(2, "A title of more than twenty letters"), "list", "list_reply"),
    ],
)
async def test_buttons_are_shown_and_answer(
    pair: Pair, message_buttons: tuple[Button, ...], kind: str, pressed_kind: str
) -> None:
    await pair.receive()
    wamid = await pair.send(Content("What now?", buttons=message_buttons))
    assert pair.meta.accepted[-1].request["interactive"]["type"] == kind
    button = pair.meta.phone(ANNA).screen[-1].buttons[1]
    await pair.meta.press(ANNA, wamid, button.text)
    await pair.meta.quiet()
    answer = pair.parsed_events(Inbound)[-1]
    assert (answer.kind, answer.pressed, answer.content.text) == (pressed_kind, "/b1", button.text)


async def test_a_link_button_opens_and_does_not_answer(pair: Pair) -> None:
    await pair.receive()
    wamid = await pair.send(Content("See", buttons=(Button("Open", url="https://shop.ru/1"),)))
    assert pair.meta.accepted[-1].request["interactive"]["type"] == "cta_url"
    await pair.meta.press(ANNA, wamid, "Open")
    await pair.meta.quiet()
    assert len(pair.parsed_events(Inbound)) == 1


async def test_a_templates_button_and_a_reaction(pair: Pair) -> None:
    wamid = await pair.send(UPDATE)
    await pair.meta.press(ANNA, wamid, "Спасибо")
    await pair.meta.react(ANNA, wamid, "👍")
    await pair.meta.quiet()
    quick, reaction = pair.parsed_events(Inbound)
    assert (quick.kind, quick.pressed) == ("button", "Спасибо")
    assert (reaction.kind, reaction.content.text) == ("reaction", "👍")
    await pair.send("the window is open")
    assert (await pair.receipts())[-1].progress is Progress.READ


async def test_a_person_by_their_business_scoped_id(pair: Pair) -> None:
    pair.meta.give_bsuid(ANNA, "RU.1349120865530274")
    event = await pair.receive()
    assert (event.address.user, event.person.identifiers) == ("RU.1349120865530274", (f"phone:+{ANNA}",))
    pair.meta.give_bsuid(ANNA, "RU.1349120865530274", hide_phone=True)
    event = await pair.receive()
    assert (event.address.user, event.person.identifiers) == ("RU.1349120865530274", ())
    await pair.send("by id", event.address.user)
    assert "to" not in pair.meta.accepted[-1].request
    assert pair.meta.phone(ANNA).screen[-1].text == "by id"


async def test_a_person_who_never_had_a_number_for_us(pair: Pair) -> None:
    event = await pair.receive("DE.42abc")
    await pair.send("hallo", event.address.user)
    assert pair.meta.phone("DE.42abc").screen[-1].state == "read"
    assert (await pair.receipts())[-1].progress is Progress.READ


async def test_seen_messages_are_marked_as_read(pair: Pair) -> None:
    event = await pair.receive()
    await pair.channel.acknowledge(event)
    await pair.channel.acknowledge(event)
    assert pair.meta.phone(ANNA).screen[-1].state == "read"


async def test_a_mark_that_does_not_work_harms_nobody(pair: Pair) -> None:
    event = await pair.receive()
    pair.meta.faults.fail(190)
    await pair.channel.acknowledge(event)
    assert pair.meta.phone(ANNA).screen[-1].state == "sent"


async def test_what_the_stand_in_refuses_reaches_nobody(pair: Pair) -> None:
    await pair.receive()
    for content, code in (
        (Content(""), 131009),
        (Content("x" * 4097), 131009),
        (Content("x", buttons=(Button("a", reply="same"), Button("b", reply="same"))), 131009),
        (Content("x", buttons=(Button("a", url="ftp://x"),)), 131009),
        (Content(media=Media("image")), 131009),
    ):
        with pytest.raises(Refused, match=str(code)):
            await pair.send(content)
    with pytest.raises(Refused, match="131009"):
        await pair.send("hi", "not-a-person")
    assert pair.meta.accepted == []
