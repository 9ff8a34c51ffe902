"""What was said is readable: whatever can be stored is shown by every route that shows its like."""

from typing import Any

import pytest

from gateway.runtime.runtime import Runtime
from gateway.runtime.settings.settings import Settings
from storage.documents.documents import Db
from tests.support.client import PHONE, ApiClient, Caller, until
from tests.support.corpus.payloads import PAYLOADS, opened_shop
from tests.support.corpus.reading import Reader, opened_reader
from tests.support.jobs import create_job

PICTURE = {"type": "image", "url": "https://shop.ru/a.jpg"}
BUTTONS = [{"text": "Yes", "reply": "/yes"}, {"text": "Look", "url": "https://shop.ru/"}]
CONTENTS: tuple[dict[str, Any], ...] = (
    {"text": "Hi"},
    {"text": "Hi", "buttons": BUTTONS},
    {"text": "Hi", "subject": "News", "html": "<b>Hi</b>"},
    {"text": "Hi", "intent": "purchase_update"},
    {"text": "Hi", "from": "Shop"},
    {"text": "Hi https://shop.ru/1"},
    {"text": "Hi", "media": PICTURE},
    {"text": "Hi", "media": {**PICTURE, "name": "a.jpg"}},
    {"media": {"type": "document", "url": "https://shop.ru/a.pdf"}},
)
"""Those whose files nobody can fetch here come last, since later messages wait for them."""

TRIED = 20
"""So many messages have left, or have failed to, before everything is read."""

PARTS: tuple[dict[str, Any], ...] = (
    {"variables": {"1": "a"}, "buttons": [{"index": 0, "url": "b"}]},
    {"header": {"type": "text", "variables": {"1": "a"}}},
    {"header": {"type": "document", "url": "https://shop.ru/a.pdf"}},
    {"header": {"type": "location", "latitude": 55.7, "longitude": 37.6}},
)
TEMPLATES = [{"text": "Hi", "template": {"name": "hello", "language": "en", **part}} for part in PARTS]


async def read_everything(api: Caller, runtime: Runtime) -> Reader:
    """Read by every route. Returns the reader, which has found no fault."""
    contacts = [contact async for contact in runtime.db["contacts"].find({"identifiers": {"$exists": True}})]
    reader = await opened_reader(api)
    await reader.read_everything({contact["_id"]: contact["identifiers"][0] for contact in contacts})
    assert reader.faults == []
    return reader


async def bury(db: Db, name: str, now: object) -> int:
    """Let everything in this queue have died. Returns how many there are."""
    result = await db[name].update_many({}, {"$set": {"dead_at": now, "reason": "-", "tries": 1}})
    return result.modified_count


@pytest.mark.timeout(300)
async def test_whatever_people_and_providers_send_is_read_by_every_route(settings: Settings) -> None:
    async with opened_shop(settings) as shop:
        for file in PAYLOADS:
            await shop.deliver(file)
        await shop.settle()
        dead = [await bury(shop.runtime.db, name, shop.runtime.clock()) for name in ("inbox", "callbacks")]
        reader = await read_everything(shop.api, shop.runtime)
    assert all(count > 50 for count in dead)
    assert reader.answers["/api/v1/sessions/{key}/messages"] > 10
    assert reader.answers["/api/v1/messages/{key}"] > 10


async def send_all_contents(demo: ApiClient) -> list[str]:
    """Send each kind of content by each channel. Returns the ids of what was accepted."""
    channels = demo.environment.runtime.channels
    steps = [{"channel": channel, **content} for channel in channels for content in (*CONTENTS, *TEMPLATES)]
    messages = [{"destinations": [{"phone": PHONE}], "channels": [step], "useShortLinks": True} for step in steps]
    status, answer = await demo.post("/api/v1/messages", {"messages": messages})
    assert status == 202
    return [item["id"] for item in answer["messages"] if "id" in item]


async def test_whatever_callers_send_is_read_by_every_route(demo: ApiClient) -> None:
    runtime = demo.environment.runtime
    for channel in runtime.channels:
        await demo.say(channel, "/start")
    accepted = await send_all_contents(demo)
    assert len(accepted) > 40
    await create_job(demo, [PHONE])
    await demo.post("/api/v1/optOuts", {"phone": PHONE, "kind": "marketing"})
    await demo.post("/api/v1/templates", {"id": "x", "name": "X", "channels": [{"channel": "sms", "text": "Hi"}]})
    own = {"channel": "whatsapp", "name": "own", "language": "en", "category": "UTILITY", "body": "Hi"}
    await demo.post("/api/v1/messageTemplates", own)

    async def tried() -> bool:
        return await runtime.db["notifications"].count_documents({"attempts": {"$exists": True}}) > TRIED

    await until(tried)
    reader = await read_everything(demo, runtime)
    assert set(reader.answers) == reader.paths
    assert reader.answers["/api/v1/messages/{key}"] > 40
