"""Tests own templates: they are created, checked, versioned, listed, deleted, and used for sending."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.support.client import PHONE, ApiClient
from tests.support.workload import texts

TEMPLATES = "/api/v1/templates"
SMS = {"channel": "sms", "text": "{{name}}, order {{order}} is on its way."}
STRUCTURE: dict[str, Any] = {"name": "Order shipped", "channels": [SMS]}


async def request(demo: ApiClient, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
    async with demo.http.request(method, TEMPLATES + path, json=body, params=query) as response:
        return response.status, await response.json()


async def create(demo: ApiClient, key: str = "shipped", **changes: Any) -> Any:
    status, answer = await request(demo, "POST", "", {"id": key, **STRUCTURE, **changes})
    assert status == 201, answer
    return answer


async def items(demo: ApiClient, *people: dict[str, Any], **fields: Any) -> list[Any]:
    status, answer = await demo.post("/api/v1/messages", {"messages": [{"destinations": list(people), **fields}]})
    assert status == 202, answer
    return list(answer["messages"])


def anna(**variables: Any) -> dict[str, Any]:
    return {"phone": PHONE, "variables": variables}


async def test_a_message_by_a_template(demo: ApiClient) -> None:
    answer = await create(demo)
    assert (answer["id"], answer["version"], answer["variables"]) == ("shipped", 1, ["name", "order"])
    (item,) = await items(demo, anna(name="Anna", order="A-17"), templateId="shipped")
    assert "warnings" not in item
    await demo.wait_for(item["id"], "DELIVERED")
    assert texts(demo, "sms") == ["Anna, order A-17 is on its way."]


async def test_inline_channels_are_ignored_and_the_answer_says_so(demo: ApiClient) -> None:
    await create(demo)
    inline = [{"channel": "sms", "text": "Inline"}]
    (item,) = await items(demo, anna(name="Anna", order="A-17"), templateId="shipped", channels=inline)
    assert item["warnings"] == ["channels: ignored, since those of the template shipped count"]
    await demo.wait_for(item["id"], "DELIVERED")
    assert texts(demo, "sms") == ["Anna, order A-17 is on its way."]


async def test_mistakes_are_each_ones_own(demo: ApiClient) -> None:
    await create(demo)
    good, bad = await items(demo, anna(name="Anna", order="1"), anna(name="Anna"), templateId="shipped")
    assert "id" in good
    assert (bad["error"]["code"], bad["error"]["field"]) == ("bad_text", "messages[0].channels[0].text")
    assert "order" in bad["error"]["message"]
    unknown, good = await items(demo, anna(), templateId="nothing") + await items(
        demo, anna(name="Anna", order="1"), templateId="shipped"
    )
    assert (unknown["error"]["code"], unknown["error"]["field"]) == ("unknown_template", "messages[0].templateId")
    assert "id" in good


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "channels"),
        ({"channels": []}, "channels"),
        ({"channels": [SMS], "templateVersion": 1}, "templateVersion"),
        ({"templateId": "shipped", "templateVersion": 7}, "templateVersion"),
        ({"templateId": "shipped", "templateVersion": 0}, "templateVersion"),
        ({"templateId": ""}, "templateId"),
    ],
)
async def test_a_wrong_reference_names_its_field(demo: ApiClient, fields: dict[str, Any], field: str) -> None:
    await create(demo)
    (item,) = await items(demo, anna(name="Anna", order="1"), **fields)
    assert item["error"]["field"] == f"messages[0].{field}"


async def test_the_template_has_the_terms_unless_the_call_says_otherwise(demo: ApiClient) -> None:
    await create(demo, timezone="Asia/Yekaterinburg", weekdays=[1, 2, 3, 4, 5, 6, 7], validityPeriod=60)
    (item,) = await items(demo, anna(name="Anna", order="1"), templateId="shipped")
    assert item["timezone"] == "Asia/Yekaterinburg"
    (item,) = await items(demo, anna(name="Anna", order="1"), templateId="shipped", timezone="Asia/Tokyo")
    assert item["timezone"] == "Asia/Tokyo"


async def test_short_links_as_the_template_wishes(demo: ApiClient) -> None:
    sms = {"channel": "sms", "text": "See https://shop.example/a/long/address"}
    for key, use_short_links in (("with", True), ("without", False)):
        assert (await create(demo, key, channels=[sms], useShortLinks=use_short_links))[
            "useShortLinks"
        ] is use_short_links
        (item,) = await items(demo, anna(), templateId=key)
        await demo.wait_for(item["id"], "DELIVERED")
    short_text, plain_text = texts(demo, "sms")
    assert "shop.example" not in short_text
    assert plain_text == sms["text"]


async def test_versions(demo: ApiClient) -> None:
    await create(demo)
    (before,) = await items(demo, anna(name="Anna", order="1"), templateId="shipped", sendAt="2099-01-01T00:00:00Z")
    assert before["error"]["field"] == "messages[0].sendAt"
    new = {**STRUCTURE, "channels": [{"channel": "sms", "text": "Second {{name}}"}]}
    status, answer = await request(demo, "PUT", "/shipped", {**new, "version": 1})
    assert (status, answer["version"], answer["variables"]) == (200, 2, ["name"])
    status, answer = await request(demo, "PUT", "/shipped", {**new, "version": 1})
    assert (status, answer["error"]) == (409, "Somebody has changed this template meanwhile: read it again.")
    assert (await request(demo, "GET", "/shipped"))[1]["channels"][0]["text"] == "Second {{name}}"
    assert (await request(demo, "GET", "/shipped", version="1"))[1]["channels"][0]["text"] == SMS["text"]
    (old,) = await items(demo, anna(name="Anna", order="1"), templateId="shipped", templateVersion=1)
    (fresh,) = await items(demo, anna(name="Anna"), templateId="shipped")
    for item in (old, fresh):
        await demo.wait_for(item["id"], "DELIVERED")
    assert sorted(texts(demo, "sms")) == ["Anna, order 1 is on its way.", "Second Anna"]
    page = (await request(demo, "GET", "/shipped/versions", limit="1"))[1]
    assert ([version["version"] for version in page["versions"]], page["cursor"]) == ([2], "1")
    page = (await request(demo, "GET", "/shipped/versions", limit="1", cursor=page["cursor"]))[1]
    assert ([version["version"] for version in page["versions"]], page["cursor"]) == ([1], None)


async def test_a_message_keeps_the_texts_it_was_accepted_with(demo: ApiClient) -> None:
    await create(demo)
    soon = (demo.environment.runtime.clock() + timedelta(hours=2)).isoformat()
    (item,) = await items(demo, anna(name="Anna", order="1"), templateId="shipped", sendAt=soon)
    assert (await request(demo, "DELETE", "/shipped"))[0] == 200
    demo.pass_time(hours=3)
    await demo.wait_for(item["id"], "DELIVERED")
    assert texts(demo, "sms") == ["Anna, order 1 is on its way."]


async def test_what_was_deleted_cannot_be_used_but_read(demo: ApiClient) -> None:
    await create(demo)
    assert (await request(demo, "DELETE", "/shipped")) == (200, {"id": "shipped"})
    for method, path in (("GET", "/shipped"), ("DELETE", "/shipped"), ("PUT", "/shipped"), ("GET", "/never/versions")):
        assert (await request(demo, method, path, {**STRUCTURE, "version": 2} if method == "PUT" else None))[0] == 404
    assert (await request(demo, "GET", "/shipped", version="1"))[1]["name"] == "Order shipped"
    assert (await request(demo, "GET", "/shipped", version="2"))[0] == 404
    assert [version["version"] for version in (await request(demo, "GET", "/shipped/versions"))[1]["versions"]] == [1]
    assert (await request(demo, "POST", "", {"id": "shipped", **STRUCTURE}))[0] == 409
    assert (await request(demo, "GET", ""))[1] == {"templates": [], "cursor": None}
    for version_fields in ({}, {"templateVersion": 1}):
        (item,) = await items(demo, anna(name="Anna", order="1"), templateId="shipped", **version_fields)
        assert item["error"]["code"] == "unknown_template"


async def test_one_of_many_who_change_it_at_once_wins(demo: ApiClient) -> None:
    await create(demo)
    changes = [request(demo, "PUT", "/shipped", {**STRUCTURE, "name": str(n), "version": 1}) for n in range(8)]
    statuses = [status for status, _ in await asyncio.gather(*changes)]
    assert sorted(statuses) == [200] + [409] * 7
    assert (await request(demo, "GET", "/shipped"))[1]["version"] == 2


async def test_the_list_in_pages(demo: ApiClient) -> None:
    for key in "abcde":
        await create(demo, key)
    ids, cursor = list[str](), dict[str, str]()
    while True:
        page = (await request(demo, "GET", "", limit="2", **cursor))[1]
        ids += [template["id"] for template in page["templates"]]
        if not page["cursor"]:
            break
        cursor = {"cursor": page["cursor"]}
    assert ids == list("edcba")
    assert page["templates"][0]["channels"] == ["sms"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": "no spaces"}, "id"),
        ({"id": ""}, "id"),
        ({"name": ""}, "name"),
        ({"channels": []}, "channels"),
        ({"channels": [{"channel": "pigeon", "text": "Hi"}]}, "channels[0].channel"),
        ({"channels": [{"channel": "sms", "text": "{{ name"}]}, "channels[0].text"),
        ({"channels": [SMS, {"channel": "sms", "text": "{{ a.b }}"}]}, "channels[1].text"),
        ({"channels": [{**SMS, "buttons": [{"text": "{{"}]}]}, "channels[0].buttons[0].text"),
        ({"channels": [{**SMS, "success": "read"}]}, "channels[0].success"),
        ({"timezone": "Mars"}, "timezone"),
        ({"allowedTimeRanges": [["9", "25:00"]]}, "allowedTimeRanges"),
        ({"destinations": []}, "destinations"),
        ({"version": 1}, "version"),
    ],
)
async def test_what_could_never_be_sent_is_not_saved(demo: ApiClient, change: dict[str, Any], field: str) -> None:
    status, answer = await request(demo, "POST", "", {"id": "x", **STRUCTURE, **change})
    assert (status, answer["details"]["field"]) == (400, field), answer


async def test_a_variable_that_looks_mistyped_is_told_as_one_mistake(demo: ApiClient) -> None:
    telegram = {"channel": "telegram", "text": "{{name}}, order {{order}} is ready"}
    texts = {
        "{{name}}, {{ordr}} is ready": ["channels[1] alone uses {{ordr}}; did you mean {{order}}?"],
        "{{code}}, {{order}}": [
            "channels[0] does not use {{code}}, which other channels do",
            "channels[1] does not use {{name}}, which other channels do",
        ],
        "".join(f"{{{{order{number}}}}}" for number in range(30)): None,  # comparing so many would take too long
    }
    for text, warnings in texts.items():
        body = {"name": "X", "channels": [telegram, {"channel": "sms", "text": text}]}
        found = (await request(demo, "POST", "", body))[1]["warnings"]
        assert found == warnings or (warnings is None and not [line for line in found if "did you mean" in line])


async def test_the_author_is_warned(demo: ApiClient) -> None:
    channels = [SMS, {"channel": "sms", "text": "я" * 100}, {"channel": "telegram", "text": "{{name}}" + "a" * 5000}]
    assert (await create(demo, channels=channels))["warnings"] == [
        "channels[1] does not use {{name}}, {{order}}, which other channels do",
        "channels[2] does not use {{order}}, which other channels do",
        "channels[1].text takes 2 parts, each charged as one",
        "channels[2].text takes 2 messages",
    ]
