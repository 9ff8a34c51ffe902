"""What people send is shown as it was read: files, forms, orders and payments, and with every field."""

from collections.abc import Mapping
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
    assert expected in [{name: line[name] for name in expected} for line in lines if line["direction"] == "in"]
    told = [body for body in shop.callbacks if body["event"] == "message.inbound"]
    assert expected | {"kind": event.get("kind", "text")} in [
        {name: body[name] for name in (*expected, "kind")} for body in told
    ]


def shown(media: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return media and {"type": "", "url": "", "name": "", "id": "", **media}
