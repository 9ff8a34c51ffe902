"""Providers' templates through the API: drafts, moderation, what may be sent by them, and how they look."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.messages.templates.syncing import syncing
from storage.accounts import states
from storage.engine.database import Db
from storage.templates.approved import due
from tests.support.client import PHONE, Player, until
from tests.support.workload import one, texts, whatsapp

TEMPLATES = "/api/v1/messageTemplates"
KEY = "whatsapp:demo:parcel:en_US"
DRAFT: dict[str, Any] = {
    "channel": "whatsapp",
    "name": "parcel",
    "language": "en-US",
    "category": "UTILITY",
    "header": {"type": "text", "text": "Order {{order}}", "example": "A-17"},
    "body": "Hello {{name}}, your *parcel* is on its way.",
    "bodyExamples": {"name": "Anna"},
    "footer": "The shop",
    "buttons": [{"type": "url", "text": "Where?", "url": "https://shop.ru/{{1}}", "example": "https://shop.ru/17"}],
}
CONTENTS = {name: DRAFT[name] for name in ("category", "header", "body", "bodyExamples", "footer", "buttons")}
USE = {
    "name": "parcel",
    "language": "en-US",
    "variables": {"name": "{{name}}"},
    "header": {"type": "text", "variables": {"order": "{{order}}"}},
    "buttons": [{"index": 0, "url": "{{order}}"}],
}
STEP = {"channel": "whatsapp", "template": USE}
SMS = {"channel": "sms", "text": "In short."}
ANNA = {"phone": PHONE, "variables": {"name": "Anna", "order": "A-17"}}


async def asked(town: Player, method: str, path: str = "", body: Any = None, **query: str) -> tuple[int, Any]:
    async with town.http.request(method, TEMPLATES + path, json=body, params=query) as response:
        return response.status, await response.json()


async def made(town: Player, **changes: Any) -> Any:
    status, answer = await asked(town, "POST", "", {**DRAFT, **changes})
    assert status == 201, answer
    return answer


async def submitted(town: Player) -> Any:
    await made(town)
    status, answer = await asked(town, "POST", f"/{KEY}/submit")
    assert status == 200, answer
    return answer


async def in_state(town: Player, state: str) -> Any:
    async def there() -> Any:
        answer = (await asked(town, "GET", f"/{KEY}"))[1]
        return answer if answer["state"] == state else None

    return await until(there)


async def told(town: Player) -> Any:
    """How a message by the template, and else by SMS, ends."""
    sent = await town.post("/api/v1/messages", {"messages": [{"destinations": [ANNA], "channels": [STEP, SMS]}]})
    return await town.ended(sent[1]["messages"][0]["id"], "DELIVERED", "READ")


async def test_from_draft_to_sent(town: Player) -> None:
    draft = await made(town)
    assert (draft["id"], draft["language"], draft["state"], draft["version"]) == (KEY, "en_US", "draft", 1)
    assert (await told(town))["attempts"][0]["reason"].endswith("template parcel/en-US cannot be used: draft")
    assert (await asked(town, "POST", f"/{KEY}/submit"))[1]["state"] == "pending"
    assert [attempt["status"] for attempt in (await told(town))["attempts"]] == ["SKIPPED", "DELIVERED"]
    whatsapp(town).set_template_status("parcel", "en_US", "APPROVED")
    assert (await in_state(town, "approved"))["usable"]
    story = await told(town)
    assert [attempt["channel"] for attempt in story["attempts"]] == ["whatsapp"]
    assert texts(town, "whatsapp") == ["Order A-17\nHello Anna, your *parcel* is on its way.\nThe shop"]
    assert town.screen("whatsapp")[-1].buttons[0].url == "https://shop.ru/A-17"


async def test_a_rejection_is_mended_and_submitted_again(town: Player) -> None:
    await submitted(town)
    whatsapp(town).set_template_status("parcel", "en_US", "REJECTED", "INVALID_FORMAT")
    rejected = await in_state(town, "rejected")
    assert rejected["reason"] == "INVALID_FORMAT"
    body = {**CONTENTS, "footer": "Another", "version": rejected["version"]}
    status, changed = await asked(town, "PUT", f"/{KEY}", body)
    assert (status, changed["state"], changed["footer"]) == (200, "draft", "Another")
    assert (await asked(town, "PUT", f"/{KEY}", body))[0] == 409
    status, again = await asked(town, "POST", f"/{KEY}/submit")
    assert (status, again["state"]) == (200, "pending")
    assert whatsapp(town).templates["parcel", "en_US"]["components"][2]["text"] == "Another"


async def test_a_pause_is_heard_and_kept_to(town: Player) -> None:
    await submitted(town)
    for event in ("APPROVED", "PAUSED"):
        whatsapp(town).set_template_status("parcel", "en_US", event)
    await in_state(town, "paused")
    assert (await told(town))["attempts"][0]["status"] == "SKIPPED"


async def test_what_the_provider_does_not_know_yet_can_be_drafted(town: Player) -> None:
    assert [attempt["cause"] for attempt in (await told(town))["attempts"]] == ["template_unusable", None]
    town.pass_time(hours=0.01)
    assert (await made(town))["state"] == "draft"


async def test_what_the_provider_has_is_not_drafted(town: Player) -> None:
    whatsapp(town).templates["parcel", "en_US"] = {"body": "Hi"}
    whatsapp(town).set_template_status("parcel", "en_US", "PAUSED")

    async def heard() -> str:
        return await states.template_state(town.town.runtime.db, KEY)

    await until(heard)
    status, answer = await asked(town, "POST", "", DRAFT)
    assert status == 409
    assert answer["error"].startswith("There is a template of this name and language: it is paused.")


async def test_what_was_submitted_is_neither_changed_nor_submitted_again(town: Player) -> None:
    answer = await submitted(town)
    status, refusal = await asked(town, "PUT", f"/{KEY}", {**CONTENTS, "version": answer["version"]})
    assert (status, refusal["error"]) == (409, "Only a draft, or what was rejected, can be changed; this is pending.")
    assert (await asked(town, "POST", f"/{KEY}/submit"))[0] == 409
    assert (await asked(town, "POST", "", DRAFT))[0] == 409


async def test_two_who_submit_at_once(town: Player) -> None:
    """One hands it over; the other undoes nothing of that."""
    await made(town)
    told = await asyncio.gather(*(asked(town, "POST", f"/{KEY}/submit") for _ in range(3)))
    assert sorted(status for status, _ in told) == [200, 409, 409]
    assert (await asked(town, "GET", f"/{KEY}"))[1]["state"] == "pending"


async def test_the_providers_refusal_is_told_and_it_stays_a_draft(town: Player) -> None:
    await made(town, name="order_update", language="en")
    key = "whatsapp:demo:order_update:en"
    status, answer = await asked(town, "POST", f"/{key}/submit")
    assert (status, "already content in this language" in answer["error"]) == (409, True)
    draft = (await asked(town, "GET", f"/{key}"))[1]
    assert (draft["state"], "already content" in draft["reason"]) == ("draft", True)
    whatsapp(town).faults.fail(2)
    status, answer = await asked(town, "POST", f"/{key}/submit")
    assert (status, "Meta is down" in answer["error"]) == (502, True)


async def test_the_providers_list_makes_it_true(town: Player) -> None:
    await submitted(town)
    simulator = whatsapp(town)
    simulator.templates["parcel", "en_US"]["status"] = "DISABLED"  # and no webhook comes
    assert await asked(town, "POST", "/sync", {"channel": "whatsapp"}) == (200, {"listed": 3})
    assert (await asked(town, "GET", f"/{KEY}"))[1]["state"] == "disabled"
    found = {one["name"]: one for one in (await asked(town, "GET"))[1]["messageTemplates"]}
    assert found["order_update"]["state"] == "approved"
    del simulator.templates["parcel", "en_US"]
    await asked(town, "POST", "/sync", {"channel": "whatsapp", "account": "demo"})
    gone = (await asked(town, "GET", f"/{KEY}"))[1]
    assert (gone["state"], gone["reason"]) == ("deleted", "the provider does not list it any more")
    assert (await told(town))["attempts"][0]["status"] == "SKIPPED"


async def test_what_never_reached_the_provider_is_a_draft_again(town: Player) -> None:
    await made(town)
    now = town.town.runtime.clock()
    await states.template_changed(town.town.runtime.db, KEY, usable=False, state="pending", reason="", at=now)
    town.pass_time(hours=0.01)
    await asked(town, "POST", "/sync", {"channel": "whatsapp"})
    again = (await asked(town, "GET", f"/{KEY}"))[1]
    assert (again["state"], again["reason"]) == ("draft", "it did not reach the provider")


async def test_the_list_in_pages_the_newest_first(town: Player) -> None:
    for name in "abc":
        await made(town, name=name)
    first = (await asked(town, "GET", limit="2"))[1]
    rest = (await asked(town, "GET", limit="2", cursor=first["cursor"]))[1]
    assert [one["name"] for page in (first, rest) for one in page["messageTemplates"]] == ["c", "b", "a"]
    assert rest["cursor"] is None


async def test_deleted_here_and_there(town: Player) -> None:
    await submitted(town)
    assert await asked(town, "DELETE", f"/{KEY}") == (200, {"id": KEY})
    assert ("parcel", "en_US") not in whatsapp(town).templates
    for method, path in (("GET", f"/{KEY}"), ("DELETE", f"/{KEY}"), ("POST", f"/{KEY}/submit"), ("GET", "/x/preview")):
        async with town.http.request(method, TEMPLATES + path) as response:
            assert response.status == 404
    assert (await asked(town, "GET"))[1] == {"messageTemplates": [], "cursor": None}
    assert (await made(town))["state"] == "draft"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"channel": "sms"}, "channel"),
        ({"channel": "pigeon"}, "channel"),
        ({"account": "other"}, "account"),
        ({"language": "English"}, "language"),
        ({"category": "NEWS"}, "category"),
        ({"body": ""}, "body"),
        ({"bodyExamples": {}}, "bodyExamples"),
        ({"bodyExamples": {"name": ""}}, "bodyExamples[...]"),
        ({"header": {"type": "sound"}}, "header.type"),
        ({"header": {"type": "text", "text": "{{1}}", "sound": ""}}, "header.sound"),
        ({"buttons": [{"type": "quickReply", "text": "x" * 26}]}, "buttons[0].text"),
        ({"state": "approved"}, "state"),
    ],
)
async def test_a_wrong_draft_names_its_field(town: Player, change: dict[str, Any], field: str) -> None:
    status, answer = await asked(town, "POST", "", {**DRAFT, **change})
    assert (status, answer["details"]["field"]) == (400, field), answer


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"header": {"type": "image", "url": "nowhere"}}, "template.header.url"),
        ({"header": {"type": "image"}}, "template.header.url"),
        ({"header": {"type": "location"}}, "template.header"),
        ({"header": {"type": "location", "latitude": 91, "longitude": 0}}, "template.header.latitude"),
        ({"header": {"type": "text", "variables": {"a": "{{nothing}}"}}}, "template.header.variables.a"),
        ({"buttons": [{"index": 0}]}, "template.buttons[0].url"),
        ({"buttons": [{"index": 0, "url": "a", "reply": "b"}]}, "template.buttons[0]"),
        ({"buttons": [{"index": 10, "url": "a"}]}, "template.buttons[0].index"),
        ({"variables": {"a\u0000": "b"}}, "template.variables.a\u0000"),
    ],
)
async def test_wrong_values_name_their_field(town: Player, change: dict[str, Any], field: str) -> None:
    body = {"destinations": [ANNA], "channels": [{"channel": "whatsapp", "template": {**USE, **change}}]}
    status, answer = await town.post("/api/v1/messages", {"messages": [body]})
    assert status == 202
    assert answer["messages"][0]["error"]["field"] == f"messages[0].channels[0].{field}"


async def test_values_on_many_lines_are_told(town: Player) -> None:
    person = {"phone": PHONE, "variables": {"name": "Anna\nMaria", "order": "A\t17"}}
    body = {"destinations": [person, ANNA], "channels": [STEP]}
    many, good = (await town.post("/api/v1/messages", {"messages": [body]}))[1]["messages"]
    assert many["warnings"] == [
        "channels[0].template.variables.name: line breaks, tabs and runs of spaces become one space",
        "channels[0].template.header.variables.order: line breaks, tabs and runs of spaces become one space",
    ]
    assert "warnings" not in good


async def test_an_own_template_is_held_against_the_providers(town: Player) -> None:
    await made(town)
    use = {"name": "parcel", "language": "en_US", "variables": {"nam": "a\nb"}}
    own = {"id": "x", "name": "X", "channels": [{"channel": "whatsapp", "template": use}]}
    status, answer = await town.post("/api/v1/templates", own)
    assert status == 201
    assert answer["warnings"] == [
        "channels[0].template.variables.nam: line breaks, tabs and runs of spaces become one space",
        "channels[0].template: it cannot be sent now: it is draft",
        "channels[0].template: parcel wants values for name",
        "channels[0].template: parcel has no place for nam",
        "channels[0].template: parcel wants a header: text",
        "channels[0].template: parcel wants the end of the address of button 0",
    ]


async def looked(town: Player, path: str) -> str:
    async with town.http.get(path) as response:
        assert response.status == 200
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        return await response.text()


async def test_a_preview_shows_examples_and_escapes(town: Player) -> None:
    body = 'Hello {{name}}: *bold* _thin_ ~gone~ ```a*b*c``` <script>alert("x")</script> 2*3*4 snake_case_name.'
    await made(town, body=body, bodyExamples={"name": "<b>Anna</b>"})
    page = await looked(town, f"{TEMPLATES}/{KEY}/preview")
    assert "&lt;b&gt;Anna&lt;/b&gt;: <b>bold</b> <i>thin</i> <s>gone</s> <code>a*b*c</code>" in page
    assert "2*3*4 snake_case_name" in page
    assert "<script" not in page
    assert '<div class="title">Order A-17</div>' in page
    assert "\u2197 Where?" in page


async def test_an_own_templates_preview(town: Player) -> None:
    await made(town)
    sms = {"channel": "sms", "text": "{{name}}: *not bold* <i>"}
    free = {**STEP, "text": "*Hi* {% if name == 'x' %}x{% else %}{{name}}{% endif %}", "buttons": [{"text": "Yes"}]}
    await town.post("/api/v1/templates", {"id": "x", "name": "<X>", "channels": [free, sms]})
    page = await looked(town, "/api/v1/templates/x/preview")
    assert "<h1>&lt;X&gt;</h1>" in page
    assert "<b>Hi</b> \u2039name\u203a" in page
    assert "Hello \u2039name\u203a, your <b>parcel</b>" in page
    assert "Order \u2039order\u203a" in page
    assert "\u2039name\u203a: *not bold* &lt;i&gt;" in page
    page = await looked(town, "/api/v1/templates/x/preview?channel=sms")
    assert ("*not bold*" in page, "<b>Hi</b>" in page) == (True, False)


async def test_a_step_by_a_template_alone_is_sent_in_an_open_window_too(town: Player) -> None:
    await submitted(town)
    whatsapp(town).set_template_status("parcel", "en_US", "APPROVED")
    await in_state(town, "approved")
    await town.say("whatsapp", "hello")
    literal = {**USE, "variables": {"name": "Ann"}, "header": {"type": "text", "variables": {"order": "1"}}}
    sent = await one(town, {"channel": "whatsapp", "template": {**literal, "buttons": [{"index": 0, "url": "1"}]}})
    await town.ended(sent, "READ", "DELIVERED")


async def test_the_list_is_asked_for_by_itself(town: Player) -> None:
    """The worker has looked when it began; this one looks when hours have passed."""
    runtime, stop = town.town.runtime, asyncio.Event()

    async def looked_at() -> Any:
        return await runtime.db["desks"].find_one({"_id": "whatsapp:demo"})

    async def there() -> Any:
        return (await asked(town, "GET"))[1]["messageTemplates"]

    await until(looked_at)
    town.pass_time(hours=7)
    task = asyncio.create_task(syncing(runtime, stop))
    assert {one["name"] for one in await until(there)} == {"order_update"}
    stop.set()
    await task


async def test_one_process_asks(db: Db) -> None:
    now, every = datetime(2026, 11, 24, tzinfo=UTC), timedelta(hours=6)
    assert not await due(db, "whatsapp", "demo", now, every)
    for later in (every * 1.5, every * 3):
        asked = [due(db, "whatsapp", "demo", now + later, every) for _ in range(8)]
        assert sorted(await asyncio.gather(*asked)) == [False] * 7 + [True]
    assert not await due(db, "whatsapp", "demo", now + every * 3.5, every)
