"""Tests jobs: each row of a file becomes one message, and jobs are started, paused, cancelled and retried."""

import asyncio
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bots.simulation.simulation import Simulator
from gateway.domain.model.job import Job, waiting_lane
from gateway.runtime.settings.settings import Settings
from gateway.runtime.settings.tuning import Tuning
from storage import jobs
from storage.documents.documents import Db
from tests.support.client import PATIENCE, PHONE, ApiClient, Caller, opened_caller, until
from tests.support.http.callback_receiver import CallbackReceiver, opened_callback_receiver
from tests.support.jobs import (
    create_draft,
    create_job,
    move,
    progress,
    row_results,
    table,
    upload,
    wait_for_counts,
    wait_for_job_state,
)
from tests.support.processes.cli import opened_cli
from tests.support.processes.processes import Web, Worker
from tests.support.workload import (
    accepted_messages,
    advance_clock,
    another_worker,
    decisions_text,
    open_conversations,
    phone,
    send_all,
    texts,
    whatsapp,
)

SMS = {"channel": "sms", "text": "Hi {{name}}"}
PLAIN = {"channel": "sms", "text": "Hi"}
NO_MOBILE = 21614


@pytest.fixture
def small(demo: ApiClient) -> None:
    """Reduce batches to ten rows."""
    runtime = demo.environment.runtime
    runtime.settings = replace(runtime.settings, tuning=Tuning(batch_rows=10))


def people(count: int, first: int = 100) -> list[str]:
    return [phone(first + number) for number in range(count)]


async def test_rows_become_messages_with_their_values(demo: ApiClient) -> None:
    key = (await create_draft(demo, channels=[SMS]))["id"]
    lines = [["телефон", "name"], [PHONE, "Anna"], ["12", "Boris"], [phone(7), "Vera"]]
    status, response = await upload(demo, key, table(*lines, separator=";"))
    assert (status, response["accepted"], response["refused"], response["total"]) == (200, 2, 1, 2)
    assert response["faults"] == [{"row": 3, "column": "телефон", "message": "this is not a phone number"}]
    await move(demo, key, "start")
    job = await wait_for_counts(demo, key, DELIVERED=2)
    assert sorted(texts(demo, "sms")) == ["Hi Anna", "Hi Vera"]
    assert (job["processed"], job["refused"]) == (2, 1)
    assert [(row["row"], row["phone"], row["status"]) for row in await row_results(demo, key)] == [
        (2, PHONE, "DELIVERED"),
        (4, phone(7), "DELIVERED"),
    ]


async def test_its_messages_are_found_by_its_id(demo: ApiClient) -> None:
    key = await create_job(demo, people(3))
    await send_all(demo, [{"phone": PHONE}], PLAIN)
    await move(demo, key, "start")
    await wait_for_job_state(demo, key, "done")
    async with demo.http.get("/api/v1/messages", params={"jobId": key}) as response:
        rows = (await response.json())["messages"]
    assert sorted(row["phone"] for row in rows) == people(3)
    assert {row["jobId"] for row in rows} == {key}
    assert (await demo.story(rows[0]["id"]))["jobId"] == key


@pytest.mark.usefixtures("small")
async def test_many_batches_and_two_workers(demo: ApiClient) -> None:
    key = await create_job(demo, people(130))
    async with another_worker(demo):
        await move(demo, key, "start")
        await wait_for_counts(demo, key, DELIVERED=130)
    assert sorted(line.user for line in accepted_messages(demo, "sms")) == people(130)
    assert len(await row_results(demo, key)) == 130


async def test_the_same_file_again_changes_nothing(demo: ApiClient) -> None:
    key, raw = (await create_draft(demo))["id"], table(["phone"], *([number] for number in people(3)))
    responses = await asyncio.gather(*(upload(demo, key, raw) for _ in range(4)))
    assert [(status, answer["total"]) for status, answer in responses] == [(200, 3)] * 4
    assert (await upload(demo, key, table(["phone"], [PHONE])))[1]["total"] == 4
    await move(demo, key, "start")
    await wait_for_job_state(demo, key, "done")
    assert sorted(line.user for line in accepted_messages(demo, "sms")) == sorted([PHONE, *people(3)])


async def test_files_at_the_same_time_are_all_kept(demo: ApiClient) -> None:
    key = (await create_draft(demo))["id"]
    await asyncio.gather(*(upload(demo, key, table(["phone"], [number])) for number in people(6)))
    assert (await progress(demo, key))["total"] == 6
    await move(demo, key, "start")
    await wait_for_counts(demo, key, DELIVERED=6)


async def test_what_an_upload_left_that_broke_off_is_never_sent(demo: ApiClient) -> None:
    """The upload's batches are stored before the job refers to them."""
    key, db = await create_job(demo, people(2)), demo.environment.runtime.db
    (batch,) = await jobs.batches(db, (await stored_job(db, key)).batches)
    await db["batches"].insert_one(
        {**(await stored_batch(db, batch.id)), "_id": f"{key}:elsewhere:0", "upload": "elsewhere"}
    )
    await move(demo, key, "start")
    await wait_for_counts(demo, key, DELIVERED=2)
    assert len(accepted_messages(demo, "sms")) == 2


async def stored_job(db: Db, key: str) -> Job:
    job = await jobs.get(db, key)
    assert job
    return job


async def stored_batch(db: Db, key: str) -> dict[str, Any]:
    batch = await db["batches"].find_one({"_id": key})
    assert batch
    return batch


@pytest.mark.usefixtures("small")
async def test_paused_and_resumed(demo: ApiClient) -> None:
    key = await create_job(demo, people(60))
    await move(demo, key, "start")
    await until(lambda: has_sent(demo))
    assert (await move(demo, key, "pause"))["state"] == "paused"
    await wait_until_idle(demo)
    before = len(accepted_messages(demo, "sms"))
    assert before < 60
    advance_clock(demo, minutes=10)
    await wait_until_idle(demo)
    assert len(accepted_messages(demo, "sms")) == before
    await move(demo, key, "resume")
    await wait_for_job_state(demo, key, "done")
    assert sorted(line.user for line in accepted_messages(demo, "sms")) == people(60)


@pytest.mark.usefixtures("small")
async def test_how_far_it_is(demo: ApiClient) -> None:
    """Rows that wait for their hour count as processed."""
    key = await create_job(demo, people(100), allowedTimeRanges=[hour_from_now(demo)], timezone="UTC")
    draft_of = await progress(demo, key)
    assert (draft_of["processed"], draft_of["rate"], draft_of["endsAt"]) == (0, None, None)
    await move(demo, key, "start")
    part = await until(lambda: partly_processed(demo, key))
    assert part["rate"] > 0
    assert part["endsAt"] > part["startedAt"]
    whole = await until(lambda: partly_processed(demo, key, 100))
    assert whole["byStatus"] == {"DELAYED": 100}
    assert whole["state"] == "running"


async def partly_processed(demo: ApiClient, key: str, count: int = 10) -> Any:
    job = await progress(demo, key)
    return job if job["processed"] >= count else None


async def has_sent(demo: ApiClient) -> bool:
    return len(accepted_messages(demo, "sms")) > 0


async def wait_until_idle(demo: ApiClient) -> None:
    """Wait until nothing is due or under way, in the eyes of loops that have begun since."""
    beats = demo.environment.runtime.heartbeats
    for queue in ("batches", "notifications") * 2:
        before = beats[queue]
        await until(partial(has_beaten, demo, queue, before))
    await until(lambda: has_nothing_to_do(demo))


async def has_beaten(demo: ApiClient, queue: str, since: float) -> bool:
    return demo.environment.runtime.heartbeats[queue] > since


async def has_nothing_to_do(demo: ApiClient) -> bool:
    """Return whether no batch and no message is under way, and no message is due."""
    db, leased = demo.environment.runtime.db, {"lease": {"$exists": True}}
    due = {"due_at": {"$lte": demo.environment.runtime.clock()}}
    found = [await db["batches"].find_one(leased), await db["notifications"].find_one({"$or": [leased, due]})]
    return not any(found)


async def test_cancelled(demo: ApiClient) -> None:
    """Messages that wait for their hour never leave, and rows that were not submitted lead to none."""
    night = {"allowedTimeRanges": [hour_from_now(demo)], "timezone": "UTC"}
    key = await create_job(demo, people(300), **night)
    await move(demo, key, "start")
    await until(lambda: has_delayed_row(demo, key))
    await move(demo, key, "cancel")
    job = await until(lambda: ended_job(demo, key))
    assert set(job["byStatus"]) == {"CANCELLED"}
    advance_clock(demo, hours=30)
    await wait_until_idle(demo)
    assert accepted_messages(demo, "sms") == []


async def test_cancelled_after_a_crash_in_the_midst_of_handing_over(demo: ApiClient) -> None:
    """The messages are stored before the batch refers to them."""
    key = await create_job(demo, people(5), allowedTimeRanges=[hour_from_now(demo)], timezone="UTC")
    await move(demo, key, "start")
    await until(lambda: has_delayed_row(demo, key))
    db, now = demo.environment.runtime.db, demo.environment.runtime.clock()
    crashed_batch = {
        "$set": {"lane": waiting_lane(key), "due_at": now + timedelta(minutes=5)},
        "$unset": {"ids": "", "lease": ""},
    }
    await db["batches"].update_many({"job": key}, crashed_batch)
    await move(demo, key, "cancel")
    advance_clock(demo, minutes=6)
    job = await until(lambda: ended_job(demo, key))
    assert job["byStatus"] == {"CANCELLED": 5}


def hour_from_now(demo: ApiClient) -> list[str]:
    first = demo.environment.runtime.clock() + timedelta(hours=2)
    return [f"{first:%H:%M}", f"{first + timedelta(hours=1):%H:%M}"]


async def has_delayed_row(demo: ApiClient, key: str) -> bool:
    return any(row["status"] == "DELAYED" for row in await row_results(demo, key))


async def ended_job(demo: Caller, key: str) -> Any:
    job = await progress(demo, key)
    return job if job["endedAt"] else None


async def test_only_what_failed_is_tried_again(demo: ApiClient) -> None:
    demo.environment.simulators["sms"].faults.fail(NO_MOBILE, times=2)
    key = await create_job(demo, people(5))
    await move(demo, key, "start")
    await wait_for_counts(demo, key, DELIVERED=3, UNDELIVERED=2)
    failed_phones = {row["phone"] for row in await row_results(demo, key) if row["status"] == "UNDELIVERED"}
    before = len(accepted_messages(demo, "sms"))
    await move(demo, key, "retry")
    await wait_for_counts(demo, key, DELIVERED=5)
    assert {line.user for line in accepted_messages(demo, "sms")[before:]} == failed_phones


async def test_advertising_is_for_those_who_wrote_and_one_for_each(demo: ApiClient) -> None:
    contact = (await demo.post("/api/v1/contacts", {"phone": PHONE, "externalId": "crm-1"}))[1]
    await demo.say("telegram", f"/start {contact['startCode']}")
    channels = [{"channel": "telegram", "text": "Sale!"}, PLAIN]
    key = (await create_draft(demo, kind="advertising", channels=channels))["id"]
    people = [PHONE, "", ""], [phone(9), "", ""], ["", "crm-1", ""], [PHONE, "", "again"]
    rows = table(["phone", "externalId", "note"], *people)
    assert (await upload(demo, key, rows))[1]["accepted"] == 4
    await move(demo, key, "start")
    job = await wait_for_job_state(demo, key, "done")
    assert (job["processed"], job["refused"]) == (4, 3)
    assert [row["fault"] for row in await row_results(demo, key)] == [
        None,
        "the person has not written to us",
        *["another row names the same person"] * 2,
    ]
    assert [bubble.text for bubble in demo.answers("telegram")].count("Sale!") == 1
    assert accepted_messages(demo, "sms") == []


async def test_advertising_leaves_out_who_has_opted_out(demo: ApiClient) -> None:
    await demo.say("whatsapp", "/start")
    await demo.post("/api/v1/optOuts", {"phone": PHONE})
    key = await create_job(demo, [PHONE], kind="advertising", channels=[{"channel": "whatsapp", "text": "Sale!"}])
    await move(demo, key, "start")
    job = await wait_for_job_state(demo, key, "done")
    assert job["byStatus"] == {"UNDELIVERED": 1}
    (row,) = await row_results(demo, key)
    assert "opted out of marketing" in decisions_text(await demo.story(row["messageId"]))


async def test_by_an_approved_template(demo: ApiClient) -> None:
    step = {"channel": "whatsapp", "template": {"name": "order_update", "language": "en", "variables": NAMED}}
    key = (await create_draft(demo, kind="whatsapp", channels=[step]))["id"]
    await upload(demo, key, table(["phone", "name", "order"], [PHONE, "Anna", "17"]))
    await move(demo, key, "start")
    await wait_for_job_state(demo, key, "done")
    assert len(whatsapp(demo).accepted) == 1


NAMED = {"name": "{{name}}", "order": "{{order}}"}


async def test_single_messages_go_first(demo: ApiClient) -> None:
    """A job's messages have the lowest priority, however few they are."""
    key = await create_job(demo, [PHONE])
    await move(demo, key, "start")
    await wait_for_job_state(demo, key, "done")
    (row,) = await row_results(demo, key)
    assert (await demo.story(row["messageId"]))["priority"] == "bulk"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"kind": "sms", "channels": [{"channel": "telegram", "text": "a"}]}, "channels"),
        ({"kind": "sessions"}, "channels"),
        ({"kind": "whatsapp", "channels": [{"channel": "whatsapp", "text": "a"}]}, "channels"),
        ({"kind": "party"}, "kind"),
        ({"channels": []}, "channels"),
        ({"channels": [{"channel": "pigeon", "text": "a"}]}, "channels[0].channel"),
        ({"channels": [{"channel": "sms", "text": "{{"}]}, "channels[0].text"),
        ({"templateId": "none"}, "templateId"),
        ({"allowedTimeRanges": [["25:00", "26:00"]]}, "allowedTimeRanges"),
        ({"timezone": "Mars"}, "timezone"),
        ({"callbackUrl": "ftp://shop.ru/"}, "callbackUrl"),
        ({"priority": "urgent"}, "priority"),
    ],
)
async def test_what_is_no_job(demo: ApiClient, fields: dict[str, Any], field: str) -> None:
    body = {"name": "x", "channels": [PLAIN], **fields}
    status, response = await demo.post("/api/v1/jobs", body)
    assert (status, response["details"]["field"]) == (400, field)


async def test_a_template_counts_as_it_was_when_the_job_was_made(demo: ApiClient) -> None:
    await demo.post("/api/v1/templates", {"id": "t", "name": "T", "channels": [{"channel": "sms", "text": "Old"}]})
    key = await create_job(demo, [PHONE], templateId="t", channels=[])
    async with demo.http.delete("/api/v1/templates/t") as response:
        assert response.status == 200
    await move(demo, key, "start")
    await wait_for_job_state(demo, key, "done")
    assert texts(demo, "sms") == ["Old"]


async def test_each_move_has_its_time(demo: ApiClient) -> None:
    empty = (await create_draft(demo))["id"]
    assert (await demo.post(f"/api/v1/jobs/{empty}/start", {}))[0] == 409
    key = await create_job(demo, [PHONE])
    for verb in ("pause", "resume", "retry"):
        assert (await demo.post(f"/api/v1/jobs/{key}/{verb}", {}))[0] == 409, verb
    await move(demo, key, "start")
    assert (await upload(demo, key, table(["phone"], [phone(8)])))[0] == 409
    await wait_for_job_state(demo, key, "done")
    for verb in ("start", "pause", "resume", "cancel"):
        assert (await demo.post(f"/api/v1/jobs/{key}/{verb}", {}))[0] == 409, verb
    for verb in ("start", "rows"):
        assert (await demo.post(f"/api/v1/jobs/none/{verb}", {}))[0] == 404


async def test_listed_and_deleted_while_its_messages_stay(demo: ApiClient) -> None:
    keys = [await create_job(demo, [PHONE]), (await create_draft(demo))["id"]]
    await move(demo, keys[0], "start")
    await wait_for_job_state(demo, keys[0], "done")
    (row,) = await row_results(demo, keys[0])
    async with demo.http.get("/api/v1/jobs") as response:
        assert [job["id"] for job in (await response.json())["jobs"]] == keys[::-1]
    for key in keys:
        async with demo.http.delete(f"/api/v1/jobs/{key}") as response:
            assert response.status == 200
        async with demo.http.get(f"/api/v1/jobs/{key}") as response:
            assert response.status == 404
    db = demo.environment.runtime.db
    assert await db["batches"].find_one({}) is None
    assert (await demo.story(row["messageId"]))["status"] == "DELIVERED"


async def test_a_job_at_work_is_not_deleted(demo: ApiClient) -> None:
    key = await create_job(demo, people(300))
    await move(demo, key, "start")
    async with demo.http.delete(f"/api/v1/jobs/{key}") as response:
        assert response.status == 409


async def test_callers_are_told_of_its_messages(demo: ApiClient) -> None:
    async with opened_callback_receiver() as receiver:
        key = await create_job(demo, [PHONE], callbackUrl=receiver.url, callbackEvents="final")
        await move(demo, key, "start")
        await wait_for_job_state(demo, key, "done")
        (row,) = await row_results(demo, key)
        await until(lambda: has_reported(receiver, row["messageId"]))


async def has_reported(receiver: CallbackReceiver, key: str) -> bool:
    return [event["newStatus"] for event in receiver.events_of(key)] == ["DELIVERED"]


async def test_answers_do_not_wait_for_a_job(demo: ApiClient) -> None:
    """While a job of the same channel is at work, a person who writes is answered, and a single message goes out."""
    telegram = await open_conversations(demo, "telegram", [{"phone": person} for person in people(200)])
    key = (await create_draft(demo, channels=[{"channel": "telegram", "text": "Hi"}]))["id"]
    await upload(demo, key, table(["chatSessionId"], *([person["chatSessionId"]] for person in telegram)))
    await move(demo, key, "start")
    await until(lambda: has_begun(demo))
    await demo.say("telegram", "/start")
    (alone,) = await open_conversations(demo, "telegram", [{"phone": phone(9)}])
    await demo.wait_for(await demo.send({"channel": "telegram", "text": "Alone"}, **alone), "SENT")
    assert (await progress(demo, key))["state"] == "running"


async def has_begun(demo: ApiClient) -> bool:
    return len(accepted_messages(demo, "telegram")) > 0


async def is_at_work(caller: Caller, key: str, simulator: Simulator, before: int) -> bool:
    """Tell whether a worker is at work: more has been sent, unless there is nothing more. What is in doubt is not."""
    return len(simulator.accepted) > before or await ended_job(caller, key) is not None


@pytest.mark.faults
@pytest.mark.timeout(5 * PATIENCE)
async def test_kill_9_sends_no_row_twice_and_loses_none(tmp_path: Path, settings: Settings) -> None:
    """The worker is killed again and again while a job is at work."""
    async with opened_cli(tmp_path, settings) as cli:
        environ = {
            **cli.environment,
            "GATEWAY_ACCOUNTS": str(tmp_path / "accounts.toml"),
            "GATEWAY_LEASE": "4",
            "GATEWAY_DOUBT": "1",
        }
        key = (await cli.gateway("keys", "create", "crm", "--role", "operator")).out.strip()
        web, worker = Web("web", tmp_path, environ), Worker("worker", tmp_path, environ)
        await web.start()
        try:
            async with opened_caller(web.url, key) as caller:
                job_id = await create_job(caller, people(600))
                await worker.start()
                await move(caller, job_id, "start")
                for _ in range(4):
                    await until(partial(is_at_work, caller, job_id, cli.simulator, len(cli.simulator.accepted)))
                    await worker.kill()
                    await worker.start()
                job = await until(lambda: ended_job(caller, job_id), patience=3 * PATIENCE)
        finally:
            await worker.kill()
            await web.kill()
        users = [line.user for line in cli.simulator.accepted]
    assert (job["processed"], job["refused"]) == (600, 0)
    assert len(users) == len(set(users))
