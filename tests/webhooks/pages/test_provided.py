"""Providers' templates as people keep them: drafted, submitted, approved or rejected, and corrected."""

from bots.whatsapp.simulator import Server
from tests.support.client import ApiClient, until
from tests.webhooks.pages.places import a_draft
from tests.webhooks.pages.test_templates import typed
from tests.webhooks.pages.visitor import Answer, Visitor

KEY = "whatsapp:demo:visit:en"


def state(shown: Answer) -> str:
    return " ".join(shown.html.select("#state")[0].get_text(" ").split())


async def test_a_draft_is_written_submitted_and_approved(demo: ApiClient, visitor: Visitor) -> None:
    new = (await visitor.get("/ui/provided/new")).form("/new")
    fields = {"name": "visit", "language": "en", "body": "Hello {{name}}, see you soon.", "footer": "Shop"}
    mistaken = await visitor.send(new, None, **{**typed(new), **fields})
    assert (mistaken.status, "An example of each value: " in mistaken.words) == (400, True)
    again = mistaken.form("/new")
    looked = await visitor.send(again, {"act": "check"}, **{**typed(again), **fields, "footer": "x" * 61, "name": ""})
    assert (looked.status, "Hello {{name}}, see you soon." in looked.html.select(".phone")[0].text) == (200, True)
    assert "Text: 29 of 1,024" in looked.words
    assert [room.text for room in looked.html.select(".rooms .wrong")] == ["Footer: 61 of 60"]
    assert "Footer: a footer has up to 60 characters" in looked.words
    again = looked.form("/new")
    assert again.select("[name=body]")[0].text.strip() == fields["body"]
    buttons = {"button-0": "I will come", "kind-1": "url", "button-1": "Map", "leads-1": "https://shop.example/map"}
    kept = await visitor.send(again, None, **{**typed(again), **fields, **buttons, "examples": "name = Anna"})
    assert (kept.address, state(kept).startswith("Draft")) == (f"/ui/provided/{KEY}", True)
    assert all(words in kept.html.select(".phone")[0].text for words in ("Hello Anna", "I will come", "Map", "Shop"))
    pending = await visitor.send(kept.form("/submit"))
    assert state(pending).startswith("Pending")
    meta = demo.environment.simulators["whatsapp"]
    assert isinstance(meta, Server)
    meta.set_template_status("visit", "en", "APPROVED")

    async def approved() -> bool:
        return state(await visitor.get(f"/ui/provided/{KEY}")).startswith("Approved")

    await until(approved)
    assert "Approved" in (await visitor.get("/ui/provided")).words
    assert not (await visitor.get(f"/ui/provided/{KEY}")).html.select("textarea"), "what is approved is not changed"


async def test_two_who_change_a_draft_see_both(demo: ApiClient, visitor: Visitor) -> None:
    form = (await visitor.get(await a_draft(demo))).form(KEY)
    await visitor.send(form, None, **{**typed(form), "body": "Theirs, {{name}}, is this."})
    clash = await visitor.send(form, None, **{**typed(form), "body": "Mine, {{name}}, is that."})
    assert (clash.status, "Here are both." in clash.words) == (409, True)
    assert "Theirs" in clash.html.select(".theirs")[0].text
    mine = clash.form(KEY)
    assert mine.select("[name=body]")[0].text.strip() == "Mine, {{name}}, is that."
    assert "Mine" in (await visitor.send(mine, None, **typed(mine))).html.select("textarea")[0].text


async def test_the_providers_list_is_fetched_and_a_template_deleted(demo: ApiClient, visitor: Visitor) -> None:
    fetched = await visitor.send((await visitor.get("/ui/provided")).form("/sync"))
    assert "order_update" in fetched.words
    gone = await visitor.send((await visitor.get(await a_draft(demo))).form("/delete"))
    assert (gone.address, "visit" in gone.words) == ("/ui/provided", False)
