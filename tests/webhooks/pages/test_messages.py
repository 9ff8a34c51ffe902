"""The pages of messages: filters in the address, a message's story, and what may be done with it."""

from datetime import timedelta

from tests.support.client import PHONE, ApiClient
from tests.webhooks.pages.conftest import OPERATOR
from tests.webhooks.pages.visitor import Visitor


async def test_messages_are_found_by_filters_which_can_be_taken_away_and_saved(
    demo: ApiClient, visitor: Visitor
) -> None:
    demo.environment.simulators["sms"].faults.fail(21614)
    failed = await demo.send({"channel": "sms", "text": "Sale"})
    await demo.wait_for(failed, "UNDELIVERED")
    await demo.wait_for(await demo.send({"channel": "sms", "text": "Order"}, phone="+79000000002"), "DELIVERED")
    page = await visitor.get("/ui/messages?status=UNDELIVERED,EXPIRED&channel=sms&from=2020-01-01")
    chips = page.html.select(".chips a")
    words = [" ".join(chip.get_text(" ").split()).removesuffix(" take this filter away") for chip in chips]
    assert words == ["Status: Undelivered, Expired", "Channel: SMS", "From: 2020-01-01"]
    assert [row.a.text for row in page.html.select("tbody tr")] == [PHONE]  # type: ignore[union-attr]
    assert str(chips[0]["href"]) == "/ui/messages?channel=sms&from=2020-01-01"
    assert page.html.find("input", {"name": "from"})["value"] == "2020-01-01"  # type: ignore[index]
    saved = await visitor.download(str(page.html.select(".menu a")[0]["href"]))
    assert [line.partition(b",")[0] for line in saved.splitlines()[1:]] == [failed.encode()]
    story = await visitor.get(f"/ui/messages/{failed}")
    assert ("tried " in story.words, "sent " in story.words) == (True, False), "the provider did not take it"
    assert story.form("/anew")
    alike = await visitor.get(str(story.html.find("a", string="All with this reason")["href"]))  # type: ignore[index]
    assert [row.a.text for row in alike.html.select("tbody tr")] == [PHONE]  # type: ignore[union-attr]
    assert "Reason: " in alike.words


async def test_a_message_is_sent_anew_once_and_each_leads_to_the_other(demo: ApiClient, visitor: Visitor) -> None:
    channels = [{"channel": name, "text": "Your order is here"} for name in ("telegram", "sms")]
    key = await demo.send(*channels)
    await demo.wait_for(key, "DELIVERED")
    page = await visitor.get(f"/ui/messages/{key}")
    assert page.words.count("telegram: the person has not started the bot") == 1
    form = page.form("/anew")
    refused = await visitor.send(form)
    assert (refused.status, "Tick that the person may get it twice." in refused.words) == (409, True)
    addresses = {(await visitor.send(form, force="yes")).address for _ in range(2)}
    (address,) = addresses
    new = address.rpartition("/")[2]
    await demo.wait_for(new, "DELIVERED")
    assert [bubble.text for bubble in demo.screen("sms")].count("Your order is here") == 2
    assert key in (await visitor.get(address)).words
    links = (await visitor.get(f"/ui/messages/{key}")).html.find_all("a", href=address)
    assert [link.text for link in links] == ["What was sent anew", new]


async def test_cancelling_says_what_it_will_do(demo: ApiClient, visitor: Visitor) -> None:
    tomorrow = (demo.environment.runtime.clock() + timedelta(days=1)).isoformat()
    await demo.post("/api/v1/messageTemplates/sync", {"channel": "whatsapp"})
    template = {"name": "order_update", "language": "en", "variables": {"name": "Anna", "order": "A-17"}}
    message = {
        "destinations": [{"phone": PHONE}],
        "channels": [{"channel": "whatsapp", "template": template}, {"channel": "sms", "text": "Your order A-17"}],
        "sendAt": tomorrow,
    }
    key = (await demo.post("/api/v1/messages", {"messages": [message]}))[1]["messages"][0]["id"]
    page = await visitor.get(f"/ui/messages/{key}")
    assert "Nothing has left yet: nothing will be sent." in page.words
    assert "Send anew" not in page.words, "it is under way"
    says = [" ".join(step.get_text(" ").split()) for step in page.html.select(".says .step")]
    assert says == [
        "WhatsApp demo Template order_update/en Hello Anna, your order A-17 is ready.",
        "SMS demo Your order A-17",
    ]
    (row,) = (await visitor.get("/ui/messages")).html.select("td.text")
    assert row.text == "order_update/en: Anna, A-17"
    cancelled = await visitor.send(page.form("/cancel"))
    assert ("Cancelled" in cancelled.words, "Cancel the message" in cancelled.words) == (True, False)
    assert f"cancelled by {OPERATOR}" in cancelled.words


async def test_a_message_is_written_explained_and_sent_once(demo: ApiClient, visitor: Visitor) -> None:
    page = await visitor.get(str((await visitor.get("/ui/messages")).html.select("h1 + a")[0]["href"]))
    typed = {"who": PHONE, "source": "here", "values": "name: Anna", "channel0": "telegram", "channel1": "sms"}
    texts = {"text0": "Hello {{name}}", "text1": "{{name}}, hello"}
    wrong = await visitor.send(page.form("/new"), {"do": "send"}, **typed, text0="Hello {{ name")
    assert (wrong.status, "Step 1, Text" in wrong.words, "Hello {{ name" in wrong.text) == (400, True, True)
    checked = await visitor.send(wrong.form("/new"), {"do": "check"}, **typed, **texts)
    assert "telegram: the person has not started the bot" in checked.words
    assert "Anna, hello" in checked.words
    phone = demo.environment.simulators["sms"].phone(PHONE)
    assert phone.screen == []
    first, again = [await visitor.send(checked.form("/new"), {"do": "send"}, **typed, **texts) for _ in range(2)]
    assert (first.status, first.address) == (200, again.address)
    await demo.wait_for(first.address.rpartition("/")[2], "DELIVERED")
    assert [message.text for message in phone.screen] == ["Anna, hello"]
