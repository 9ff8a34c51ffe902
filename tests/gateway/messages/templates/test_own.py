"""Own templates: made, checked, changed version by version, listed, deleted, and sent by."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.support.client import PHONE, Player
from tests.support.workload import texts

TEMPLATES = "/api/v1/templates"
SMS = {"channel": "sms", "text": "{{name}}, order {{order}} is on its way."}
STRUCTURE: dict[str, Any] = {"name": "Order shipped", "channels": [SMS]}


async def asked(town: Player, method: str, path: str, body: Any = None, **query: str) -> tuple[int, Any]:
    async with town.http.request(method, TEMPLATES + path, json=body, params=query) as response:
        return response.status, await response.json()


async def made(town: Player, key: str = "shipped", **changes: Any) -> Any:
    status, answer = await asked(town, "POST", "", {"id": key, **STRUCTURE, **changes})
    assert status == 201, answer
    return answer


async def items(town: Player, *people: dict[str, Any], **fields: Any) -> list[Any]:
    status, answer = await town.post("/api/v1/messages", {"messages": [{"destinations": list(people), **fields}]})
    assert status == 202, answer
    return list(answer["messages"])


def anna(**variables: Any) -> dict[str, Any]:
    return {"phone": PHONE, "variables": variables}


async def test_a_message_by_a_template(town: Player) -> None:
    answer = await made(town)
    assert (answer["id"], answer["version"], answer["variables"]) == ("shipped", 1, ["name", "order"])
    (item,) = await items(town, anna(name="Anna", order="A-17"), templateId="shipped")
    assert "warnings" not in item
    await town.ended(item["id"], "DELIVERED")
    assert texts(town, "sms") == ["Anna, order A-17 is on its way."]


async def test_inline_channels_are_ignored_and_the_answer_says_so(town: Player) -> None:
    await made(town)
    inline = [{"channel": "sms", "text": "Inline"}]
    (item,) = await items(town, anna(name="Anna", order="A-17"), templateId="shipped", channels=inline)
    assert item["warnings"] == ["channels: ignored, since those of the template shipped count"]
    await town.ended(item["id"], "DELIVERED")
    assert texts(town, "sms") == ["Anna, order A-17 is on its way."]


async def test_mistakes_are_each_ones_own(town: Player) -> None:
    await made(town)
    good, bad = await items(town, anna(name="Anna", order="1"), anna(name="Anna"), templateId="shipped")
    assert "id" in good
    assert (bad["error"]["code"], bad["error"]["field"]) == ("bad_text", "messages[0].channels[0].text")
    assert "order" in bad["error"]["message"]
    unknown, good = await items(town, anna(), templateId="nothing") + await items(
        town, anna(name="Anna", order="1"), templateId="shipped"
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
async def test_a_wrong_reference_names_its_field(town: Player, fields: dict[str, Any], field: str) -> None:
    await made(town)
    (item,) = await items(town, anna(name="Anna", order="1"), **fields)
    assert item["error"]["field"] == f"messages[0].{field}"


async def test_the_template_has_the_terms_unless_the_call_says_otherwise(town: Player) -> None:
    await made(town, timezone="Asia/Yekaterinburg", weekdays=[1, 2, 3, 4, 5, 6, 7], validityPeriod=60)
    (item,) = await items(town, anna(name="Anna", order="1"), templateId="shipped")
    assert item["timezone"] == "Asia/Yekaterinburg"
    (item,) = await items(town, anna(name="Anna", order="1"), templateId="shipped", timezone="Asia/Tokyo")
    assert item["timezone"] == "Asia/Tokyo"


async def test_short_links_as_the_template_wishes(town: Player) -> None:
    sms = {"channel": "sms", "text": "See https://shop.example/a/long/address"}
    for key, wish in (("with", True), ("without", False)):
        assert (await made(town, key, channels=[sms], useShortLinks=wish))["useShortLinks"] is wish
        (item,) = await items(town, anna(), templateId=key)
        await town.ended(item["id"], "DELIVERED")
    shortened, plain = texts(town, "sms")
    assert "shop.example" not in shortened
    assert plain == sms["text"]


async def test_versions(town: Player) -> None:
    await made(town)
    (before,) = await items(town, anna(name="Anna", order="1"), templateId="shipped", sendAt="2099-01-01T00:00:00Z")
    assert before["error"]["field"] == "messages[0].sendAt"
    new = {**STRUCTURE, "channels": [{"channel": "sms", "text": "Second {{name}}"}]}
    status, answer = await asked(town, "PUT", "/shipped", {**new, "version": 1})
    assert (status, answer["version"], answer["variables"]) == (200, 2, ["name"])
    status, answer = await asked(town, "PUT", "/shipped", {**new, "version": 1})
    assert (status, answer["error"]) == (409, "Somebody has changed this template meanwhile: read it again.")
    assert (await asked(town, "GET", "/shipped"))[1]["channels"][0]["text"] == "Second {{name}}"
    assert (await asked(town, "GET", "/shipped", version="1"))[1]["channels"][0]["text"] == SMS["text"]
    (old,) = await items(town, anna(name="Anna", order="1"), templateId="shipped", templateVersion=1)
    (fresh,) = await items(town, anna(name="Anna"), templateId="shipped")
    for item in (old, fresh):
        await town.ended(item["id"], "DELIVERED")
    assert sorted(texts(town, "sms")) == ["Anna, order 1 is on its way.", "Second Anna"]
    page = (await asked(town, "GET", "/shipped/versions", limit="1"))[1]
    assert ([one["version"] for one in page["versions"]], page["cursor"]) == ([2], "1")
    page = (await asked(town, "GET", "/shipped/versions", limit="1", cursor=page["cursor"]))[1]
    assert ([one["version"] for one in page["versions"]], page["cursor"]) == ([1], None)


async def test_a_message_keeps_the_texts_it_was_accepted_with(town: Player) -> None:
    await made(town)
    soon = (town.town.runtime.clock() + timedelta(hours=2)).isoformat()
    (item,) = await items(town, anna(name="Anna", order="1"), templateId="shipped", sendAt=soon)
    assert (await asked(town, "DELETE", "/shipped"))[0] == 200
    town.pass_time(hours=3)
    await town.ended(item["id"], "DELIVERED")
    assert texts(town, "sms") == ["Anna, order 1 is on its way."]


async def test_what_was_deleted_cannot_be_used_but_read(town: Player) -> None:
    await made(town)
    assert (await asked(town, "DELETE", "/shipped")) == (200, {"id": "shipped"})
    for method, path in (("GET", "/shipped"), ("DELETE", "/shipped"), ("PUT", "/shipped"), ("GET", "/never/versions")):
        assert (await asked(town, method, path, {**STRUCTURE, "version": 2} if method == "PUT" else None))[0] == 404
    assert (await asked(town, "GET", "/shipped", version="1"))[1]["name"] == "Order shipped"
    assert (await asked(town, "GET", "/shipped", version="2"))[0] == 404
    assert [one["version"] for one in (await asked(town, "GET", "/shipped/versions"))[1]["versions"]] == [1]
    assert (await asked(town, "POST", "", {"id": "shipped", **STRUCTURE}))[0] == 409
    assert (await asked(town, "GET", ""))[1] == {"templates": [], "cursor": None}
    for version in ({}, {"templateVersion": 1}):
        (item,) = await items(town, anna(name="Anna", order="1"), templateId="shipped", **version)
        assert item["error"]["code"] == "unknown_template"


async def test_one_of_many_who_change_it_at_once_wins(town: Player) -> None:
    await made(town)
    changes = [asked(town, "PUT", "/shipped", {**STRUCTURE, "name": str(n), "version": 1}) for n in range(8)]
    statuses = [status for status, _ in await asyncio.gather(*changes)]
    assert sorted(statuses) == [200] + [409] * 7
    assert (await asked(town, "GET", "/shipped"))[1]["version"] == 2


async def test_the_list_in_pages(town: Player) -> None:
    for key in "abcde":
        await made(town, key)
    found, cursor = list[str](), dict[str, str]()
    while True:
        page = (await asked(town, "GET", "", limit="2", **cursor))[1]
        found += [one["id"] for one in page["templates"]]
        if not page["cursor"]:
            break
        cursor = {"cursor": page["cursor"]}
    assert found == list("edcba")
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
async def test_what_could_never_be_sent_is_not_saved(town: Player, change: dict[str, Any], field: str) -> None:
    status, answer = await asked(town, "POST", "", {"id": "x", **STRUCTURE, **change})
    assert (status, answer["details"]["field"]) == (400, field), answer


async def test_the_author_is_warned(town: Player) -> None:
    channels = [SMS, {"channel": "sms", "text": "я" * 100}, {"channel": "telegram", "text": "{{name}}" + "a" * 5000}]
    assert (await made(town, channels=channels))["warnings"] == [
        "channels[1] does not use {{name}}, {{order}}, which other channels do",
        "channels[2] does not use {{order}}, which other channels do",
        "channels[1].text takes 2 parts, each charged as one",
        "channels[2].text takes 2 messages",
    ]
