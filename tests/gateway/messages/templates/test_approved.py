"""Tests the API of providers' templates: drafts, approval, sending by them, and previews."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.messages.templates.syncing import sync_regularly
from storage.accounts import states
from storage.documents.documents import Db
from storage.templates.approved import due
from tests.support.client import PHONE, ApiClient, until
from tests.support.workload import send_one, texts, whatsapp

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


async def request(demo: ApiClient, method: str, path: str = "", body: Any = None, **query: str) -> tuple[int, Any]:
    async with demo.http.request(method, TEMPLATES + path, json=body, params=query) as response:
        return response.status, await response.json()


async def create(demo: ApiClient, **changes: Any) -> Any:
    status, answer = await request(demo, "POST", "", {**DRAFT, **changes})
    assert status == 201, answer
    return answer


async def create_submitted(demo: ApiClient) -> Any:
    await create(demo)
    status, answer = await request(demo, "POST", f"/{KEY}/submit")
    assert status == 200, answer
    return answer


async def wait_for_state(demo: ApiClient, state: str) -> Any:
    async def template_in_state() -> Any:
        answer = (await request(demo, "GET", f"/{KEY}"))[1]
        return answer if answer["state"] == state else None

    return await until(template_in_state)


async def send_and_wait(demo: ApiClient) -> Any:
    """Send a message by the template with SMS as the fallback, and wait for its end. Returns its story."""
    response = await demo.post("/api/v1/messages", {"messages": [{"destinations": [ANNA], "channels": [STEP, SMS]}]})
    return await demo.wait_for(response[1]["messages"][0]["id"], "DELIVERED", "READ")


async def test_from_draft_to_sent(demo: ApiClient) -> None:
    draft = await create(demo)
    assert (draft["id"], draft["language"], draft["state"], draft["version"]) == (KEY, "en_US", "draft", 1)
    assert (await send_and_wait(demo))["attempts"][0]["reason"].endswith("template parcel/en-US cannot be used: draft")
    assert (await request(demo, "POST", f"/{KEY}/submit"))[1]["state"] == "pending"
    assert [attempt["status"] for attempt in (await send_and_wait(demo))["attempts"]] == ["SKIPPED", "DELIVERED"]
    whatsapp(demo).set_template_status("parcel", "en_US", "APPROVED")
    assert (await wait_for_state(demo, "approved"))["usable"]
    story = await send_and_wait(demo)
    assert [attempt["channel"] for attempt in story["attempts"]] == ["whatsapp"]
    assert texts(demo, "whatsapp") == ["Order A-17\nHello Anna, your *parcel* is on its way.\nThe shop"]
    assert demo.screen("whatsapp")[-1].buttons[0].url == "https://shop.ru/A-17"


async def test_a_rejection_is_mended_and_submitted_again(demo: ApiClient) -> None:
    await create_submitted(demo)
    whatsapp(demo).set_template_status("parcel", "en_US", "REJECTED", "INVALID_FORMAT")
    template = await wait_for_state(demo, "rejected")
    assert template["reason"] == "INVALID_FORMAT"
    body = {**CONTENTS, "footer": "Another", "version": template["version"]}
    status, changed_template = await request(demo, "PUT", f"/{KEY}", body)
    assert (status, changed_template["state"], changed_template["footer"]) == (200, "draft", "Another")
    assert (await request(demo, "PUT", f"/{KEY}", body))[0] == 409
    status, second = await request(demo, "POST", f"/{KEY}/submit")
    assert (status, second["state"]) == (200, "pending")
    assert whatsapp(demo).templates["parcel", "en_US"]["components"][2]["text"] == "Another"


async def test_a_pause_is_heard_and_kept_to(demo: ApiClient) -> None:
    await create_submitted(demo)
    for event in ("APPROVED", "PAUSED"):
        whatsapp(demo).set_template_status("parcel", "en_US", event)
    await wait_for_state(demo, "paused")
    assert (await send_and_wait(demo))["attempts"][0]["status"] == "SKIPPED"


async def test_what_the_provider_does_not_know_yet_can_be_drafted(demo: ApiClient) -> None:
    assert [attempt["cause"] for attempt in (await send_and_wait(demo))["attempts"]] == ["template_unusable", None]
    demo.pass_time(hours=0.01)
    assert (await create(demo))["state"] == "draft"


async def test_what_the_provider_has_is_not_drafted(demo: ApiClient) -> None:
    whatsapp(demo).templates["parcel", "en_US"] = {"body": "Hi"}
    whatsapp(demo).set_template_status("parcel", "en_US", "PAUSED")

    async def current_state() -> str:
        return await states.template_state(demo.environment.runtime.db, KEY)

    await until(current_state)
    status, answer = await request(demo, "POST", "", DRAFT)
    assert status == 409
    assert answer["error"].startswith("There is a template of this name and language: it is paused.")


async def test_what_was_submitted_is_neither_changed_nor_submitted_again(demo: ApiClient) -> None:
    answer = await create_submitted(demo)
    status, refusal = await request(demo, "PUT", f"/{KEY}", {**CONTENTS, "version": answer["version"]})
    assert (status, refusal["error"]) == (409, "Only a draft, or what was rejected, can be changed; this is pending.")
    assert (await request(demo, "POST", f"/{KEY}/submit"))[0] == 409
    assert (await request(demo, "POST", "", DRAFT))[0] == 409


async def test_two_who_submit_at_once(demo: ApiClient) -> None:
    """One request submits the template, and the other undoes nothing of that."""
    await create(demo)
    responses = await asyncio.gather(*(request(demo, "POST", f"/{KEY}/submit") for _ in range(3)))
    assert sorted(status for status, _ in responses) == [200, 409, 409]
    assert (await request(demo, "GET", f"/{KEY}"))[1]["state"] == "pending"


async def test_the_providers_refusal_is_told_and_it_stays_a_draft(demo: ApiClient) -> None:
    await create(demo, name="order_update", language="en")
    key = "whatsapp:demo:order_update:en"
    status, answer = await request(demo, "POST", f"/{key}/submit")
    assert (status, "already content in this language" in answer["error"]) == (409, True)
    draft = (await request(demo, "GET", f"/{key}"))[1]
    assert (draft["state"], "already content" in draft["reason"]) == ("draft", True)
    whatsapp(demo).faults.fail(2)
    status, answer = await request(demo, "POST", f"/{key}/submit")
    assert (status, "Meta is down" in answer["error"]) == (502, True)


async def test_the_providers_list_makes_it_true(demo: ApiClient) -> None:
    await create_submitted(demo)
    simulator = whatsapp(demo)
    simulator.templates["parcel", "en_US"]["status"] = "DISABLED"  # and no webhook comes
    assert await request(demo, "POST", "/sync", {"channel": "whatsapp"}) == (200, {"listed": 3})
    assert (await request(demo, "GET", f"/{KEY}"))[1]["state"] == "disabled"
    templates = {template["name"]: template for template in (await request(demo, "GET"))[1]["messageTemplates"]}
    assert templates["order_update"]["state"] == "approved"
    del simulator.templates["parcel", "en_US"]
    await request(demo, "POST", "/sync", {"channel": "whatsapp", "account": "demo"})
    deleted_template = (await request(demo, "GET", f"/{KEY}"))[1]
    assert (deleted_template["state"], deleted_template["reason"]) == (
        "deleted",
        "the provider does not list it any more",
    )
    assert (await send_and_wait(demo))["attempts"][0]["status"] == "SKIPPED"


async def test_what_never_reached_the_provider_is_a_draft_again(demo: ApiClient) -> None:
    await create(demo)
    now = demo.environment.runtime.clock()
    await states.save_template_state(demo.environment.runtime.db, KEY, usable=False, state="pending", reason="", at=now)
    demo.pass_time(hours=0.01)
    await request(demo, "POST", "/sync", {"channel": "whatsapp"})
    template = (await request(demo, "GET", f"/{KEY}"))[1]
    assert (template["state"], template["reason"]) == ("draft", "it did not reach the provider")


async def test_the_list_in_pages_the_newest_first(demo: ApiClient) -> None:
    for name in "abc":
        await create(demo, name=name)
    first = (await request(demo, "GET", limit="2"))[1]
    second = (await request(demo, "GET", limit="2", cursor=first["cursor"]))[1]
    assert [template["name"] for page in (first, second) for template in page["messageTemplates"]] == ["c", "b", "a"]
    assert second["cursor"] is None


async def test_deleted_here_and_there(demo: ApiClient) -> None:
    await create_submitted(demo)
    assert await request(demo, "DELETE", f"/{KEY}") == (200, {"id": KEY})
    assert ("parcel", "en_US") not in whatsapp(demo).templates
    for method, path in (("GET", f"/{KEY}"), ("DELETE", f"/{KEY}"), ("POST", f"/{KEY}/submit"), ("GET", "/x/preview")):
        async with demo.http.request(method, TEMPLATES + path) as response:
            assert response.status == 404
    assert (await request(demo, "GET"))[1] == {"messageTemplates": [], "cursor": None}
    assert (await create(demo))["state"] == "draft"


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
async def test_a_wrong_draft_names_its_field(demo: ApiClient, change: dict[str, Any], field: str) -> None:
    status, answer = await request(demo, "POST", "", {**DRAFT, **change})
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
async def test_wrong_values_name_their_field(demo: ApiClient, change: dict[str, Any], field: str) -> None:
    body = {"destinations": [ANNA], "channels": [{"channel": "whatsapp", "template": {**USE, **change}}]}
    status, answer = await demo.post("/api/v1/messages", {"messages": [body]})
    assert status == 202
    assert answer["messages"][0]["error"]["field"] == f"messages[0].channels[0].{field}"


async def test_values_on_many_lines_are_told(demo: ApiClient) -> None:
    person = {"phone": PHONE, "variables": {"name": "Anna\nMaria", "order": "A\t17"}}
    boris = ANNA | {"phone": "+79000000002"}
    body = {"destinations": [person, boris], "channels": [STEP]}
    many, good = (await demo.post("/api/v1/messages", {"messages": [body]}))[1]["messages"]
    assert many["warnings"] == [
        "channels[0].template.variables.name: line breaks, tabs and runs of spaces become one space",
        "channels[0].template.header.variables.order: line breaks, tabs and runs of spaces become one space",
    ]
    assert "warnings" not in good


async def test_an_own_template_is_held_against_the_providers(demo: ApiClient) -> None:
    await create(demo)
    use = {"name": "parcel", "language": "en_US", "variables": {"nam": "a\nb"}}
    own = {"id": "x", "name": "X", "channels": [{"channel": "whatsapp", "template": use}]}
    status, answer = await demo.post("/api/v1/templates", own)
    assert status == 201
    assert answer["warnings"] == [
        "channels[0].template.variables.nam: line breaks, tabs and runs of spaces become one space",
        "channels[0].template: it cannot be sent now: it is draft",
        "channels[0].template: parcel wants values for name",
        "channels[0].template: parcel has no place for nam",
        "channels[0].template: parcel wants a header: text",
        "channels[0].template: parcel wants the end of the address of button 0",
    ]


async def read_page(demo: ApiClient, path: str) -> str:
    async with demo.http.get(path) as response:
        assert response.status == 200
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        return await response.text()


async def test_a_preview_shows_examples_and_escapes(demo: ApiClient) -> None:
    body = 'Hello {{name}}: *bold* _thin_ ~gone~ ```a*b*c``` <script>alert("x")</script> 2*3*4 snake_case_name.'
    await create(demo, body=body, bodyExamples={"name": "<b>Anna</b>"})
    page = await read_page(demo, f"{TEMPLATES}/{KEY}/preview")
    assert "&lt;b&gt;Anna&lt;/b&gt;: <b>bold</b> <i>thin</i> <s>gone</s> <code>a*b*c</code>" in page
    assert "2*3*4 snake_case_name" in page
    assert "<script" not in page
    assert '<div class="title">Order A-17</div>' in page
    assert "\u2197 Where?" in page


async def test_an_own_templates_preview(demo: ApiClient) -> None:
    await create(demo)
    sms = {"channel": "sms", "text": "{{name}}: *not bold* <i>"}
    free = {**STEP, "text": "*Hi* {% if name == 'x' %}x{% else %}{{name}}{% endif %}", "buttons": [{"text": "Yes"}]}
    await demo.post("/api/v1/templates", {"id": "x", "name": "<X>", "channels": [free, sms]})
    page = await read_page(demo, "/api/v1/templates/x/preview")
    assert "<h1>&lt;X&gt;</h1>" in page
    assert "<b>Hi</b> \u2039name\u203a" in page
    assert "Hello \u2039name\u203a, your <b>parcel</b>" in page
    assert "Order \u2039order\u203a" in page
    assert "\u2039name\u203a: *not bold* &lt;i&gt;" in page
    page = await read_page(demo, "/api/v1/templates/x/preview?channel=sms")
    assert ("*not bold*" in page, "<b>Hi</b>" in page) == (True, False)


async def test_what_is_not_saved_can_be_previewed(demo: ApiClient) -> None:
    async with demo.http.post(f"{TEMPLATES}/preview", json={**DRAFT, "body": "{{name}}: so it looks"}) as response:
        assert (response.status, "Anna: so it looks" in await response.text()) == (200, True)
    assert (await request(demo, "GET", f"/{KEY}"))[0] == 404
    sms, telegram = ({"channel": channel, "text": f"{{{{name}}}} by {channel}"} for channel in ("sms", "telegram"))
    own = {"name": "X", "channels": [telegram, sms]}
    async with demo.http.post("/api/v1/templates/preview?channel=sms", json=own) as response:
        page = await response.text()
    assert ("\u2039name\u203a by sms" in page, "by telegram" in page) == (True, False)
    wrong = {"name": "X", "channels": [{"channel": "sms", "text": "{{name"}]}
    status, answer = await demo.post("/api/v1/templates/preview", wrong)
    assert (status, answer["details"]["field"]) == (400, "channels[0].text")


async def test_a_step_by_a_template_alone_is_sent_in_an_open_window_too(demo: ApiClient) -> None:
    await create_submitted(demo)
    whatsapp(demo).set_template_status("parcel", "en_US", "APPROVED")
    await wait_for_state(demo, "approved")
    await demo.say("whatsapp", "hello")
    literal = {**USE, "variables": {"name": "Ann"}, "header": {"type": "text", "variables": {"order": "1"}}}
    key = await send_one(demo, {"channel": "whatsapp", "template": {**literal, "buttons": [{"index": 0, "url": "1"}]}})
    await demo.wait_for(key, "READ", "DELIVERED")


async def test_the_list_is_asked_for_by_itself(demo: ApiClient) -> None:
    """The worker requested the list when it started; this one requests it after some hours."""
    runtime, stop = demo.environment.runtime, asyncio.Event()

    async def looked_at() -> Any:
        return await runtime.db["template_syncs"].find_one({"_id": "whatsapp:demo"})

    async def templates() -> Any:
        return (await request(demo, "GET"))[1]["messageTemplates"]

    await until(looked_at)
    demo.pass_time(hours=7)
    task = asyncio.create_task(sync_regularly(runtime, stop))
    assert {template["name"] for template in await until(templates)} == {"order_update"}
    stop.set()
    await task


async def test_one_process_asks(db: Db) -> None:
    now, interval = datetime(2026, 11, 24, tzinfo=UTC), timedelta(hours=6)
    assert not await due(db, "whatsapp", "demo", now, interval)
    for later in (interval * 1.5, interval * 3):
        requests = [due(db, "whatsapp", "demo", now + later, interval) for _ in range(8)]
        assert sorted(await asyncio.gather(*requests)) == [False] * 7 + [True]
    assert not await due(db, "whatsapp", "demo", now + interval * 3.5, interval)
