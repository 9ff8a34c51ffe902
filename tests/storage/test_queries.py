"""Every query of the gateway is recorded while a story plays, and then explained by the database: none may scan."""

import asyncio
import io
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from itertools import starmap
from typing import Any

import pytest
from msgspec.structs import replace
from pymongo import monitoring

from gateway.domain.api.roles import Role
from gateway.messages.jobs import given, reader
from gateway.messages.jobs.contents import RowsFile
from gateway.messages.media import keeping
from gateway.messages.templates.syncing import EVERY
from gateway.runtime.runtime import Runtime
from storage import job_files, jobs, pending_files
from storage.documents.documents import Db
from storage.documents.queue import renew
from storage.pending_files import PendingFile, PendingFiles
from storage.templates import approved
from tests.support.client import PHONE, ApiClient, until
from tests.support.files import PICTURE, download, share
from tests.support.jobs import create_job, move, table, wait_for_job_state
from tests.support.workload import phones
from tests.webhooks.pages.places import PLACES
from tests.webhooks.pages.visitor import Visitor, add_user
from webhooks.pages.live.topics import TOPICS

WITHOUT_FILTER = {"insert", "getMore", "explain", "ping", "endSessions", "listIndexes", "createIndexes"}
"""Commands that find no documents by a filter."""

ROWS = 300

EXPECTED = {
    "addressees {_id: $in}",
    "addressees {job}",
    "audit {act, at: $gte, $lt}",
    "audit {at: $gte, $lt}",
    "audit {target, at: $gte, $lt}",
    "audit {who, at: $gte, $lt}",
    "batches {_id: $in}",
    "batches {job}",
    "batches {job, lane: $gt}",
    "batches {job, upload}",
    "batches {lane, due_at: $gt, $lte}",
    "headings {_id: $in}",
    "headings {_id}",
    "pending_files {_id: $in}",
    "pending_files {_id}",
    "pending_files {due_at: $gt, $lte}",
    "pending_files {lease: $in}",
    "pending_files {lease}",
    "pending_pieces {_id}",
    "pending_pieces {_id: $in}",
    "refused_rows {job, upload}",
    "own_templates {_id: $in}",
    "own_templates {listed_at: $gte, $lt}",
    "contacts {_id: $in}",
    "contacts {identifiers: $in}",
    "contacts {name_key: $gte, $lt}",
    "contacts {phone_tail: $gte, $lt}",
    "contacts {start_code: $in}",
    "template_syncs {_id}",
    "template_syncs {_id: $in}",
    "template_syncs {lease}",
    "own_template_versions {_id: $in}",
    "contents.chunks {files_id}",
    "contents.files {_id}",
    "files {_id}",
    "files {_id: $in}",
    "files {due_at: $gt, $lte}",
    "files {lease}",
    "files {until: $lte}",
    "holds {_id}",
    "holds {_id: $in}",
    "inbox {_id: $in}",
    "inbox {dead_at: $gte, $lt}",
    "inbox {due_at: $gt, $lte}",
    "inbox {lane: $in}",
    "inbox {lease}",
    "inbox {lease: $in}",
    "job_files {digest}",
    "job_files {job}",
    "job_files {job, upload}",
    "jobs {_id: $in}",
    "jobs {_id}",
    "jobs {created_at: $gte, $lt}",
    "jobs {live_from: $gt}",
    "keys {_id: $in}",
    "messages {_id: $in}",
    "messages {session, at: $gte, $lt}",
    "sessions {active_at: $gte, $lt}",
    "sessions {name_key: $gte, $lt}",
    "sessions {phone_tail: $gte, $lt}",
    "sessions {unseen_from: $gte, $lt}",
    "links {_id: $in}",
    "links {message: $in}",
    "callbacks {due_at: $gt, $lte}",
    "notifications {created_at: $gte, $lt}",
    "notifications {recipient.contact: $in}",
    "notifications {recipient.identifiers: $in}",
    "notifications {recipient.session: $in}",
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
    "rate_limits {_id: $in}",
    "requests {_id}",
    "sessions {_id: $in}",
    "sessions {contact: $in}",
    "templates {_id}",
    "templates {_id: $in}",
    "templates {created_at: $gte, $lt}",
    "templates {owner}",
    "traces {notification}",
    "workers {at: $gt}",
    "callbacks {dead_at: $gte, $lt}",
    "flows {_id: $in}",
    "keys {}",
    "links {at: $gte, $lt}",
    "logins {_id}",
    "notifications {_id}",
    "refused_rows {_id: $in}",
    "tallies {_id: $in}",
    "users {}",
}
"""The queries that the story has to cause, or it would prove too little. Batches of one look like batches of many."""


class QueryRecorder(monitoring.CommandListener):
    """Records the filters of one database's commands, one of each shape.

    `others` are the names of commands that might find documents, but that it does not know.
    """

    def __init__(self) -> None:
        self.database = ""
        self.queries: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self.others: set[str] = set()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.database_name != self.database:
            return
        match event.command_name:
            case "find":
                self._keep(event.command["find"], event.command["filter"])
            case "findAndModify":
                self._keep(event.command["findAndModify"], event.command["query"])
            case ("update" | "delete") as verb:
                for item in event.command[f"{verb}s"]:
                    self._keep(event.command[verb], item["q"])
            case other if other not in WITHOUT_FILTER:
                self.others.add(other)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...

    def _keep(self, collection: str, query: Mapping[str, Any]) -> None:
        """Keep a query, except for GridFS's look at any one file, by which it sees whether its bucket is new."""
        if (collection, query) == ("contents.files", {}):
            return
        self.queries.setdefault(f"{collection} {{{', '.join(starmap(_shape, query.items()))}}}", (collection, query))


def _shape(field: str, value: object) -> str:
    return f"{field}: {', '.join(sorted(value))}" if isinstance(value, dict) else field


RECORDER = QueryRecorder()
monitoring.register(RECORDER)

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
    await look_at_pages(demo)
    await converse(demo)
    await list_everything(demo)
    await send_many_and_cancel(demo)
    await hold_and_try_again(demo)
    await bury_and_replay(demo)
    await keep_templates(demo)
    await run_jobs(demo)
    await keep_files(demo)
    await run_periodic_tasks(demo.environment.runtime)


async def converse(demo: ApiClient) -> None:
    """Start chats, and send messages to a person by each of their names, along a cascade."""
    contact = (await demo.post("/api/v1/contacts", {"phone": PHONE, "externalId": "crm-17"}))[1]
    await demo.say("telegram", f"/start {contact['startCode']}")
    await demo.say("whatsapp", "/start")
    demo.environment.simulators["whatsapp"].faults.fail(131026)
    key = await demo.send(*CASCADE, externalId="crm-17")
    await demo.wait_for(key, "DELIVERED")
    await demo.wait_for(await demo.send({"channel": "telegram", "text": "Hi"}, contactId=contact["id"]), "SENT")
    message = {"destinations": [{"phone": PHONE}], "channels": [SMS]}
    for _ in range(2):
        await demo.post("/api/v1/messages", {"messages": [message]}, **{"Idempotency-Key": "k"})


async def list_everything(demo: ApiClient) -> None:
    """Read the lists of the API, and a chat log."""
    paths = (
        "messages",
        "messages?phone=%2B79000000001",
        "messages?externalId=crm-17",
        "shortLinks",
        "optOuts",
        "sessions",
        "audit",
        "audit?who=demo",
        "audit?act=optOut.add",
        "audit?target=phone:%2B79000000009",
        "sessions?unread=true",
        "sessions?q=ann",
        "sessions?q=0001",
    )
    await demo.post("/api/v1/optOuts", {"phone": "+79000000009"})
    for path in paths:
        async with demo.http.get(f"/api/v1/{path}") as response:
            assert response.status == 200
    async with demo.http.get("/api/v1/sessions") as response:
        (first, *_) = (await response.json())["sessions"]
    async with demo.http.get(f"/api/v1/sessions/{first['id']}/messages") as response:
        assert response.status == 200
    async with demo.http.get("/l/abcdefgh") as response:
        assert response.status == 404


async def send_many_and_cancel(demo: ApiClient) -> None:
    """Send one request's messages, which share trips to the database, and cancel them by group and by bulk."""
    many = {"destinations": phones(30), "channels": [*CASCADE], "groupId": "group"}
    answer = (await demo.post("/api/v1/messages", {"bulkId": "bulk", "messages": [many]}))[1]
    for name in ("groupId", "bulkId"):
        async with demo.http.delete("/api/v1/messages", json={name: name.removesuffix("Id")}) as response:
            assert len((await response.json())["messages"]) == len(answer["messages"]) == 30


async def hold_and_try_again(demo: ApiClient) -> None:
    """Let an account be held for a fault at the provider, and be released after a probe."""
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
    """List dead letters page by page, and replay them."""
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
    """Create, change, list, synchronise and delete own templates and the provider's."""
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


async def run_jobs(demo: ApiClient) -> None:
    """Run, retry, cancel, show and delete jobs, to a person who has written to us and to another."""
    keys = [await create_job(demo, [PHONE, "+79000000002"], kind="advertising", channels=CASCADE) for _ in range(2)]
    await move(demo, keys[0], "start")
    await wait_for_job_state(demo, keys[0], "done")
    await move(demo, keys[0], "retry")
    await wait_for_job_state(demo, keys[0], "done")
    await move(demo, keys[1], "forecast")
    await move(demo, keys[1], "cancel")
    rows, db = f"jobs/{keys[0]}/rows", demo.environment.runtime.db
    for path in ("jobs", rows, f"{rows}?state=failed", f"{rows}/export", f"messages?jobId={keys[0]}"):
        (await demo.http.get(f"/api/v1/{path}")).raise_for_status()
    (await demo.http.delete(f"/api/v1/jobs/{keys[1]}")).raise_for_status()
    await drop_a_file(demo)
    await job_files.same(db, "a digest")


async def drop_a_file(demo: ApiClient) -> None:
    """Take a file out of a draft, and keep another one whose columns do not fit."""
    key, runtime = await create_job(demo, [PHONE]), demo.environment.runtime
    (file,) = await job_files.of_job(runtime.db, key)
    (await demo.http.delete(f"/api/v1/jobs/{key}/files/{file.upload}")).raise_for_status()
    job = await jobs.get(runtime.db, key)
    assert job
    raw = table(["whom"], [PHONE], ["12"])
    job = await given.give(runtime, job, RowsFile("people.csv", io.BytesIO(raw), "a digest"))
    pending = await until(partial(refused_file, runtime, key))
    job = await given.match(runtime, job, pending, {"whom": "phone"})
    await until(partial(is_read, runtime, key))
    for item in await reader.take(runtime, 10, set, PendingFiles(runtime.db)):
        await item.back()
    await given.stop(runtime, job, pending)


async def refused_file(runtime: Runtime, key: str) -> PendingFile | None:
    """Return the file of a job once it was read, and its columns did not fit."""
    file = await pending_files.get(runtime.db, key)
    return file if file and file.due_at is None else None


async def is_read(runtime: Runtime, key: str) -> bool:
    """Tell whether no file of the job waits any more."""
    return await pending_files.get(runtime.db, key) is None


async def keep_files(demo: ApiClient) -> None:
    """Keep a person's file, send an uploaded one, and delete all of it."""
    runtime, settings = demo.environment.runtime, demo.environment.runtime.settings
    runtime.settings = replace(settings, media_kept=timedelta(days=1))
    shared = await share(demo, "telegram", PICTURE)
    for item in await keeping.take(runtime, 10, set, asyncio.Semaphore(1)):
        await item.work()
    assert (await download(demo, shared["fileId"]))[2] == PICTURE.body
    async with demo.http.post("/api/v1/media", data=PICTURE.body) as response:
        file = await response.json()
    await demo.wait_for(await demo.send({"channel": "whatsapp", "media": {"id": file["id"]}}), "READ")
    await keeping.sweep(runtime, runtime.clock() + timedelta(days=31))
    runtime.settings = settings


async def look_at_pages(demo: ApiClient) -> None:
    """Open every page with something on it, those with filters by one and by several; watch every topic."""
    await add_user(demo, "olga@shop.example", Role.ADMIN)
    async with Visitor.of(demo) as visitor:
        assert (await visitor.sign_in("olga@shop.example")).status == 200
        addresses = [await make(demo) for make in PLACES.values()]
        for address in (*addresses, *FILTERED):
            assert (await visitor.get(address)).status in {200, 404}, address
    for topic in TOPICS.values():
        keys = [address.rpartition("/")[2] for address in addresses if address.count("/") > 2] or [""]
        for key in {*keys, ""}:
            await topic.digest(demo.environment.runtime, key)


FILTERED = (
    *(f"/ui/overview?period={period}" for period in ("hour", "week", "month")),
    *("/ui/conversations?q=ann&state=open", "/ui/conversations?q=0001&channel=sms", "/ui/conversations?unread=true"),
    *("/ui/messages?phone=0001&status=DELIVERED&channel=sms", "/ui/messages?externalId=crm-17&from=2026-01-01"),
    *("/ui/dead?kind=events", "/ui/dead?kind=callbacks"),
    *("/ui/settings/audit?who=demo&act=job.start", "/ui/settings/audit?act=job.start&target=x"),
    "/ui/settings/audit?who=demo&act=job.start&target=x",
)
"""Pages with filters, one and several at a time."""


async def run_periodic_tasks(runtime: Runtime) -> None:
    """Do what a worker does when it starts, and when a third of a lease is over, which is too seldom to wait for."""
    await runtime.outbox.rehome(runtime.gate.all_lanes())
    for queue in ("inbox", "notifications", "files", "pending_files"):
        await renew(runtime.db[queue], ["nobody's"], runtime.clock())
    await approved.due(runtime.db, "whatsapp", "demo", runtime.clock(), EVERY)


async def fill(db: Db) -> None:
    """Add documents to every collection, since a planner may rightly scan a handful of them.

    Their numbers are those of GridFS's pieces, which are unique.
    """
    for collection in {collection for collection, _ in RECORDER.queries.values()}:
        await db[collection].insert_many([{"_id": f"filler-{row}", "n": row} for row in range(ROWS)])


def stages(plan: Any) -> set[str]:
    """Return the names of all stages of a query plan."""
    inner = [plan.get("inputStage"), *plan.get("inputStages", [])]
    return {plan["stage"]}.union(*[stages(stage) for stage in inner if stage])


async def scans(db: Db, collection: str, query: Mapping[str, Any]) -> bool:
    """Return whether the database reads the whole collection for this query."""
    find = {"find": collection, "filter": query}
    plan = await db[collection].database.command("explain", find, verbosity="queryPlanner")
    return "COLLSCAN" in stages(plan["queryPlanner"]["winningPlan"])


ANY_PIECE = "contents.chunks {}"
"""GridFS itself asks for any one piece before it makes its indexes."""


WHOLE = {"keys {}", "users {}"}
"""Collections of a few documents, which are read whole where somebody lists them."""


async def test_no_query_scans(demo: ApiClient) -> None:
    db = demo.environment.runtime.db
    RECORDER.database, RECORDER.queries, RECORDER.others = db.name, {}, set()
    await play(demo)
    RECORDER.database = ""
    await fill(db)
    scanning = [
        f"{shape} as in {query}"
        for shape, (name, query) in RECORDER.queries.items()
        if shape not in {ANY_PIECE, *WHOLE} and await scans(db, name, query)
    ]
    assert not scanning, "\n".join(["without an index:", *scanning])
    assert not RECORDER.others, "these commands cannot be explained here"
    assert set(RECORDER.queries) >= EXPECTED, f"not made: {sorted(EXPECTED - set(RECORDER.queries))}"


HOT = {
    "notifications": ("due_at", "lease", "lane", "person", "fifo", "fifo_since"),
    "inbox": ("due_at", "lease", "lane"),
}
"""Fields that are present only while somebody has to work on a document."""


@pytest.mark.parametrize("collection", HOT)
async def test_finished_work_leaves_the_hot_indexes(demo: ApiClient, collection: str) -> None:
    """It holds however a message ended: read, refused, cancelled or expired."""
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
        documents = runtime.db[collection].find()
        return not [document async for document in documents if "done_at" not in document]

    await until(all_done)
    documents = [document async for document in runtime.db[collection].find()]
    assert len(documents) >= 2
    assert [(document["_id"], field) for document in documents for field in HOT[collection] if field in document] == []
