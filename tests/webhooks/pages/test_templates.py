"""Templates as people write them: steps, a preview, versions, and two who write at the same time."""

from typing import Any

from bs4 import Tag

from tests.support.client import ApiClient
from tests.webhooks.pages.places import an_own_template
from tests.webhooks.pages.visitor import Answer, Visitor

SAVE = {"act": "save"}


async def stored(demo: ApiClient, key: str) -> Any:
    async with demo.http.get(f"/api/v1/templates/{key}") as response:
        return await response.json()


def typed(form: Tag) -> dict[str, str]:
    """Return what stands in the form's texts and choices, which a browser sends as well."""
    texts = {str(area["name"]): area.text.removeprefix("\n") for area in form.find_all("textarea")}
    for choice in form.find_all("select"):
        chosen = choice.select("option[selected]") or choice.select("option")
        texts[str(choice["name"])] = str(chosen[0].get("value", chosen[0].text))
    return texts


async def press(visitor: Visitor, shown: Answer, action: str, act: str, **fields: str) -> Answer:
    form = shown.form(action)
    return await visitor.send(form, {"act": act}, **{**typed(form), **fields})


async def test_a_template_is_written_step_by_step_and_saved(demo: ApiClient, visitor: Visitor) -> None:
    assert "There is no template yet." in (await visitor.get("/ui/templates")).words
    new = await visitor.get("/ui/templates/new")
    fields = {"name": "Order ready", "channel-0": "telegram", "text-0": "{{name}}, come", "button-0-0": "Thanks"}
    two = await press(visitor, new, "/new", "add", **fields)
    assert two.html.select("[name=text-0]")[0].text.strip() == "{{name}}, come"
    turned = await press(visitor, two, "/new", "up-1", **{"channel-1": "sms", "text-1": "{{ordr}} is ready"})
    assert [area.text.strip() for area in turned.html.select("textarea[name^=text]")] == [
        "{{ordr}} is ready",
        "{{name}}, come",
    ]
    checked = await press(visitor, turned, "/new", "check")
    assert "Step 1: does not use {{name}}, which other channels do" in checked.words
    assert "Step 1: 17 letters, 1 part" in checked.words
    assert "‹name›, come" in checked.html.select(".phone")[0].text
    saved = await press(visitor, checked, "/new", "save")
    key = saved.address.rpartition("/")[2]
    template = await stored(demo, key)
    assert [(step["channel"], step["text"]) for step in template["channels"]] == [
        ("sms", "{{ordr}} is ready"),
        ("telegram", "{{name}}, come"),
    ]
    assert template["channels"][1]["buttons"][0]["text"] == "Thanks"


async def test_a_mistake_is_told_and_nothing_typed_is_lost(visitor: Visitor) -> None:
    new = await visitor.get("/ui/templates/new")
    fields = {"name": "X", "channel-0": "sms", "text-0": "{{name"}
    wrong = await press(visitor, new, "/new", "save", **fields)
    assert (wrong.status, "Step 1, Text:" in wrong.words) == (400, True)
    assert wrong.html.select("[name=text-0]")[0].text.strip() == "{{name"
    for text, words in (
        ("x" * 16_385, "Step 1, Text: at most 16,384 characters"),
        ("{{Номер заказа}}", "Step 1, Text: {{Номер заказа}}: a variable's name has no blanks; write {{Номер_заказа}}"),
    ):
        assert words in (await press(visitor, new, "/new", "save", **{**fields, "text-0": text})).words
    assert "Status: one or several of NEW" in (await visitor.get("/ui/messages?status=pigeon")).words


async def test_what_the_form_has_no_field_for_is_kept(demo: ApiClient, visitor: Visitor) -> None:
    step = {"channel": "telegram", "text": "Hi", "fallbackAfter": "PT60S", "required": True}
    terms = {"weekdays": [1, 2], "validityPeriod": 60, "priority": "urgent"}
    await demo.post("/api/v1/templates", {"id": "x", "name": "X", "channels": [step], **terms})
    await press(visitor, await visitor.get("/ui/templates/x"), "/x", "save", **{"text-0": "Hello"})
    template = await stored(demo, "x")
    assert (template["version"], template["weekdays"], template["priority"]) == (2, [1, 2], "urgent")
    (kept,) = template["channels"]
    assert (kept["text"], kept["required"], kept["fallbackAfter"]) == ("Hello", True, "PT60S")


async def test_two_who_change_it_at_the_same_time_see_both_texts(demo: ApiClient, visitor: Visitor) -> None:
    mine = await visitor.get(await an_own_template(demo))
    await press(visitor, await visitor.get("/ui/templates/order-ready"), "/order-ready", "save", **{"text-1": "Theirs"})
    clash = await press(visitor, mine, "/order-ready", "save", **{"text-1": "Mine"})
    assert (clash.status, "Somebody has changed this meanwhile. Here are both." in clash.words) == (409, True)
    assert "Theirs" in clash.html.select(".theirs")[0].text
    assert clash.html.select("[name=text-1]")[0].text.strip() == "Mine"
    assert (await stored(demo, "order-ready"))["channels"][1]["text"] == "Theirs"
    await press(visitor, clash, "/order-ready", "save")
    assert (await stored(demo, "order-ready"))["channels"][1]["text"] == "Mine"
    older = await visitor.get("/ui/templates/order-ready?version=2")
    assert "Theirs" in older.html.select("[name=text-1]")[0].text


async def test_a_deleted_template_is_listed_no_more(demo: ApiClient, visitor: Visitor) -> None:
    shown = await visitor.get(await an_own_template(demo))
    assert "Order ready" in (await visitor.get("/ui/templates")).words
    gone = await visitor.send(shown.form("/delete"))
    assert "There is no template yet." in gone.words
    assert (await visitor.get("/ui/templates/order-ready")).status == 404


async def test_a_step_of_each_channel_is_written_with_an_approved_template_and_without(
    demo: ApiClient, visitor: Visitor
) -> None:
    assert (await demo.post("/api/v1/messageTemplates/sync", {"channel": "whatsapp"}))[0] == 200
    shown = await visitor.get("/ui/templates/new")
    for channel in demo.environment.runtime.channels:
        fields = {"name": "Each", "channel-0": channel, "text-0": "Your order"}
        shown = await press(visitor, shown, "/new", "check", **fields)
        assert (shown.status, len(shown.html.select("fieldset"))) == (200, 1), channel
        assert shown.html.select("fieldset")[0]["data-channel"] == channel
    shown = await press(visitor, shown, "/new", "check", **{"channel-0": "whatsapp"})
    chosen = await press(visitor, shown, "/new", "check", **{"template-0": "order_update/en"})
    values = {str(each["name"]): "{{customer}}" for each in chosen.html.select("[name^=value-0-body]")}
    assert values.keys() == {"value-0-body.name", "value-0-body.order"}
    saved = await press(visitor, chosen, "/new", "save", **values)
    template = await stored(demo, saved.address.rpartition("/")[2])
    assert template["channels"][0]["template"] == {
        "name": "order_update",
        "language": "en",
        "variables": {"name": "{{customer}}", "order": "{{customer}}"},
    }
    assert saved.html.select("[name='value-0-body.order']")[0]["value"] == "{{customer}}"
    without = await press(visitor, saved, saved.address, "save", **{"template-0": ""})
    assert "template" not in (await stored(demo, without.address.rpartition("/")[2]))["channels"][0]
