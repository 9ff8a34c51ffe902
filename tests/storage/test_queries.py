"""Every query that the gateway makes is listened to while the story plays, and then explained: none may scan."""

from collections.abc import Mapping
from itertools import starmap
from typing import Any

import pytest
from pymongo import monitoring

from gateway.messages.templates.syncing import EVERY
from gateway.runtime.runtime import Runtime
from storage.documents.queue import renew
from storage.engine.database import Db
from storage.templates import approved
from tests.support.client import PHONE, ApiClient, until
from tests.support.jobs import create_job, move, wait_for_job_state
from tests.support.workload import phones

NOT_LOOKING = {"insert", "getMore", "explain", "ping", "endSessions"}
"""Commands that look for no documents."""

ROWS = 300

HEARD = {
    "addressees {_id: $in}",
    "addressees {job}",
    "batches {_id: $in}",
    "batches {job}",
    "batches {job, lane: $gt}",
    "batches {lane, due_at: $gt, $lte}",
    "catalogue {_id: $in}",
    "catalogue {listed_at: $gte, $lt}",
    "contacts {_id: $in}",
    "contacts {external_id: $in}",
    "contacts {phone: $in}",
    "contacts {start_code: $in}",
    "desks {_id}",
    "desks {_id: $in}",
    "desks {lease}",
    "editions {_id: $in}",
    "holds {_id}",
    "holds {_id: $in}",
    "inbox {_id: $in}",
    "inbox {dead_at: $gte, $lt}",
    "inbox {due_at: $gt, $lte}",
    "inbox {lane: $in}",
    "inbox {lease}",
    "inbox {lease: $in}",
    "jobs {_id: $in}",
    "jobs {_id}",
    "jobs {created_at: $gte, $lt}",
    "jobs {live_from: $gt}",
    "keys {_id: $in}",
    "messages {_id: $in}",
    "messages {session, at: $gte, $lt}",
    "sessions {active_at: $gte, $lt}",
    "links {_id: $in}",
    "links {message: $in}",
    "callbacks {due_at: $gt, $lte}",
    "notifications {created_at: $gte, $lt}",
    "notifications {recipient.phone}",
    "notifications {recipient.external_id}",
    "notifications {untold: $gt}",
    "optouts {_id: $in}",
    "optouts {at: $gte, $lt}",
    "notifications {_id: $in}",
    "notifications {bulk_id}",
    "notifications {dead_at}",
    "notifications {dead_at: $gte, $lt}",
    "notifications {group_id}",
    "notifications {job_id, job_at: $gte, $lt}",
    "notifications {lane, due_at: $gt, $lte}",
    "notifications {lane: $gt}",
    "notifications {lease}",
    "notifications {lease: $in}",
    "notifications {person: $in}",
    "paces {_id: $in}",
    "requests {_id}",
    "sessions {_id: $in}",
    "sessions {contact: $in}",
    "templates {_id}",
    "templates {_id: $in}",
    "templates {created_at: $gte, $lt}",
    "templates {owner}",
    "traces {notification}",
    "workers {at: $gt}",
}
"""What the story has to make the gateway ask, or it proves too little. Batches of one look like batches of many."""


class Ear(monitoring.CommandListener):
    """Keeps the filters of the commands that look for documents, one of each shape, and the `others` that may look."""

    def __init__(self) -> None:
        self.database = ""
        self.heard: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self.others: set[str] = set()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.database_name != self.database:
            return
        match event.command_name:
            case "find":
                self._keep(event.command["find"], event.command["filter"])
            case ("update" | "delete") as verb:
                for item in event.command[f"{verb}s"]:
                    self._keep(event.command[verb], item["q"])
            case other if other not in NOT_LOOKING:
                self.others.add(other)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...

    def _keep(self, collection: str, query: Mapping[str, Any]) -> None:
        self.heard.setdefault(f"{collection} {{{', '.join(starmap(_shape, query.items()))}}}", (collection, query))


def _shape(field: str, value: object) -> str:
    return f"{field}: {', '.join(sorted(value))}" if isinstance(value, dict) else field


EAR = Ear()
monitoring.register(EAR)

SMS = {"channel": "sms", "text": "Hi"}
CASCADE: list[dict[str, Any]] = [
    {
        "channel": "whatsapp",
        "text": "Hi",
        "template": {"name": "order_update", "language": "en", "variables": {"name": "a", "order": "b"}},
    },
    SMS,
]


async def play(demo: ApiClient) -> None:
    await talk(demo)
    await look_around(demo)
    await send_many_and_cancel(demo)
    await hold_and_try_again(demo)
    await bury_and_replay(demo)
    await keep_templates(demo)
    await mail(demo)
    await what_the_clock_does(demo.environment.runtime)


async def talk(demo: ApiClient) -> None:
    """People begin, are found under each of their names, and are told something along a cascade."""
    contact = (await demo.post("/api/v1/contacts", {"phone": PHONE, "externalId": "crm-17"}))[1]
    await demo.say("telegram", f"/start {contact['startCode']}")
    await demo.say("whatsapp", "/start")
    demo.environment.simulators["whatsapp"].faults.fail(131026)
    told = await demo.send(*CASCADE, externalId="crm-17")
    await demo.wait_for(told, "DELIVERED")
    await demo.wait_for(await demo.send({"channel": "telegram", "text": "Hi"}, contactId=contact["id"]), "SENT")
    message = {"destinations": [{"phone": PHONE}], "channels": [SMS]}
    for _ in range(2):
        await demo.post("/api/v1/messages", {"messages": [message]}, **{"Idempotency-Key": "k"})


async def look_around(demo: ApiClient) -> None:
    """What operators and callers look for."""
    asked = (
        "messages",
        "messages?phone=%2B79000000001",
        "messages?externalId=crm-17",
        "shortLinks",
        "optOuts",
        "sessions",
    )
    await demo.post("/api/v1/optOuts", {"phone": "+79000000009"})
    for path in asked:
        async with demo.http.get(f"/api/v1/{path}") as response:
            assert response.status == 200
    async with demo.http.get("/api/v1/sessions") as response:
        (first, *_) = (await response.json())["sessions"]
    async with demo.http.get(f"/api/v1/sessions/{first['id']}/messages") as response:
        assert response.status == 200
    async with demo.http.get("/l/abcdefgh") as response:
        assert response.status == 404


async def send_many_and_cancel(demo: ApiClient) -> None:
    """Those of one request share trips to the database; a request is cancelled as a whole."""
    many = {"destinations": phones(30), "channels": [*CASCADE], "groupId": "group"}
    answer = (await demo.post("/api/v1/messages", {"bulkId": "bulk", "messages": [many]}))[1]
    for name in ("groupId", "bulkId"):
        async with demo.http.delete("/api/v1/messages", json={name: name.removesuffix("Id")}) as response:
            assert len((await response.json())["messages"]) == len(answer["messages"]) == 30


async def hold_and_try_again(demo: ApiClient) -> None:
    """An account is held by a mistake at the provider, is tried again, and is well."""
    demo.environment.simulators["sms"].faults.fail(20003)
    held = await demo.send(SMS)

    async def is_held() -> bool:
        accounts = (await (await demo.http.get("/api/v1/accounts")).json())["accounts"]
        return any(account["state"] == "held" for account in accounts)

    await until(is_held)
    (await demo.http.get("/readyz")).raise_for_status()
    demo.pass_time(hours=0.1)
    await demo.wait_for(held, "DELIVERED")


async def bury_and_replay(demo: ApiClient) -> None:
    """Dead letters are looked at, page by page, and sent anew."""
    for _ in range(2):
        demo.environment.simulators["sms"].faults.fail(21614)
        await demo.wait_for(await demo.send(SMS), "UNDELIVERED")
    for kind in ("messages", "events"):
        letters = f"/api/v1/deadLetters?kind={kind}&limit=1"
        page = await (await demo.http.get(letters)).json()
        if page["cursor"]:
            (await demo.http.get(f"{letters}&cursor={page['cursor']}")).raise_for_status()
        await demo.post("/api/v1/deadLetters/replay", {"kind": kind, "ids": ["nothing"]})
        await demo.post("/api/v1/deadLetters/replay", {"kind": kind, "all": True})


async def keep_templates(demo: ApiClient) -> None:
    """Own templates and the provider's are made, changed, listed, compared with the provider's list, and deleted."""
    own, key = {"name": "X", "channels": [SMS]}, "whatsapp:demo:hello:en"
    await demo.post("/api/v1/templates", {"id": "x", **own})
    draft = {"channel": "whatsapp", "name": "hello", "language": "en", "category": "UTILITY", "body": "Hi"}
    await demo.post("/api/v1/messageTemplates", draft)
    await demo.post(f"/api/v1/messageTemplates/{key}/submit", {})
    await demo.post("/api/v1/messageTemplates/sync", {"channel": "whatsapp"})
    async with demo.http.put("/api/v1/templates/x", json={**own, "version": 1}) as response:
        response.raise_for_status()
    for path in ("templates?limit=1", "templates/x/versions", "templates/x?version=1", "messageTemplates?limit=1"):
        (await demo.http.get(f"/api/v1/{path}")).raise_for_status()
    for path in ("templates/x", f"messageTemplates/{key}"):
        (await demo.http.delete(f"/api/v1/{path}")).raise_for_status()


async def mail(demo: ApiClient) -> None:
    """Jobs to people who have written to us and to others: done and tried again; cancelled; looked at; deleted."""
    jobs = [await create_job(demo, [PHONE, "+79000000002"], kind="advertising", channels=CASCADE) for _ in range(2)]
    await move(demo, jobs[0], "start")
    await wait_for_job_state(demo, jobs[0], "done")
    await move(demo, jobs[0], "retry")
    await wait_for_job_state(demo, jobs[0], "done")
    await move(demo, jobs[1], "cancel")
    for path in ("jobs", f"jobs/{jobs[0]}/rows", f"messages?jobId={jobs[0]}"):
        (await demo.http.get(f"/api/v1/{path}")).raise_for_status()
    (await demo.http.delete(f"/api/v1/jobs/{jobs[1]}")).raise_for_status()


async def what_the_clock_does(runtime: Runtime) -> None:
    """A worker does this when it starts, and when a third of a lease is over: too seldom to wait for it."""
    await runtime.outbox.rehome(runtime.gate.all_lanes())
    for queue in ("inbox", "notifications"):
        await renew(runtime.db[queue], ["nobody's"], runtime.clock())
    await approved.due(runtime.db, "whatsapp", "demo", runtime.clock(), EVERY)


async def fill(db: Db) -> None:
    """A planner may rightly scan a handful of documents."""
    for collection in {collection for collection, _ in EAR.heard.values()}:
        await db[collection].insert_many([{"_id": f"filler-{row}"} for row in range(ROWS)])


def stages(plan: Any) -> set[str]:
    inner = [plan.get("inputStage"), *plan.get("inputStages", [])]
    return {plan["stage"]}.union(*[stages(stage) for stage in inner if stage])


async def scans(db: Db, collection: str, query: Mapping[str, Any]) -> bool:
    asked = {"find": collection, "filter": query}
    plan = await db[collection].database.command("explain", asked, verbosity="queryPlanner")
    return "COLLSCAN" in stages(plan["queryPlanner"]["winningPlan"])


async def test_no_query_scans(demo: ApiClient) -> None:
    db = demo.environment.runtime.db
    EAR.database, EAR.heard, EAR.others = db.name, {}, set()
    await play(demo)
    EAR.database = ""
    await fill(db)
    scanning = [f"{shape} as in {query}" for shape, (name, query) in EAR.heard.items() if await scans(db, name, query)]
    assert not scanning, "\n".join(["without an index:", *scanning])
    assert not EAR.others, "these commands cannot be explained here"
    assert set(EAR.heard) >= HEARD, f"not heard: {sorted(HEARD - set(EAR.heard))}"


HOT = {
    "notifications": ("due_at", "lease", "lane", "person", "line", "in_line_from"),
    "inbox": ("due_at", "lease", "lane"),
}
"""What is there only while somebody has to look at it."""


@pytest.mark.parametrize("collection", HOT)
async def test_finished_work_leaves_the_hot_indexes(demo: ApiClient, collection: str) -> None:
    """However it ended: read, refused, cancelled or over."""
    runtime, sms = demo.environment.runtime, {"channel": "sms", "text": "Hi"}
    await demo.say("whatsapp", "/start")
    await demo.wait_for(await demo.send({"channel": "whatsapp", "text": "Hi"}), "READ")
    demo.environment.simulators["sms"].faults.fail(21614)
    await demo.wait_for(await demo.send(sms), "UNDELIVERED")
    demo.environment.simulators["sms"].faults.fail(20003)
    held = await demo.send(sms)
    await demo.wait_for_attempt(held, "sms", "PENDING", cause="misconfigured")
    async with demo.http.delete("/api/v1/messages", json={"id": await demo.send(sms)}) as response:
        assert response.status == 200
    hot = await runtime.db[collection].find_one({"lane": {"$exists": True}}) if collection == "notifications" else None
    assert hot is not None or collection == "inbox"
    demo.pass_time(hours=25)
    await demo.wait_for(held, "EXPIRED")
    await demo.environment.simulators["whatsapp"].quiet()

    async def all_done() -> bool:
        return not [found async for found in runtime.db[collection].find() if "done_at" not in found]

    await until(all_done)
    documents = [document async for document in runtime.db[collection].find()]
    assert len(documents) >= 2
    assert [(document["_id"], field) for document in documents for field in HOT[collection] if field in document] == []
