"""Every query that the gateway makes is listened to while the story plays, and then explained: none may scan."""

from collections.abc import Mapping
from typing import Any

import pytest
from pymongo import monitoring

from storage.database import Db
from tests.player import PHONE, Player, until

SMALL = {"keys"}
"""Collections that are listed whole, by a person, and stay small."""

ROWS = 300


class Ear(monitoring.CommandListener):
    """Keeps the filters of the commands that look for documents, one of each shape."""

    def __init__(self) -> None:
        self.database = ""
        self.heard: dict[tuple[str, str], tuple[str, Mapping[str, Any]]] = {}

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.database_name != self.database:
            return
        name = event.command_name
        if name == "find":
            self._keep(event.command["find"], event.command["filter"])
        for verb, items in (("update", "updates"), ("delete", "deletes")):
            for item in event.command.get(items, []) if name == verb else []:
                self._keep(event.command[verb], item["q"])

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...

    def _keep(self, collection: str, query: Mapping[str, Any]) -> None:
        shape = str({key: sorted(value) if isinstance(value, dict) else "=" for key, value in query.items()})
        self.heard[collection, shape] = (collection, query)


EAR = Ear()
monitoring.register(EAR)


async def play(town: Player) -> None:
    contact = (await town.post("/api/v1/contacts", {"phone": PHONE, "externalId": "crm-17"}))[1]
    await town.say("telegram", f"/start {contact['startCode']}")
    await town.say("whatsapp", "/start")
    text, template = (
        {"text": "Hi"},
        {"name": "order_update", "language": "en", "variables": {"name": "a", "order": "b"}},
    )
    cascade: list[dict[str, Any]] = [{"channel": "whatsapp", **text, "template": template}, {"channel": "sms", **text}]
    town.town.simulators["whatsapp"].faults.fail(131026)
    await town.ended(await town.send(*cascade, externalId="crm-17"), "DELIVERED")
    await town.ended(await town.send({"channel": "telegram", **text}, contactId=contact["id"]), "SENT")
    town.town.simulators["sms"].faults.fail(21614)
    dead = await town.send({"channel": "sms", **text})
    await town.ended(dead, "UNDELIVERED")
    for kind in ("messages", "events"):
        (await town.http.get(f"/api/v1/deadLetters?kind={kind}&limit=1")).raise_for_status()
        await town.post("/api/v1/deadLetters/replay", {"kind": kind, "ids": [dead]})
    message = {"destinations": [{"phone": PHONE}], "channels": [{"channel": "sms", **text}]}
    for _ in range(2):
        await town.post("/api/v1/messages", {"messages": [message]}, **{"Idempotency-Key": "k"})


async def fill(db: Db) -> None:
    """A planner may rightly scan a handful of documents."""
    for collection in {collection for collection, _ in EAR.heard.values()}:
        await db[collection].insert_many([{"_id": f"filler-{row}"} for row in range(ROWS)])


def stages(plan: Any) -> set[str]:
    inner = [plan.get("inputStage"), *plan.get("inputStages", [])]
    return {plan["stage"]}.union(*[stages(stage) for stage in inner if stage])


async def test_no_query_scans(town: Player) -> None:
    db = town.town.runtime.db
    EAR.database, EAR.heard = db.name, {}
    await play(town)
    EAR.database = ""
    await fill(db)
    scans = []
    for collection, query in EAR.heard.values():
        asked = {"find": collection, "filter": query}
        plan = await db[collection].database.command("explain", asked, verbosity="queryPlanner")
        if "COLLSCAN" in stages(plan["queryPlanner"]["winningPlan"]):
            scans.append((collection, query))
    assert not [scan for scan in scans if scan[0] not in SMALL]
    heard = {collection for collection, _ in EAR.heard.values()}
    assert heard >= {"inbox", "notifications", "sessions", "contacts", "messages", "templates", "holds", "requests"}


HOT = {
    "notifications": ("due_at", "lease", "lane", "person", "line", "in_line_from"),
    "inbox": ("due_at", "lease", "lane"),
}
"""What is there only while somebody has to look at it."""


@pytest.mark.parametrize("collection", HOT)
async def test_finished_work_leaves_the_hot_indexes(town: Player, collection: str) -> None:
    """However it ended: read, refused, cancelled or over."""
    runtime, sms = town.town.runtime, {"channel": "sms", "text": "Hi"}
    await town.say("whatsapp", "/start")
    await town.ended(await town.send({"channel": "whatsapp", "text": "Hi"}), "READ")
    town.town.simulators["sms"].faults.fail(21614)
    await town.ended(await town.send(sms), "UNDELIVERED")
    town.town.simulators["sms"].faults.fail(20003)
    held = await town.send(sms)
    await town.attempted(held, "sms", "PENDING", cause="misconfigured")
    async with town.http.delete("/api/v1/messages", json={"id": await town.send(sms)}) as response:
        assert response.status == 200
    hot = await runtime.db[collection].find_one({"lane": {"$exists": True}}) if collection == "notifications" else None
    assert hot is not None or collection == "inbox"
    town.pass_time(hours=25)
    await town.ended(held, "EXPIRED")
    await town.town.simulators["whatsapp"].quiet()

    async def all_done() -> bool:
        return not [found async for found in runtime.db[collection].find() if "done_at" not in found]

    await until(all_done)
    documents = [document async for document in runtime.db[collection].find()]
    assert len(documents) >= 2
    assert [(document["_id"], field) for document in documents for field in HOT[collection] if field in document] == []
