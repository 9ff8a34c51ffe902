"""Operators' conversations: what is unread, replies and their ticks, a shut window, other channels, and who it is."""

import asyncio
from typing import Any, cast

import pytest
from playwright.async_api import Page, expect

from bots.telegram.simulator import Server as Telegram
from gateway.conversations import repeating
from gateway.conversations.operators import reply
from gateway.domain.api.response import ItemView
from gateway.domain.terms.price import Price
from gateway.messages.media import uploading
from gateway.messages.media.uploading import LARGEST
from storage.access import users
from tests.support.client import PHONE, ApiClient, until
from tests.support.files import PAPER, PICTURE, share
from tests.support.hostile.stalls import BLOCKED, watched
from tests.webhooks.pages.conftest import OPERATOR
from tests.webhooks.pages.visitor import PASSWORD, Answer, Visitor, add_user

IMAGE = "<img src=x onerror=alert(1)>"
TEMPLATE = {"name": "order_update", "language": "en", "variables": {"name": "Anna", "order": "A-17"}}


async def chat(demo: ApiClient, channel: str, text: str = "Is it far?", phone: str = PHONE) -> str:
    """Let a person write. Returns the address of the conversation's page."""
    await demo.say(channel, text, phone)
    async with demo.http.get("/api/v1/sessions", params={"channel": channel}) as response:
        sessions = (await response.json())["sessions"]
    return f"/ui/conversations/{sessions[0]['id']}"


def here(address: str) -> dict[str, str]:
    """Return a request's destination: the conversation whose page is at this address."""
    return {"chatSessionId": address.rpartition("/")[2]}


async def named(demo: ApiClient, name: str, **identifiers: str) -> dict[str, Any]:
    """Make a contact of this name."""
    contact: dict[str, Any] = (await demo.post("/api/v1/contacts", {"phone": PHONE, **identifiers}))[1]
    async with demo.http.patch(f"/api/v1/contacts/{contact['id']}", json={"name": name}) as response:
        assert response.status == 200
    return contact


async def shown_until(visitor: Visitor, address: str, words: str) -> Answer:
    """Open a page again and again until it says this."""

    async def page() -> Answer | None:
        answer = await visitor.get(address)
        return answer if words in answer.words else None

    return await until(page)


async def days_pass(demo: ApiClient, visitor: Visitor) -> None:
    """Put the clock past the end of a window, while the operator looks now and then."""
    for _ in range(3):
        demo.pass_time(9)
        assert (await visitor.get("/ui/conversations")).status == 200


async def test_what_a_person_writes_is_unread_until_somebody_opens_it(demo: ApiClient, visitor: Visitor) -> None:
    address = await chat(demo, "telegram")
    unread = await visitor.get("/ui/conversations?unread=true")
    assert unread.html.select_one(".row.unread .said").text == "Is it far?"  # type: ignore[union-attr]
    assert [each.text.strip() for each in unread.html.select(".row .count")] == ["1 unread"]
    opened = await visitor.get(address)
    assert "1 new message" in opened.words
    assert "1 new message" not in (await visitor.get(address)).words
    assert "Everything is read." in (await visitor.get("/ui/conversations?unread=true")).words


async def test_a_part_that_is_fetched_again_is_no_look(demo: ApiClient, visitor: Visitor) -> None:
    address = await chat(demo, "telegram")
    assert "1 new message" in (await visitor.get(address, **{"HX-Request": "true"})).words
    opened = await visitor.get(address)
    assert "1 new message" in opened.words
    assert "1 new message" in (await visitor.get(address, **{"HX-Request": "true"})).words, "the line stays meanwhile"


async def test_another_operator_sees_who_has_looked(demo: ApiClient, visitor: Visitor) -> None:
    address = await chat(demo, "telegram")
    await visitor.get(address)
    await add_user(demo, "igor@shop.example")
    async with Visitor.of(demo) as igor:
        await igor.sign_in("igor@shop.example")
        assert f"{OPERATOR} has looked at" in (await igor.get(address)).words
        topic = f"session:{address.rpartition('/')[2]}"
        async with igor.http.get("/ui/live", params={"t": topic}) as stream:
            await stream.content.readline()
            assert "igor@shop.example is here" in (await visitor.get(address)).words

    async def gone() -> bool:
        return "is here" not in (await visitor.get(address)).words

    await until(gone)


async def test_a_reply_arrives_once_however_often_its_form_is_sent(demo: ApiClient, visitor: Visitor) -> None:
    address = await chat(demo, "telegram")
    form = (await visitor.get(address)).form("/reply")
    await chat(demo, "whatsapp", "Good morning")
    for _ in range(2):
        answer = await visitor.send(form, text="Twenty {{minutes}}.")
        assert answer.status == 200
        assert "Twenty {{minutes}}." in answer.words, "it is there before it has left"
    sent = await shown_until(visitor, address, "Sent")
    assert "olga · " in sent.words
    assert sent.html.select(".row")[0]["href"] == address, "the latest stands above"
    assert [bubble.text for bubble in demo.screen("telegram")].count("Twenty {{minutes}}.") == 1


async def test_a_form_that_was_sent_says_so_when_its_words_change(demo: ApiClient, visitor: Visitor) -> None:
    form = (await visitor.get(await chat(demo, "telegram"))).form("/reply")
    await visitor.send(form, text="Yes.")
    answer = await visitor.send(form, text="No.")
    assert (answer.status, answer.html.select_one("textarea").text) == (409, "No.")  # type: ignore[union-attr]
    assert "was sent already with other words" in answer.words


async def test_an_empty_reply_is_refused_in_its_form(demo: ApiClient, visitor: Visitor) -> None:
    form = (await visitor.get(await chat(demo, "telegram"))).form("/reply")
    answer = await visitor.send(form, text="  ")
    assert (answer.status, "Write something first." in answer.words) == (400, True)


async def test_the_ticks_move_to_read(demo: ApiClient, visitor: Visitor) -> None:
    address = await chat(demo, "whatsapp")
    await visitor.send((await visitor.get(address)).form("/reply"), text="Twenty minutes.")
    answer = await shown_until(visitor, address, "Read")
    way = answer.html.select(".bubble.out .under a")[-1]
    story = await visitor.get(str(way["href"]))
    assert "Twenty minutes." in story.words
    name = (await visitor.get(address)).html.select_one("h1")
    assert name
    assert story.html.select_one("h1").text.startswith(f"Message to {name.text}")  # type: ignore[union-attr]
    assert story.html.select(".head a")[1]["href"] == address


async def test_a_refused_reply_keeps_its_reason_and_can_be_sent_again(demo: ApiClient, visitor: Visitor) -> None:
    address = await chat(demo, "whatsapp")
    demo.environment.simulators["whatsapp"].faults.fail(131053)
    await visitor.send((await visitor.get(address)).form("/reply"), text="Here is the map.")
    failed = await shown_until(visitor, address, "131053")
    assert "Not sent:" in failed.words
    await visitor.send(failed.form("/again"))

    async def arrived() -> bool:
        return [bubble.text for bubble in demo.screen("whatsapp")].count("Here is the map.") == 1

    await until(arrived)
    simulator = demo.environment.simulators["whatsapp"]
    simulator.phone(simulator.user_of(PHONE)).reachable = False
    channels = [{"channel": name, "text": "It is ready"} for name in ("whatsapp", "sms")]
    await demo.wait_for(await demo.send(*channels, **here(address)), "DELIVERED")
    page = await visitor.get(address)
    assert [len(page.html.select(each)) for each in (".failed", "form.again")] == [2, 0], (
        "one was sent again, one came by SMS"
    )


async def test_two_who_send_again_at_the_same_moment_send_one_message(
    demo: ApiClient, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = asyncio.Barrier(2)

    async def reply_together(*asked: Any, **terms: Any) -> ItemView:
        async with both:
            return await reply(*asked, **terms)

    monkeypatch.setattr(repeating, "reply", reply_together)
    address = await chat(demo, "whatsapp")
    demo.environment.simulators["whatsapp"].faults.fail(131053)
    await visitor.send((await visitor.get(address)).form("/reply"), text="Here is the map.")
    await shown_until(visitor, address, "131053")
    await add_user(demo, "colleague@shop.example")
    async with Visitor.of(demo) as colleague:
        await colleague.sign_in("colleague@shop.example")
        forms = [(who, (await who.get(address)).form("/again")) for who in (visitor, colleague)]
        await asyncio.gather(*(who.send(form) for who, form in forms))
    await until(lambda: _has(demo, "Here is the map.", channel="whatsapp"))
    chat_then = await visitor.get(address)
    said = [bubble for bubble in chat_then.html.select(".bubble.out") if "Here is the map." in bubble.text]
    assert (len(said), len(chat_then.html.select("form.again"))) == (2, 0), "what failed, and one more"


async def test_a_shut_window_has_the_form_for_templates_in_place_of_the_composer(
    demo: ApiClient, visitor: Visitor
) -> None:
    await named(demo, "Anna Petrova")
    address = await chat(demo, "whatsapp")
    assert "You may write freely until" in (await visitor.get(address)).words
    await demo.post("/api/v1/messageTemplates/sync", {"channel": "whatsapp"})
    await days_pass(demo, visitor)
    shut = await visitor.get(address)
    assert "Closed for 3 hours: WhatsApp takes approved templates only, until Anna Petrova writes again." in shut.words
    assert shut.html.find("textarea") is None
    demo.environment.simulators["whatsapp"].faults.fail(131053)
    failed = await demo.send({"channel": "whatsapp", "text": "Order A-17", "template": TEMPLATE}, **here(address))
    await demo.wait_for(failed, "UNDELIVERED")
    await visitor.send((await visitor.get(address)).form("/again"))
    await until(lambda: _has(demo, "Hello Anna, your order A-17 is ready.", channel="whatsapp"))
    form = shut.form("/template")
    assert form.find("input", {"name": "body.name"})["value"] == "Anna"  # type: ignore[index]
    choice = {"template": "order_update / en", "body.order": "{{A-17}} <b>"}
    preview = await visitor.send(form, {"act": "preview"}, **choice)
    assert preview.html.select_one("#preview .text").text == "Hello Anna, your order {{A-17}} <b> is ready."  # type: ignore[union-attr]
    sent = await visitor.send(preview.form("/template"), {"act": "send"}, **choice)
    assert sent.status == 200
    await shown_until(visitor, address, "Template order_update / en")

    async def arrived() -> bool:
        return demo.screen("whatsapp")[-1].text == "Hello Anna, your order {{A-17}} <b> is ready."

    await until(arrived)


async def test_a_template_that_lacks_a_value_is_not_sent_and_nothing_typed_is_lost(
    demo: ApiClient, visitor: Visitor
) -> None:
    address, meta = await chat(demo, "whatsapp"), cast("Any", demo.environment.simulators["whatsapp"])
    head = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4:a"]}}
    parts = {"components": [head, {"type": "BODY", "text": "It is here."}]}
    meta.templates["parcel", "en"] = {**meta.templates["order_update", "en"], "id": "7", "name": "parcel", **parts}
    await demo.post("/api/v1/messageTemplates/sync", {"channel": "whatsapp"})
    await days_pass(demo, visitor)
    form = (await visitor.get(address)).form("/template")
    typed = {"template": "order_update / en", "body.name": "Boris"}
    answer = await visitor.send(form, {"act": "send"}, **typed)
    assert (answer.status, "Fill in: order." in answer.words) == (400, True)
    assert answer.form("/template").find("input", {"name": "body.name"})["value"] == "Boris"  # type: ignore[index]
    form = (await visitor.send(form, {"act": "preview"}, template="parcel / en")).form("/template")
    fields = {str(each["name"]): str(each["value"]) for each in form.select("input[type=hidden]")}
    fields |= {"template": "parcel / en", "act": "send"}
    assert "Fill in: Address of the file." in (await visitor.send(form, {"act": "send"}, **fields)).words
    await visitor.upload(str(form["action"]), fields, PICTURE.name, PICTURE.body)

    async def arrived() -> bool:
        return [media.body for media in meta.media.values()] == [PICTURE.body]

    await until(arrived)
    sent = await shown_until(visitor, address, "It is here.")
    assert await visitor.download(str(sent.html.select(".bubble.out .picture img")[-1]["src"])) == PICTURE.body


async def test_the_list_of_templates_can_be_fetched_from_there(demo: ApiClient, visitor: Visitor) -> None:
    address = await chat(demo, "whatsapp")
    await days_pass(demo, visitor)
    answer = await visitor.get(address)
    assert "No approved template of this account is known here." in answer.words
    assert (await visitor.send(answer.form("/sync"))).form("/template")


async def test_a_person_whose_window_is_shut_can_be_written_to_by_sms(demo: ApiClient, visitor: Visitor) -> None:
    demo.environment.runtime.settings.prices["sms:demo"] = Price("2.50", "RUB")  # type: ignore[index]
    address = await chat(demo, "whatsapp")
    await days_pass(demo, visitor)
    link = (await visitor.get(address)).html.find("a", string="Write by SMS instead")
    other = await visitor.get(str(link["href"]))  # type: ignore[index]
    counted = await visitor.send(other.form("/reply"), {"act": "count"}, text="Вы дома?" * 9)
    assert "2 parts, 5.00 RUB" in counted.words
    answer = await visitor.send(other.form("/reply"), text="Are you at home?")
    assert answer.address.startswith("/ui/conversations/sms:")

    async def arrived() -> bool:
        return any(bubble.text == "Are you at home?" for bubble in demo.screen("sms"))

    await until(arrived)


async def test_people_are_found_by_name_and_by_the_end_of_a_number(demo: ApiClient, visitor: Visitor) -> None:
    await named(demo, "Anna Petrova", externalId="crm-17")
    await chat(demo, "whatsapp")
    for wanted in ("anna", "00-01"):
        found = await visitor.get(f"/ui/conversations?q={wanted}")
        assert [row.b.text for row in found.html.select(".row")] == ["Anna Petrova"]  # type: ignore[union-attr]
    nobody = await visitor.get("/ui/conversations?q=boris&unread=true")
    assert "Nothing fits." in nobody.words
    back = nobody.html.find("a", string="Take the last filter away")
    assert str(back["href"]) == "/ui/conversations?unread=true"  # type: ignore[index]


async def test_who_it_is_stands_beside_the_chat(demo: ApiClient, visitor: Visitor) -> None:
    contact = await named(demo, "Anna Petrova", externalId="crm-17")
    address = await chat(demo, "whatsapp")
    await demo.say("telegram", f"/start {contact['startCode']}")
    await demo.wait_for(await demo.send({"channel": "sms", "text": "Your order is here"}), "DELIVERED")
    await demo.post("/api/v1/optOuts", {"phone": PHONE, "kind": "marketing"})
    person = " ".join((await visitor.get(address)).html.select_one(".person").get_text(" ").split())  # type: ignore[union-attr]
    for words in (
        "crm-17",
        PHONE,
        "of advertising",
        "Telegram any time",
        "SMS any time",
        "Your order is here Delivered",
    ):
        assert words in person
    await demo.post("/api/v1/optOuts", {"phone": PHONE, "kind": "all"})
    unwanted = await visitor.get(address)
    assert "Anna Petrova has opted out of everything" in unwanted.words
    assert ("Telegram wants nothing" in unwanted.words, unwanted.html.find("textarea")) == (True, None)
    other = await visitor.get(str(unwanted.html.select(".ways a")[0]["href"]))
    assert ("/start" in other.words, contact["startCode"] in other.words) == (True, False)


async def test_a_closed_conversation_opens_when_the_person_writes(demo: ApiClient, visitor: Visitor) -> None:
    address = await chat(demo, "telegram")
    closed = await visitor.send((await visitor.get(address)).form("/close"))
    assert "closed" in closed.words
    assert "Nothing fits." in (await visitor.get("/ui/conversations?state=open")).words
    await demo.say("telegram", "Hello?")
    assert "Hello?" in (await visitor.get("/ui/conversations?state=open")).words


async def test_a_conversation_begins_by_a_number(demo: ApiClient, visitor: Visitor) -> None:
    form = (await visitor.get("/ui/conversations/new")).form("/new")
    wrong = await visitor.send(form, who="12", channel="sms")
    assert (wrong.status, "there is no such contact" in wrong.words) == (400, True)
    begun = await visitor.send(form, who="+79000000077", channel="sms")
    assert begun.address == "/ui/conversations/sms:demo:+79000000077"
    await visitor.send(begun.form("/reply"), text="Good morning")
    await until(lambda: _has(demo, "Good morning", "+79000000077"))


async def _has(demo: ApiClient, text: str, phone: str = PHONE, channel: str = "sms") -> bool:
    return any(bubble.text == text for bubble in demo.screen(channel, phone))


async def test_pictures_are_shown_and_an_answer_may_have_a_file(demo: ApiClient, visitor: Visitor) -> None:
    address, simulator = await chat(demo, "telegram"), demo.environment.simulators["telegram"]
    assert isinstance(simulator, Telegram)
    for sample in (PICTURE, PAPER):
        await share(demo, "telegram", sample)
    page = await visitor.get(address)
    bubbles = page.html.select_one(".bubbles")
    assert bubbles
    assert await visitor.download(str(bubbles.select(".picture img")[0]["src"])) == PICTURE.body
    assert await visitor.download(str(bubbles.select("a.file")[0]["href"])) == PAPER.body
    simulator.uploads.clear()
    form = page.form("/reply")
    fields = {str(each["name"]): str(each["value"]) for each in form.select("input[type=hidden]")}
    for _ in range(2):
        answer = await visitor.upload(str(form["action"]), {**fields, "text": "The contract"}, PAPER.name, PAPER.body)
        assert (answer.status, answer.address.partition("?")[0]) == (200, address)
    sent = await shown_until(visitor, address, f"File · 76 kB {PAPER.name} The contract olga · ")

    async def arrived() -> bool:
        return list(simulator.uploads.values()) == [PAPER.body]

    await until(arrived)
    link = sent.html.select(".bubble.out a.file")[-1]
    assert await visitor.download(str(link["href"])) == PAPER.body


async def test_a_file_that_cannot_go_leaves_what_was_typed(
    demo: ApiClient, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = (await visitor.get(await chat(demo, "telegram"))).form("/reply")
    fields = {str(each["name"]): str(each["value"]) for each in form.select("input[type=hidden]")}
    for body, most, words in (
        (PAPER.body, len(PAPER.body) - 1, "Up to 76 kB may be sent."),
        (b"", LARGEST, "is empty."),
    ):
        monkeypatch.setattr(uploading, "LARGEST", most)
        answer = await visitor.upload(str(form["action"]), {**fields, "text": "The map"}, "map.pdf", body)
        assert (answer.status, words in answer.words) == (400, True)
        assert answer.html.select_one("textarea").text == "The map"  # type: ignore[union-attr]
    largest = PAPER.body + bytes(LARGEST - len(PAPER.body))
    with watched() as stalls:
        answer = await visitor.upload(str(form["action"]), {**fields, "by": "pigeon"}, "map.pdf", largest)
    assert (answer.status, "map.pdf" in answer.words) == (400, True), "it is kept while the rest is wrong"
    assert stalls.longest < BLOCKED
    without = await visitor.send(answer.form("/reply"), {"act": "leave_out"})
    assert "map.pdf" not in without.words


async def test_what_people_write_stays_text_everywhere(demo: ApiClient, visitor: Visitor) -> None:
    await named(demo, IMAGE)
    address = await chat(demo, "whatsapp", IMAGE)
    for page in (address, "/ui/conversations"):
        answer = await visitor.get(page)
        assert answer.html.find("img") is None
        assert IMAGE in answer.words


async def test_fifty_lines_are_shown_and_older_ones_by_a_link(demo: ApiClient, visitor: Visitor) -> None:
    simulator = demo.environment.simulators["telegram"]
    user = simulator.user_of(PHONE)
    for number in range(60):
        await simulator.say(user, f"line {number}")
    await simulator.quiet()
    async with demo.http.get("/api/v1/sessions") as response:
        address = f"/ui/conversations/{(await response.json())['sessions'][0]['id']}"
    latest = await shown_until(visitor, address, "line 59")
    assert 50 <= len(latest.html.select(".bubble")) < 60
    older = await visitor.get(str(latest.html.find("a", string="Older messages")["href"]))  # type: ignore[index]
    assert ("line 0 " in latest.words, "line 0 " in older.words) == (False, True)


async def test_a_conversation_that_is_not_known_says_so(visitor: Visitor) -> None:
    answer = await visitor.get("/ui/conversations/telegram:demo:404")
    assert (answer.status, "This conversation is not known." in answer.words) == (404, True)


# Within one frame of the browser, which people who type fast meet by chance.
CLOSES_AND_SEARCHES = """() => {
  const help = document.getElementById("keys");
  help.showModal();
  help.close();
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "/", bubbles: true }));
}"""


@pytest.mark.browser
async def test_a_conversation_is_led_by_keys_and_a_draft_survives(demo: ApiClient, page: Page) -> None:
    address = await chat(demo, "telegram")
    await page.goto("/ui/messages")
    await page.keyboard.press("g")
    await page.keyboard.press("c")
    await page.wait_for_url("**/ui/conversations")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("next, previous")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await page.evaluate(CLOSES_AND_SEARCHES)
    await expect(page.locator("[name=q]")).to_be_focused()
    await page.locator("[name=q]").blur()
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**{address}*")
    box = page.locator("textarea")
    await page.keyboard.press("r")
    await expect(box).to_be_focused()
    await page.keyboard.type("Twenty")
    await page.locator("[type=file]").set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": b"Hello"})
    await expect(page.locator(".chosen")).to_contain_text("a.txt")
    await page.get_by_role("button", name="Leave this file out").click()
    await expect(page.locator(".chosen")).to_be_hidden()
    await page.reload()
    await expect(box).to_have_value("Twenty")
    await box.press("End")
    await box.press("Shift+Enter")
    await box.type("minutes.")
    await box.press("Enter")
    await expect(page.locator(".bubble.out").last).to_contain_text("minutes.")
    await expect(page.locator(".bubble.out").last.locator(".tick")).to_have_text("Sent")
    await expect(box).to_have_value("")
    await page.reload()
    await expect(box).to_have_value("")
    assert [bubble.text for bubble in demo.screen("telegram")].count("Twenty\nminutes.") == 1
    await page.get_by_role("button", name="keys").click()
    await page.get_by_label("Single keys act").uncheck()
    await page.get_by_role("button", name="Close", exact=True).click()
    await box.blur()
    await page.keyboard.press("e")
    await page.get_by_role("button", name="keys").click()
    await page.get_by_label("Single keys act").check()
    await expect(page.get_by_role("button", name="Close conversation", include_hidden=True)).to_be_visible()
    await page.get_by_role("button", name="Close", exact=True).click()
    await page.keyboard.press("e")
    await expect(page.get_by_role("button", name="Close conversation")).to_be_hidden()


@pytest.mark.browser
async def test_what_comes_in_shows_without_a_reload_and_the_preview_follows_what_is_typed(
    demo: ApiClient, page: Page, complaints: list[str]
) -> None:
    address = await chat(demo, "whatsapp")
    await demo.post("/api/v1/messageTemplates/sync", {"channel": "whatsapp"})
    await page.goto(address)
    await expect(page.locator(".bar b")).to_contain_text("23:")
    await expect(page.locator("#live")).to_have_text("Live")
    await page.locator("textarea").fill("I am writing")
    simulator = demo.environment.simulators["whatsapp"]
    await simulator.say(simulator.user_of(PHONE), "Hello?")
    await expect(page.locator(".bubble.in").last).to_contain_text("Hello?")
    await expect(page.locator("textarea")).to_have_value("I am writing")
    await nobody_takes_it(demo, page)
    assert all("Failed to load resource" in complaint for complaint in complaints)
    complaints.clear()
    for left in ("14:", "5:"):
        demo.pass_time(9)
        await page.goto(address)
        await expect(page.locator(".bar b")).to_contain_text(left)
    demo.pass_time(9)
    await page.get_by_label("Approved template").select_option("order_update / en")
    await page.wait_for_url("**/template")
    await page.get_by_label("order", exact=True).fill("A-18")
    await expect(page.locator("#preview")).to_contain_text("A-18")


async def nobody_takes_it(demo: ApiClient, page: Page) -> None:
    """Press "Send" while the server is gone, and once the sign-in has ended. What was typed stays."""
    box, send = page.locator("textarea"), page.get_by_role("button", name="Send")
    await page.route("**/ui/**", lambda route: route.abort())
    await send.click()
    await expect(page.get_by_role("alert")).to_contain_text("No connection")
    await page.unroute("**/ui/**")
    await users.sign_out(demo.environment.runtime.db, OPERATOR)
    await send.click()
    await expect(page.get_by_role("alert")).to_contain_text("You have been signed out.")
    await expect(box).to_have_value("I am writing")
    await page.get_by_role("link", name="Sign in again").click()
    await page.get_by_label("E-mail").fill(OPERATOR)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await expect(box).to_have_value("I am writing")
