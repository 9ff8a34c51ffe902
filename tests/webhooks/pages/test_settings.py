"""The settings as people use them: opt-outs, links, keys, users, and what the audit says of all that."""

import re

import aiohttp
import pytest
from playwright.async_api import Page, expect

from tests.support.client import PHONE, ApiClient
from tests.webhooks.pages.conftest import ADMIN
from tests.webhooks.pages.places import opt_outs, short_links
from tests.webhooks.pages.visitor import PASSWORD, Visitor

SMS = {"channel": "sms", "text": "Sale"}


async def status_with(demo: ApiClient, key: str) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        aiohttp.ClientSession(demo.environment.url, headers=headers) as http,
        http.get("/api/v1/messages") as got,
    ):
        return got.status


async def test_who_is_opted_out_for_a_reason_gets_nothing_until_it_is_lifted(demo: ApiClient, visitor: Visitor) -> None:
    shown = await visitor.get("/ui/settings/optouts")
    assert "Nobody has opted out." in shown.words
    added = await visitor.send(shown.form("/optouts"), who="8 900 000-00-01", kind="all", reason="Asked us by phone")
    assert added.address == "/ui/settings/optouts"
    assert all(words in added.words for words in (PHONE, "everything", "user olga@shop.example", "Asked us by phone"))
    stopped = await demo.wait_for(await demo.send(SMS), "UNDELIVERED")
    assert "the person has opted out" in str(stopped["decisions"])
    lifted = await visitor.send(added.form("/optouts/lift"), reason="Wants it again")
    assert ("lifted" in lifted.words, "Wants it again" in lifted.words) == (True, True)
    await demo.wait_for(await demo.send(SMS), "DELIVERED")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"who": "", "reason": "r"}, "Say whom."),
        ({"who": "+79000000001", "reason": " "}, "Say why"),
        ({"who": "12", "reason": "r"}, "phone number"),
        ({"who": "olga@", "reason": "r"}, "e-mail"),
        ({"who": "+79000000001", "reason": "r" * 1001}, "at most 1,000 characters"),
    ],
)
async def test_a_mistake_in_an_opt_out_is_told_and_nothing_typed_is_lost(
    visitor: Visitor, fields: dict[str, str], words: str
) -> None:
    form = (await visitor.get("/ui/settings/optouts")).form("/optouts")
    answer = await visitor.send(form, None, **{"kind": "all", **fields})
    (wrong,) = answer.html.select(".wrong")
    assert (answer.status, words in wrong.text) == (400, True), wrong
    again = answer.form("/optouts")
    assert str(again.select("[name=who]")[0]["value"]) == fields["who"]
    assert again.select("textarea")[0].text == fields["reason"]


async def test_a_persons_other_names_are_opted_out_and_lifted_with_the_one_shown(
    demo: ApiClient, visitor: Visitor
) -> None:
    await demo.post("/api/v1/contacts", {"phone": PHONE, "externalId": "crm-17"})
    await demo.say("sms", "Hello")
    form = (await visitor.get("/ui/settings/optouts")).form("/optouts")
    added = await visitor.send(form, who="externalId:crm-17", kind="marketing", reason="Asked")
    (row,) = added.html.select("tbody tr")
    assert all(name in row.text for name in (PHONE, "crm-17")), row
    assert not any(name in row.text for name in ("contact:", "session:")), row
    lifted = await visitor.send(row.find_all("form")[0], reason="Asked")
    assert not lifted.html.select('form[action$="/lift"]')


async def test_links_show_their_clicks(demo: ApiClient, visitor: Visitor) -> None:
    assert "No link has been shortened yet." in (await visitor.get("/ui/settings/links")).words
    shown = await visitor.get(await short_links(demo))
    code = shown.html.select("tbody a")[0].text
    for _ in range(2):
        browser = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/142.0"}
        async with demo.http.get(f"/l/{code}", allow_redirects=False, headers=browser) as response:
            assert response.status == 302
    figure = (await visitor.get("/ui/settings/links")).html.select("td.figure")[0]
    assert figure.text.strip() == "2"
    assert "https://shop.example/sale?from=sms" in shown.words


async def test_a_key_is_shown_once_and_a_revoked_one_hears_401_at_once(demo: ApiClient, admin: Visitor) -> None:
    form = (await admin.get("/ui/settings/keys")).form("/keys")
    made = await admin.send(form, name="warehouse", role="sender")
    key = str(made.html.select("#secret")[0]["value"])
    again = await admin.send(form, name="warehouse", role="sender")  # as a browser does that reads the answer again
    assert (again.status, again.html.select("#secret")) == (409, [])
    second = await admin.send(again.form("/keys"), name="warehouse", role="sender")
    other = str(second.html.select("#secret")[0]["value"])
    assert (made.headers["Cache-Control"], await status_with(demo, key)) == ("no-store", 200)
    shown = await admin.get("/ui/settings/keys")
    assert (key in shown.text, "warehouse" in shown.words) == (False, True)
    assert re.search(r"\d\d:\d\d\u2013\d\d:\d\d", shown.words), "its last use is known to the hour"
    rows = [row for row in shown.html.select("tbody tr") if "warehouse" in row.text]
    forms = [row.find_all("form")[0] for row in rows]
    assert [len(page.html.select("tbody tr")) for page in (shown, await admin.send(forms[0]))] == [3, 2]
    assert (await status_with(demo, key), await status_with(demo, other)) == (401, 200), "only the one is revoked"
    assert (await admin.send(forms[0])).status == 404
    assert (
        await admin.post("/ui/settings/keys", {"form_token": token(shown.text), "name": "", "role": "admin"})
    ).status == 400


async def test_a_user_is_made_changed_and_deleted(demo: ApiClient, admin: Visitor) -> None:
    form = (await admin.get("/ui/settings/users")).form("/users")
    wrong = await admin.send(form, email="boris@shop.example", password="short", role="operator")
    assert (wrong.status, "12" in wrong.words) == (400, True)
    assert str(wrong.form("/users").select("[name=email]")[0]["value"]) == "boris@shop.example"
    await admin.send(form, email="Boris@shop.example", password=PASSWORD, role="operator")
    assert (await admin.send(form, email="boris@shop.example", password=PASSWORD, role="operator")).status == 409
    async with Visitor.of(demo) as boris:
        assert (await boris.sign_in("boris@shop.example")).status == 200
        page = await admin.get("/ui/settings/users/boris@shop.example")
        await admin.send(page.form("/role"), role="admin")
        assert (await boris.get("/ui/messages")).address.startswith("/ui/login"), "he signs in anew for the new role"
        await boris.sign_in("boris@shop.example")
        assert (await boris.get("/ui/settings/keys")).status == 200
        await admin.send(page.form("/sign-out"))
        assert (await boris.get("/ui/messages")).address.startswith("/ui/login")
        assert (await boris.sign_in("boris@shop.example")).status == 200
        await admin.send(page.form("/password"), password="another long password")
        assert (await boris.get("/ui/messages")).address.startswith("/ui/login")
        await admin.send(page.form("/delete"))
        assert (await boris.sign_in("boris@shop.example", "another long password")).status == 403
    assert "boris" not in (await admin.get("/ui/settings/users")).words


async def test_the_last_admin_stays(admin: Visitor) -> None:
    page = await admin.get(f"/ui/settings/users/{ADMIN}")
    for answer in (await admin.send(page.form("/role"), role="operator"), await admin.send(page.form("/delete"))):
        assert (answer.status, "This is the last administrator" in answer.words) == (409, True)
    assert "administrator" in (await admin.get("/ui/settings/users")).words, "and is signed in still"


async def test_the_audit_says_what_was_done_on_the_pages(demo: ApiClient, admin: Visitor, visitor: Visitor) -> None:
    form = (await visitor.get("/ui/settings/optouts")).form("/optouts")
    await visitor.send(form, who=PHONE, kind="all", reason="Asked us by phone")
    await admin.send((await admin.get("/ui/settings/keys")).form("/keys"), name="warehouse", role="sender")
    shown = await admin.get("/ui/settings/audit")
    rows = [" ".join(row.get_text(" ").split()) for row in shown.html.select("tbody tr")]
    assert re.fullmatch(
        r".* irina@shop.example page · 127.0.0.1 made a key warehouse all about it role: sender", rows[0]
    )
    assert re.search(r"olga@shop.example page · 127.0.0.1 added an opt-out phone:\+79000000001 .*kind: all", rows[1])
    assert "Asked us by phone" not in shown.words
    mine = await admin.get("/ui/settings/audit?who=olga@shop.example")
    assert len(mine.html.select("tbody tr")) == 1
    assert "Take the last filter away" in (await admin.get("/ui/settings/audit?act=job.start")).words


@pytest.mark.browser
async def test_opening_lifting_and_closing_needs_the_keyboard_only(demo: ApiClient, page: Page) -> None:
    await opt_outs(demo)
    await page.goto("/ui/settings/optouts")
    await page.locator("summary").first.focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Reason").first).to_be_visible()
    await page.keyboard.press("Tab")
    await page.keyboard.type("Asked for it")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Asked for it")).to_be_visible()


def token(text: str) -> str:
    found = re.search(r'name="form_token" value="(\w+)"', text)
    assert found
    return found[1]
