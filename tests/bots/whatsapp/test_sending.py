"""Sending, as Meta's stand-in sees it: what arrives, what the person's phone shows, and what is reported."""

import asyncio

import pytest

from gateway.domain.channel.errors import Refused, TemplateUnusable, WindowClosed
from gateway.domain.model.event import Inbound, Receipt, TemplateChange
from gateway.domain.model.nouns import Button, Cause, Content, Media, Progress, TemplateMessage
from tests.bots.whatsapp.bench import ANNA, Bench

UPDATE = TemplateMessage("order_update", "ru", {"name": "Анна", "order": "A-17"})
YES = (Button("Yes", reply="yes"),)
PHOTO = Media("image", url="https://shop.ru/a.png")


async def test_a_text_arrives_and_is_reported_step_by_step(bench: Bench) -> None:
    await bench.hear()
    wamid = await bench.send("a_b *c*")
    assert [(one.progress, one.provider_id, one.key) for one in await bench.receipts()] == [
        (Progress.SENT, wamid, "n1.0.0"),
        (Progress.DELIVERED, wamid, "n1.0.0"),
        (Progress.READ, wamid, "n1.0.0"),
    ]
    request = bench.meta.accepted[-1].request
    assert request["text"] == {"body": "a_b *c*", "preview_url": False}
    assert (request["to"], request["recipient_type"]) == (ANNA, "individual")
    bubble = bench.meta.phone(ANNA).screen[-1]
    assert (bubble.id, bubble.text, bubble.state, bubble.mine) == (wamid, "a_b *c*", "read", False)


async def test_a_closed_window_is_told_late_and_without_contacts(bench: Bench) -> None:
    await bench.hear()
    bench.pass_time(hours=24)
    wamid = await bench.send("too late")
    (receipt,) = await bench.receipts()
    assert (receipt.provider_id, receipt.cause, receipt.key) == (wamid, Cause.WINDOW_CLOSED, "n1.0.0")
    assert bench.meta.phone(ANNA).screen[-1].state == "failed"


async def test_the_window_is_open_until_the_last_second(bench: Bench) -> None:
    await bench.hear()
    bench.pass_time(hours=23, minutes=59, seconds=59)
    await bench.send("in time")
    assert (await bench.receipts())[-1].progress is Progress.READ


async def test_a_closed_window_told_at_once(bench: Bench) -> None:
    bench.meta.window_sync = True
    with pytest.raises(WindowClosed, match="131047"):
        await bench.send("never written")
    await bench.send(UPDATE)
    assert [one.text for one in bench.meta.accepted] == ["Анна, ваш заказ A-17 готов."]


async def test_a_template_needs_no_window(bench: Bench) -> None:
    await bench.send(UPDATE)
    assert (await bench.receipts())[-1].progress is Progress.READ
    assert bench.meta.phone(ANNA).screen[-1].text == "Анна, ваш заказ A-17 готов."


async def test_numbered_values_go_in_the_order_of_their_numbers(bench: Bench) -> None:
    body = "".join(f"{{{{{index}}}}}" for index in range(1, 12))
    bench.meta.templates["letters", "en_US"] = {"body": body}
    values = {str(index): "abcdefghijk"[index - 1] for index in (11, 2, 1, 3, 4, 5, 6, 7, 8, 9, 10)}
    await bench.send(TemplateMessage("letters", "en-US", values))
    assert bench.meta.accepted[-1].text == "abcdefghijk"


async def test_a_template_without_values(bench: Bench) -> None:
    bench.meta.templates["hello", "ru"] = {"body": "Здравствуйте!"}
    await bench.send(TemplateMessage("hello", "ru"))
    assert "components" not in bench.meta.accepted[-1].request["template"]


async def test_a_value_with_line_breaks_is_made_to_fit(bench: Bench) -> None:
    await bench.send(TemplateMessage("order_update", "en", {"name": "Anna\n\tMaria", "order": "a      b"}))
    assert bench.meta.accepted[-1].text == "Anna Maria, your order a b is ready."


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
    bench: Bench, template: TemplateMessage, error: type[Refused], code: int
) -> None:
    with pytest.raises(Refused, match=str(code)) as refusal:
        await bench.send(template)
    assert type(refusal.value) is error


async def test_a_paused_template_is_told_by_webhook_and_refused(bench: Bench) -> None:
    bench.meta.set_template_status("order_update", "ru", "PAUSED")
    await bench.meta.quiet()
    (change,) = bench.told(TemplateChange)
    assert (change.name, change.language, change.usable, change.state) == ("order_update", "ru", False, "paused")
    with pytest.raises(TemplateUnusable, match="132015"):
        await bench.send(UPDATE)
    bench.meta.set_template_status("order_update", "ru", "REINSTATED")
    await bench.send(UPDATE)


@pytest.mark.parametrize(
    ("longest", "one_more"),
    [
        (Content("ы" * 4096), Content("ы" * 4097)),
        (Content("ы" * 1024, buttons=YES), Content("ы" * 1025, buttons=YES)),
        (Content("ы" * 1024, PHOTO), Content("ы" * 1025, PHOTO)),
    ],
)
async def test_the_longest_text(bench: Bench, longest: Content, one_more: Content) -> None:
    await bench.hear()
    await bench.send(longest)
    with pytest.raises(Refused, match="131009"):
        await bench.send(one_more)
    assert [accepted.text for accepted in bench.meta.accepted] == [longest.text]


async def test_every_piece_of_a_long_message_is_taken(bench: Bench) -> None:
    await bench.hear()
    text = "Ваш заказ 📦 собран. " * 600
    pieces = bench.channel.split(Content(text, PHOTO, YES))
    for piece in pieces:
        await bench.send(piece)
    assert len(pieces) > 3
    assert " ".join(accepted.text for accepted in bench.meta.accepted).strip() == text.strip()


async def test_a_person_without_whatsapp(bench: Bench) -> None:
    bench.meta.phone(ANNA).reachable = False
    await bench.send(UPDATE)
    (receipt,) = await bench.receipts()
    assert (receipt.progress, receipt.cause) == (Progress.FAILED, Cause.REFUSED)
    assert receipt.reason.startswith("131026")


async def test_a_person_who_does_not_open_it_and_one_who_has_blocked_us(bench: Bench) -> None:
    bench.meta.phone(ANNA).reads = False
    await bench.send(UPDATE)
    assert [one.progress for one in await bench.receipts()] == [Progress.SENT, Progress.DELIVERED]
    bench.meta.phone(ANNA).blocked = True
    await bench.send(UPDATE)
    assert [one.progress for one in await bench.receipts()][2:] == [Progress.SENT]


async def test_a_receipt_may_come_before_the_answer(bench: Bench) -> None:
    bench.meta.receipts_first = True
    sending = asyncio.create_task(bench.send(UPDATE))
    while not bench.told(Receipt):  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    assert not sending.done()
    assert await sending == bench.told(Receipt)[0].provider_id


async def test_receipts_can_be_held_back(bench: Bench) -> None:
    bench.meta.hold_receipts = True
    await bench.send(UPDATE)
    assert await bench.receipts() == []
    bench.meta.release_receipts()
    assert len(await bench.receipts()) == 3


async def test_files(bench: Bench) -> None:
    await bench.hear()
    await bench.send(Content("чек", Media("image", url="https://shop.ru/a.jpg")))
    await bench.send(Content(media=Media("document", id="77", name="счёт.pdf")))
    await bench.send(Content("?", Media("hologram", url="https://shop.ru/a.holo")))
    assert [
        {key: one.request[key] for key in ("image", "document") if key in one.request} for one in bench.meta.accepted
    ] == [
        {"image": {"link": "https://shop.ru/a.jpg", "caption": "чек"}},
        {"document": {"id": "77", "filename": "счёт.pdf"}},
        {"document": {"link": "https://shop.ru/a.holo", "caption": "?"}},
    ]
    assert [one.media for one in bench.meta.phone(ANNA).screen[1:]] == [
        "https://shop.ru/a.jpg",
        "77",
        "https://shop.ru/a.holo",
    ]


def buttons(count: int, title: str = "Button") -> tuple[Button, ...]:
    return tuple(Button(f"{index} {title}", reply=f"/b{index}") for index in range(count))


@pytest.mark.parametrize(
    ("offered", "kind", "pressed_kind"),
    [
        (buttons(3), "button", "button_reply"),
        (buttons(10), "list", "list_reply"),
        (buttons(2, "A title of more than twenty letters"), "list", "list_reply"),
    ],
)
async def test_buttons_are_shown_and_answer(
    bench: Bench, offered: tuple[Button, ...], kind: str, pressed_kind: str
) -> None:
    await bench.hear()
    wamid = await bench.send(Content("What now?", buttons=offered))
    assert bench.meta.accepted[-1].request["interactive"]["type"] == kind
    shown = bench.meta.phone(ANNA).screen[-1].buttons[1]
    await bench.meta.press(ANNA, wamid, shown.text)
    await bench.meta.quiet()
    answer = bench.told(Inbound)[-1]
    assert (answer.kind, answer.pressed, answer.content.text) == (pressed_kind, "/b1", shown.text)


async def test_a_link_button_opens_and_does_not_answer(bench: Bench) -> None:
    await bench.hear()
    wamid = await bench.send(Content("See", buttons=(Button("Open", url="https://shop.ru/1"),)))
    assert bench.meta.accepted[-1].request["interactive"]["type"] == "cta_url"
    await bench.meta.press(ANNA, wamid, "Open")
    await bench.meta.quiet()
    assert len(bench.told(Inbound)) == 1


async def test_a_templates_button_and_a_reaction(bench: Bench) -> None:
    wamid = await bench.send(UPDATE)
    await bench.meta.press(ANNA, wamid, "Спасибо")
    await bench.meta.react(ANNA, wamid, "👍")
    await bench.meta.quiet()
    quick, reaction = bench.told(Inbound)
    assert (quick.kind, quick.pressed) == ("button", "Спасибо")
    assert (reaction.kind, reaction.content.text) == ("reaction", "👍")
    await bench.send("the window is open")
    assert (await bench.receipts())[-1].progress is Progress.READ


async def test_a_person_by_their_business_scoped_id(bench: Bench) -> None:
    bench.meta.give_bsuid(ANNA, "RU.1349120865530274")
    event = await bench.hear()
    assert (event.address.user, event.person.phone) == ("RU.1349120865530274", f"+{ANNA}")
    bench.meta.give_bsuid(ANNA, "RU.1349120865530274", hide_phone=True)
    event = await bench.hear()
    assert (event.address.user, event.person.phone) == ("RU.1349120865530274", "")
    await bench.send("by id", event.address.user)
    assert "to" not in bench.meta.accepted[-1].request
    assert bench.meta.phone(ANNA).screen[-1].text == "by id"


async def test_a_person_who_never_had_a_number_for_us(bench: Bench) -> None:
    event = await bench.hear("DE.42abc")
    await bench.send("hallo", event.address.user)
    assert bench.meta.phone("DE.42abc").screen[-1].state == "read"
    assert (await bench.receipts())[-1].progress is Progress.READ


async def test_seen_messages_are_marked_as_read(bench: Bench) -> None:
    event = await bench.hear()
    await bench.channel.acknowledge(event)
    await bench.channel.acknowledge(event)
    assert bench.meta.phone(ANNA).screen[-1].state == "read"


async def test_a_mark_that_does_not_work_harms_nobody(bench: Bench) -> None:
    event = await bench.hear()
    bench.meta.faults.fail(190)
    await bench.channel.acknowledge(event)
    assert bench.meta.phone(ANNA).screen[-1].state == "sent"


async def test_what_the_stand_in_refuses_reaches_nobody(bench: Bench) -> None:
    await bench.hear()
    for content, code in (
        (Content(""), 131009),
        (Content("x" * 4097), 131009),
        (Content("x", buttons=(Button("a", reply="same"), Button("b", reply="same"))), 131009),
        (Content("x", buttons=(Button("a", url="ftp://x"),)), 131009),
        (Content(media=Media("image")), 131009),
    ):
        with pytest.raises(Refused, match=str(code)):
            await bench.send(content)
    with pytest.raises(Refused, match="131009"):
        await bench.send("hi", "not-a-person")
    assert bench.meta.accepted == []
