"""Templates at Meta's stand-in: submitted, refused, changed, listed, deleted; and every kind of value sent in them."""

from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from bots.whatsapp.templates.components import read
from bots.whatsapp.templates.rules import mistakes
from gateway.domain.channel.contract import TemplateApprovals
from gateway.domain.channel.errors import Refused
from gateway.domain.model.event import Inbound, TemplateChange
from gateway.domain.model.message_template import Choice, Head, MessageTemplate
from gateway.domain.model.nouns import Media, Place, TemplateButton, TemplateHeader, TemplateMessage
from tests.bots.whatsapp.pair import ANNA, Pair
from tests.support.http.serving import app_of, served

DRAFT = MessageTemplate(
    channel="whatsapp",
    account="shop",
    name="parcel",
    language="ru",
    category="UTILITY",
    body="Здравствуйте, {{1}}! Заказ *{{2}}* в пути.",
    body_examples={"1": "Анна", "2": "A-17"},
    header=Head("text", "Заказ {{1}}", "A-17"),
    footer="Магазин",
    buttons=(
        Choice("quickReply", "Спасибо"),
        Choice("url", "Где он?", url="https://shop.ru/t/{{1}}", example="https://shop.ru/t/17"),
        Choice("phone", "Позвонить", phone="+79990000001"),
    ),
)
NAMED = replace(
    DRAFT, name="named", body="Hi {{name}}!", body_examples={"name": "Ann"}, header=Head("text", "For {{who}}", "Ann")
)
PLAIN = replace(DRAFT, name="plain", header=None, buttons=(), footer="")
VALUES = {"1": "Анна", "2": "A-17"}


async def test_what_is_submitted_waits_and_is_listed_as_it_was(pair: Pair) -> None:
    assert isinstance(pair.channel, TemplateApprovals)
    for draft in (DRAFT, NAMED, replace(PLAIN, header=Head("location"))):
        verdict = await pair.channel.submit_template(draft)
        assert (verdict.state, verdict.usable) == ("pending", False)
        templates = {
            template.name: (template, listed_verdict)
            for template, listed_verdict in await pair.channel.list_templates()
        }
        assert templates[draft.name] == (draft, verdict)


async def test_the_list_is_read_page_by_page(pair: Pair) -> None:
    for number in range(5):
        await pair.channel.submit_template(replace(PLAIN, name=f"plain_{number}"))
    pair.meta.page_size = 2
    assert len(await pair.channel.list_templates()) == 7


async def test_moderation_is_told_by_webhook_and_by_the_list(pair: Pair) -> None:
    await pair.channel.submit_template(replace(PLAIN, language="en_US"))
    pair.meta.set_template_status("plain", "en_US", "REJECTED", "INVALID_FORMAT")
    await pair.meta.quiet()
    (change,) = pair.parsed_events(TemplateChange)
    assert (change.name, change.language, change.usable, change.reason) == ("plain", "en_US", False, "INVALID_FORMAT")
    rejected = {template.name: verdict for template, verdict in await pair.channel.list_templates()}["plain"]
    assert (rejected.state, rejected.usable, rejected.reason) == ("rejected", False, "INVALID_FORMAT")
    pair.meta.set_template_status("plain", "en_US", "REINSTATED")
    rejected = {template.name: verdict for template, verdict in await pair.channel.list_templates()}["plain"]
    assert (rejected.state, rejected.usable, rejected.reason) == ("approved", True, "")


async def test_what_was_rejected_is_changed_under_its_id(pair: Pair) -> None:
    verdict = await pair.channel.submit_template(PLAIN)
    changed = replace(PLAIN, provider_id=verdict.provider_id, body="Another {{1}} text, {{2}}.")
    with pytest.raises(Refused, match="cannot be edited"):
        await pair.channel.submit_template(changed)
    pair.meta.set_template_status("plain", "ru", "REJECTED")
    assert (await pair.channel.submit_template(changed)).provider_id == verdict.provider_id
    assert pair.meta.templates["plain", "ru"]["status"] == "PENDING"
    assert pair.meta.templates["plain", "ru"]["body"] == changed.body


async def test_one_language_is_deleted_and_the_other_stays(pair: Pair) -> None:
    verdict = await pair.channel.submit_template(PLAIN)
    await pair.channel.submit_template(replace(PLAIN, language="en"))
    russian = replace(PLAIN, provider_id=verdict.provider_id)
    await pair.channel.delete_template(russian)
    assert [key for key in pair.meta.templates if key[0] == "plain"] == [("plain", "en")]
    with pytest.raises(Refused, match="not found"):
        await pair.channel.delete_template(russian)


async def test_the_example_of_a_header_is_uploaded(pair: Pair) -> None:
    async with served(app_of_picture()) as url:
        picture = replace(PLAIN, header=Head("image", example=f"{url}/pictures/a.png"))
        await pair.channel.submit_template(picture)
        ((handle, body),) = pair.meta.uploads.items()
        assert body == b"picture"
        header = pair.meta.templates["plain", "ru"]["components"][0]
        assert header == {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": [handle]}}
        pair.channel.template_client = pair.channel.template_client._replace(app="")
        with pytest.raises(Refused, match="app_id is missing"):
            await pair.channel.submit_template(replace(picture, name="other"))


def app_of_picture() -> Any:
    from quart import Blueprint, Response

    blueprint = Blueprint("pictures", __name__)

    @blueprint.get("/a.png")
    async def picture() -> Response:
        return Response(b"picture", content_type="image/png")

    return app_of(blueprint)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "order_update"}, "already content in this language"),
        ({"name": "Order"}, "lowercase"),
        ({"language": "Russian"}, "language"),
        ({"category": "ADVERTS"}, "category"),
        ({"body": "a {{1}} and {{3}}.", "body_examples": {"1": "x", "3": "y"}}, "not numbered"),
        ({"body": "{{1}} first, {{2}}."}, "start or end"),
        ({"body": "x" * 1025, "body_examples": {}}, "BODY exceeds 1024"),
        ({"header": Head("text", "x" * 61)}, "HEADER exceeds 60"),
        ({"footer": "x" * 61}, "FOOTER exceeds 60"),
        ({"footer": "{{1}}"}, "FOOTER are not well formed"),
        ({"header": Head("text", "{{a}} {{b}}", "x")}, "at most one variable"),
        ({"buttons": (Choice("quickReply", "x" * 26),)}, "exceeds 25"),
        ({"buttons": tuple(Choice("quickReply", str(number)) for number in range(11))}, "up to 10 buttons"),
        ({"buttons": tuple(Choice("url", str(number), "https://a.ru/") for number in range(3))}, "up to 2 buttons"),
        (
            {"buttons": tuple(Choice("phone", str(number), phone="+79990000001") for number in range(2))},
            "up to 1 button",
        ),
        ({"buttons": (Choice("quickReply", "x"), Choice("url", "x", "https://a.ru/"))}, "not unique"),
        ({"buttons": (Choice("url", "x", "https://{{1}}.ru/", "https://a.ru/"),)}, "at its end"),
        ({"header": Head("image", example="")}, "needs an example"),
    ],
)
async def test_the_stand_in_refuses_what_meta_refuses(pair: Pair, change: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused, match=words):
        await pair.channel.submit_template(replace(PLAIN, **change))


@pytest.mark.parametrize(
    ("missing", "words"), [("language", "language is required"), ("category", "category is required")]
)
async def test_what_is_missing_is_refused(pair: Pair, missing: str, words: str) -> None:
    request = {"name": "x", "language": "ru", "category": "UTILITY", "components": [{"type": "BODY", "text": "Hi"}]}
    del request[missing]
    with pytest.raises(Refused, match=words):
        await pair.channel.template_client.graph.call(
            "POST", f"/{pair.meta.account.waba_id}/message_templates", request
        )
    example = {"components": [{"type": "BODY", "text": "Hi {{1}}!"}]}
    whole = {"name": "x", "language": "ru", "category": "UTILITY", **example}
    with pytest.raises(Refused, match="examples of BODY"):
        await pair.channel.template_client.graph.call("POST", f"/{pair.meta.account.waba_id}/message_templates", whole)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({}, ""),
        ({"body": "Plain", "body_examples": {}, "header": Head("location"), "buttons": ()}, ""),
        ({"name": "Order"}, "name"),
        ({"language": "ru-RU"}, "language"),
        ({"category": "AUTHENTICATION"}, "category"),
        ({"body": "x" * 1025, "body_examples": {}}, "body"),
        ({"body": "a {{2}} b", "body_examples": {"2": "x"}}, "body"),
        ({"body": "a {{1}} b {{name}} c", "body_examples": {"1": "x", "name": "y"}}, "body"),
        ({"body": "a {{Имя}} b", "body_examples": {"Имя": "y"}}, "body"),
        ({"body": "{{1}} a {{2}} b"}, "body"),
        ({"body_examples": {"1": "x"}}, "bodyExamples"),
        ({"body_examples": {"1": "x", "2": "y", "3": "z"}}, "bodyExamples"),
        ({"header": Head("text")}, "header.text"),
        ({"header": Head("text", "two\nlines")}, "header.text"),
        ({"header": Head("text", "{{1}} {{2}}", "x")}, "header.text"),
        ({"header": Head("text", "{{1}} x")}, "header.example"),
        ({"header": Head("image", "x", "https://a.ru/1.png")}, "header.text"),
        ({"header": Head("image", example="a.png")}, "header.example"),
        ({"footer": "x" * 61}, "footer"),
        ({"footer": "{{1}}"}, "footer"),
        ({"buttons": (Choice("quickReply", "x" * 26),)}, "buttons[0].text"),
        ({"buttons": (Choice("phone", "Call", phone="8"),)}, "buttons[0].phone"),
        ({"buttons": (Choice("url", "Go", url="shop.ru"),)}, "buttons[0].url"),
        ({"buttons": (Choice("url", "Go", url="https://{{1}}/a"),)}, "buttons[0].url"),
        ({"buttons": (Choice("url", "Go", url="https://a.ru/{{2}}", example="https://a.ru/1"),)}, "buttons[0].url"),
        ({"buttons": (Choice("url", "Go", url="https://a.ru/{{1}}"),)}, "buttons[0].example"),
        ({"buttons": (Choice("url", "Go", url="https://a.ru"),) * 3}, "buttons"),
        ({"buttons": (Choice("quickReply", "x"),) * 11}, "buttons"),
        (
            {
                "buttons": (
                    Choice("quickReply", "x"),
                    Choice("url", "Go", url="https://a.ru"),
                    Choice("quickReply", "y"),
                )
            },
            "buttons",
        ),
    ],
)
def test_mistakes_are_told_without_meta(change: dict[str, Any], field: str) -> None:
    assert next(mistakes(replace(DRAFT, **change)), ("", ""))[0] == field


async def submit_approved(pair: Pair, draft: MessageTemplate) -> None:
    await pair.channel.submit_template(draft)
    pair.meta.set_template_status(draft.name, draft.language, "APPROVED")


async def test_every_part_is_filled(pair: Pair) -> None:
    await submit_approved(pair, DRAFT)
    buttons = (TemplateButton(0, reply="thanks"), TemplateButton(1, url="A-17"))
    message = TemplateMessage("parcel", "ru", VALUES, TemplateHeader({"1": "A-17"}), buttons)
    wamid = await pair.send(message)
    bubble = pair.meta.phone(ANNA).screen[-1]
    assert bubble.text == "Заказ A-17\nЗдравствуйте, Анна! Заказ *A-17* в пути.\nМагазин"
    assert [(button.text, button.reply, button.url) for button in bubble.buttons] == [
        ("Спасибо", "thanks", ""),
        ("Где он?", "", "https://shop.ru/t/A-17"),
        ("Позвонить", "", "tel:+79990000001"),
    ]
    await pair.meta.press(ANNA, wamid, "Спасибо")
    await pair.meta.quiet()
    assert pair.parsed_events(Inbound)[-1].pressed == "thanks"


async def test_named_variables_of_body_and_header(pair: Pair) -> None:
    await submit_approved(pair, replace(NAMED, buttons=()))
    await pair.send(TemplateMessage("named", "ru", {"name": "Ann"}, TemplateHeader({"who": "Bob"})))
    assert pair.meta.accepted[-1].text == "For Bob\nHi Ann!\nМагазин"


@pytest.mark.parametrize("kind", ["image", "video", "document"])
async def test_a_file_in_the_header(pair: Pair, kind: str) -> None:
    header = {"type": "HEADER", "format": kind.upper(), "example": {"header_handle": ["4::1"]}}
    pair.meta.templates["file", "ru"] = {"body": "Hi", "components": [header, {"type": "BODY", "text": "Hi"}]}
    media = Media(kind, url="https://shop.ru/bill.pdf", name="bill.pdf")
    await pair.send(TemplateMessage("file", "ru", header=TemplateHeader(media=media)))
    assert pair.meta.phone(ANNA).screen[-1].media == "https://shop.ru/bill.pdf"
    (part,) = pair.meta.accepted[-1].request["template"]["components"]
    assert ("filename" in part["parameters"][0][kind]) == (kind == "document")


async def test_a_place_in_the_header(pair: Pair) -> None:
    await submit_approved(pair, replace(PLAIN, header=Head("location")))
    place = Place(55.75, 37.62, "Shop", "Street 1")
    await pair.send(TemplateMessage("plain", "ru", VALUES, TemplateHeader(place=place)))
    part = pair.meta.accepted[-1].request["template"]["components"][0]
    point = {"latitude": 55.75, "longitude": 37.62, "name": "Shop", "address": "Street 1"}
    assert part == {"type": "header", "parameters": [{"type": "location", "location": point}]}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"header": None}, 132000),
        ({"header": TemplateHeader(media=Media("image", url="https://a.ru/1"))}, 132012),
        ({"header": TemplateHeader({"1": "a", "2": "b"})}, 131009),
        ({"buttons": ()}, 131008),
        ({"buttons": (TemplateButton(1, reply="x"),)}, 132018),
        ({"buttons": (TemplateButton(1, url="x"), TemplateButton(0, url="x"))}, 132018),
        ({"buttons": (TemplateButton(1, url="x"), TemplateButton(7, reply="x"))}, 132018),
        ({"values": {"1": "a"}}, 132000),
    ],
)
async def test_meta_is_exact_about_every_part(pair: Pair, change: dict[str, Any], code: int) -> None:
    await submit_approved(pair, DRAFT)
    fits = TemplateMessage("parcel", "ru", VALUES, TemplateHeader({"1": "A-17"}), (TemplateButton(1, url="x"),))
    await pair.send(fits)
    with pytest.raises(Refused, match=str(code)):
        await pair.send(replace(fits, **change))


async def test_the_token_is_asked_for_everywhere(pair: Pair) -> None:
    paths = [
        ("POST", f"{pair.meta.account.waba_id}/message_templates"),
        ("GET", f"{pair.meta.account.waba_id}/message_templates"),
        ("POST", f"{pair.meta.account.app_id}/uploads"),
        ("POST", "upload:1"),
    ]
    async with aiohttp.ClientSession() as stranger:
        for method, path in paths:
            url = f"{pair.meta.account.api_url}/{pair.meta.account.version}/{path}"
            async with stranger.request(method, url, json={}) as response:
                assert response.status == 401, path


@pytest.mark.parametrize(
    ("theirs", "ours"), [("MARKETING", "MARKETING"), ("AUTHENTICATION", "AUTHENTICATION"), ("TRANSACTIONAL", "UTILITY")]
)
def test_a_category_that_we_have_no_word_for_is_read_as_utility(theirs: str, ours: str) -> None:
    """Meta's list still has templates of categories that it no longer takes."""
    item = {"name": "x", "language": "ru", "category": theirs, "components": [{"type": "BODY", "text": "Hi"}]}
    assert read("demo", item).category == ours
