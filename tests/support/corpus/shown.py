"""What people send is shown as it was read: files, forms, orders and payments, and with every field."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from tests.support.corpus.payloads import Shop


async def expect_shown(shop: Shop, event: Mapping[str, Any]) -> None:
    """Hold the line of the log and the callback of an event to the event."""
    content, address = event["content"], event["address"]
    session = quote(":".join(address.values()), safe="")
    async with shop.api.http.get(f"/api/v1/sessions/{session}/messages") as response:
        lines = (await response.json())["messages"]
    expected = {
        "text": content.get("text", ""),
        "media": shown(content.get("media")),
        "others": [shown(file) for file in content.get("others", ())],
        "data": content.get("data", {}),
    }
    assert expected in [told_of(line, expected) for line in lines if line["direction"] == "in"]
    told = [body for body in shop.callbacks if body["event"] == "message.inbound"]
    expected["kind"] = event.get("kind", "text")
    assert expected in [told_of(body, expected) for body in told]


def told_of(answer: Mapping[str, Any], names: Iterable[str]) -> Mapping[str, Any]:
    """Return these fields of an answer; files without our id, which each of them must have, and without their link."""
    fields = {name: answer[name] for name in names}
    files = [file for file in (answer["media"], *answer["others"]) if file]
    assert all(file["fileId"] for file in files)
    bare = [{name: value for name, value in file.items() if name not in {"fileId", "link"}} for file in files]
    return fields | {"media": bare[0] if bare else None, "others": bare[1:]}


def shown(media: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return media and {"type": "", "url": "", "name": "", "id": "", **media}
