"""Jobs on their pages: made in four steps, started from their row, followed to their end, and retried."""

import csv
import io
import re

import pytest
from bs4 import Tag
from msgspec.structs import replace

from gateway.domain.terms.price import Price
from gateway.messages.jobs import reader
from gateway.runtime.settings.tuning import Tuning
from tests.support.client import PHONE, ApiClient, until
from tests.support.jobs import (
    SMS,
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
from tests.support.workload import accepted_messages, phone, texts
from tests.webhooks.pages.visitor import Answer, Visitor

NO_MOBILE = 21614


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


async def send_file(visitor: Visitor, page: Answer, raw: bytes, name: str = "people.csv") -> Answer:
    """Choose a file in the form of the second step, send it as a browser does, and wait until it has been read."""
    form = page.form("/rows")
    token = str(form.select("[name=form_token]")[0]["value"])
    answer = await visitor.upload(str(form["action"]), {"form_token": token, "pasted": ""}, name, raw)
    return await read(visitor, answer)


async def read(visitor: Visitor, answer: Answer) -> Answer:
    """Look at the check until the file has been read. Returns the page then."""

    async def check() -> Answer | None:
        page = await visitor.get(answer.address)
        return None if page.html.select("progress") else page

    return await until(check) if answer.html.select("progress") else answer


async def made(visitor: Visitor, **fields: str) -> Answer:
    """Make a draft by the first step. Returns the second one."""
    form = (await visitor.get("/ui/jobs/new")).form("/new")
    given = {"name": "November", "kind": "sms", "source": "here", "text0": "{{имя}}, we have moved", **fields}
    return await visitor.send(form, None, **given)


async def test_a_job_is_made_checked_and_started_by_forms_alone(demo: ApiClient, visitor: Visitor) -> None:
    second = await made(visitor)
    lines = [
        ["Телефон", "имя", "менеджер"],
        [PHONE, "Анна", "Ольга"],
        ["12", "Борис", "Ольга"],
        [phone(7), "", "Ольга"],
    ]
    check = await send_file(visitor, second, table(*lines, [phone(8), "Вера", "Ольга"], separator=";"))
    assert check.status == 200
    assert "2 rows are left out" in check.words
    assert "not used by the message" in check.words
    assert [cell.get_text("|") for cell in check.html.select("td.wrong")] == [
        "this is not a phone number|12",
        "it is empty",
    ]
    assert [row.select("td")[0].get_text() for row in check.html.select(".mistakes tbody tr")] == ["3", "4"]
    russian = await visitor.get(check.address, **{"Accept-Language": "ru"})
    assert [cell.b.text for cell in russian.html.select("td.wrong") if cell.b] == ["это не номер телефона", "пусто"]
    assert "Анна, we have moved" in check.words
    assert "Вера, we have moved" in (await visitor.get(f"{check.address}?row=1")).words
    refused = rows_of((await visitor.get(str(link(check, "Download")["href"]))).text)
    assert [row["refused row"] for row in refused] == ["3", "4"]
    start = await visitor.get(str(link(check, "Start for 2 people")["href"]))
    assert "Start for 2 people?" in start.words
    job = await visitor.send(start.form("/start"))
    assert job.status == 200
    key = job.address.rsplit("/", 1)[1]
    await wait_for_job_state(demo, key, "done")
    assert sorted(texts(demo, "sms")) == ["Анна, we have moved", "Вера, we have moved"]
    assert (await progress(demo, key))["createdBy"] == "olga@shop.example"


async def test_a_mended_file_adds_only_what_was_left_out(demo: ApiClient, visitor: Visitor) -> None:
    second = await made(visitor, text0="Hi")
    check = await send_file(visitor, second, table(["phone"], [PHONE], ["12"]))
    raw = (await visitor.get(str(link(check, "Download")["href"]))).text
    check = await send_file(visitor, second, raw.replace("12", phone(9)).encode())
    assert "Start for 2 people" in check.words
    assert "somebody who has a row" not in check.words
    twice = table(["phone", "order"], [phone(3), "1"], [phone(4), "2"], [phone(3), "3"])
    check = await send_file(visitor, second, twice, "twice.csv")
    assert "1 row is for somebody who has a row already (twice.csv): Row 4: row 2 is for the same person" in check.words


async def test_columns_are_matched_by_hand(visitor: Visitor) -> None:
    second = await made(visitor)
    check = await send_file(visitor, second, table(["Кому", "Клиент"], [PHONE, "Анна"]))
    assert "No column says who is meant." in check.words
    assert "Start for" not in check.words
    again = await visitor.send(check.form("/columns"), column0="phone", column1="")
    assert (again.status, "The message needs a column “имя”." in again.words) == (400, True)
    right = await read(visitor, await visitor.send(again.form("/columns"), column0="phone", column1="имя"))
    assert "Анна, we have moved" in right.words
    assert not right.html.select("select")
    next_one = await send_file(visitor, await made(visitor), table(["кому", "Клиент"], [PHONE, "Борис"]))
    assert "Борис, we have moved" in next_one.words, "what was said of a heading is remembered"
    unfit = await made(visitor, text0="{{order}}")
    unfit = await send_file(visitor, unfit, table(["Кому", "Клиент"], [PHONE, "Борис"]))
    chosen = [str(option["value"]) for option in unfit.html.select("option[selected]")]
    assert chosen == ["phone", "имя"], "and offered, where it is not enough"


async def test_a_file_that_cannot_be_read_is_said_and_taken_out(visitor: Visitor) -> None:
    second = await made(visitor)
    wrong = await send_file(visitor, second, b"PK not a workbook", "people.xlsx")
    assert "people.xlsx: " in wrong.words
    again = await visitor.send(wrong.form("/waiting/delete"))
    assert "people.xlsx" not in again.words
    empty = await send_file(visitor, again, b"\r\n")
    assert "the file is empty" in empty.words
    again = await visitor.send(empty.form("/waiting/delete"))
    nothing = await send_file(visitor, again, b"", "")
    assert (nothing.status, "Choose a file, or paste numbers." in nothing.words) == (400, True)


async def test_nobody_waits_for_a_file_and_nothing_starts_without_its_rows(
    demo: ApiClient, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "AT_ONCE", 0)  # so that nobody reads it yet
    key = await create_job(demo, [PHONE])
    second = await visitor.get(f"/ui/jobs/{key}/rows")
    form, raw = second.form("/rows"), table(["phone"], [phone(2)], ["12"])
    token = {"form_token": str(form.select("[name=form_token]")[0]["value"]), "pasted": ""}
    check = await visitor.upload(str(form["action"]), token, "people.csv", raw)
    assert (check.address, "Reading people.csv" in check.words) == (f"/ui/jobs/{key}/check", True)
    assert "Start for" not in check.words
    assert "Reading people.csv" in (await visitor.get("/ui/jobs")).words
    second = await visitor.upload(str(form["action"]), token, "others.csv", raw + b" ")
    assert (second.status, "people.csv is being read: wait until its rows are there" in second.words) == (409, True)
    for method, path, body in (("POST", "/start", {}), ("PUT", "", {"name": "December", "channels": [SMS]})):
        async with demo.http.request(method, f"/api/v1/jobs/{key}{path}", json=body) as response:
            assert (response.status, "people.csv is being read" in await response.text()) == (409, True)
    stopped = await visitor.send(check.form("/waiting/delete"))
    assert "people.csv" not in stopped.words
    assert await demo.environment.runtime.db["pending_pieces"].count_documents({}) == 0
    await visitor.upload(str(form["action"]), token, "people.csv", raw)
    monkeypatch.undo()
    check = await read(visitor, await visitor.get(f"/ui/jobs/{key}/check"))
    assert "1 row is left out" in check.words
    assert (await progress(demo, key))["total"] == 2
    same = await visitor.upload(str(form["action"]), token, "people.csv", raw)
    assert (same.status, bool(same.html.select("progress"))) == (200, False), "it has that file already"


async def test_numbers_are_pasted(demo: ApiClient, visitor: Visitor) -> None:
    second = await made(visitor, text0="Hi")
    check = await read(visitor, await visitor.send(second.form("/rows"), pasted=f"{PHONE}\r\n{phone(3)}\n"))
    assert "All 2 rows are ready." in check.words


async def test_a_file_is_taken_out_again(visitor: Visitor) -> None:
    second = await made(visitor, text0="Hi")
    check = await send_file(visitor, second, table(["phone"], [PHONE]))
    await visitor.send((await visitor.get(check.address.replace("check", "rows"))).form("/delete"))
    assert "There are no rows yet." in (await visitor.get(check.address)).words


async def test_the_examples_fit_the_message(visitor: Visitor) -> None:
    second = await made(visitor)
    for name in ("example.csv", "example.xlsx"):
        file = await visitor.download(str(link(second, "CSV" if name.endswith("csv") else "Excel")["href"]))
        assert "Start for 2 people" in (await send_file(visitor, await made(visitor), file, name)).words


async def test_what_is_wrong_in_the_first_step_is_shown_with_what_was_typed(visitor: Visitor) -> None:
    wrong = await made(visitor, kind="universal", channel0="", text0="Hi {{name}}")
    assert (wrong.status, "Choose a channel for this text." in wrong.words) == (400, True)
    assert wrong.html.select("textarea")[0].get_text() == "Hi {{name}}"
    unfit = await made(visitor, kind="sessions", channel0="sms", text0="Hi")
    assert (unfit.status, "has one step, by a messenger" in unfit.words) == (400, True)


async def test_a_draft_is_changed_until_it_is_started(demo: ApiClient, visitor: Visitor) -> None:
    check = await send_file(visitor, await made(visitor), table(["phone", "имя"], [PHONE, "Анна"]))
    first = await visitor.get(check.address.replace("check", "what"))
    changed = await visitor.send(
        first.form("/what"), source="here", text0="{{имя}}, come by", name="December", kind="sms"
    )
    assert "Анна, come by" in changed.words
    days = {"from": "09:00", "to": "21:00", "timezone": "Europe/Moscow", "weekday": "3"}
    wednesdays = await visitor.send(first.form("/what"), None, source="keep", name="December", kind="sms", **days)
    assert "May leave: 09:00–21:00, Wed, Europe/Moscow" in wednesdays.words
    first = await visitor.get(first.address)
    assert [str(box["value"]) for box in first.html.select("[name=weekday][checked]")] == ["3"]
    at_any_time = {"from": "", "to": "", "timezone": "", "weekday": ""}
    kept = {"source": "keep", "name": "December", "kind": "sms"}
    await visitor.send(first.form("/what"), None, **kept, **at_any_time)
    unfit = await visitor.send(first.form("/what"), source="here", text0="{{order}}", name="December", kind="sms")
    assert (unfit.status, 'has no column "order"' in unfit.words) == (400, True)
    job = await visitor.send((await visitor.get(check.address.replace("check", "start"))).form("/start"))
    assert (await visitor.get(check.address)).status == 409
    await wait_for_job_state(demo, job.address.rsplit("/", 1)[1], "done")
    assert texts(demo, "sms") == ["Анна, come by"]


async def test_what_it_will_be_is_reckoned(demo: ApiClient, visitor: Visitor) -> None:
    runtime = demo.environment.runtime
    runtime.settings = replace(runtime.settings, prices={"sms:demo": Price("2.50", "RUB")})
    key = await create_job(demo, [phone(number) for number in range(4)])
    await demo.post("/api/v1/optOuts", {"phone": phone(0), "kind": "all"})
    outlook = await visitor.send((await visitor.get(f"/ui/jobs/{key}/check")).form("/forecast"))
    assert "Recipients 3 left out 1" in outlook.words
    assert "SMS 75 %" in outlook.words
    assert "Reckoned from all rows" in outlook.words
    assert accepted_messages(demo, "sms") == []
    await move(demo, key, "start")
    await wait_for_job_state(demo, key, "done")
    assert "Spent so far 7.5 RUB of about 7.5" in (await visitor.get(f"/ui/jobs/{key}")).words


async def test_it_is_sent_to_me_first(demo: ApiClient, visitor: Visitor) -> None:
    check = await send_file(visitor, await made(visitor), table(["phone", "имя"], [phone(3), "Анна"]))
    start = await visitor.get(check.address.replace("check", "start"))
    message = await visitor.send(start.form("/try"), phone=PHONE)
    assert message.address.startswith("/ui/messages/")
    await demo.wait_for(message.address.rsplit("/", 1)[1], "DELIVERED")
    assert [line.user for line in accepted_messages(demo, "sms")] == [PHONE]


async def test_it_starts_at_a_time(demo: ApiClient, visitor: Visitor) -> None:
    key = await create_job(demo, [PHONE])
    start = await visitor.get(f"/ui/jobs/{key}/start")
    over = await visitor.send(start.form("/start"), at="2025-03-01T09:30")
    assert (over.status, "this time is in the past" in over.words) == (400, True)
    assert over.form("/start").select("[name=at]")[0]["value"] == "2025-03-01T09:30"
    status, wrong = await demo.post(f"/api/v1/jobs/{key}/start", {"at": "2025-03-01T09:30:00Z"})
    assert (status, wrong["details"]["field"]) == (400, "at")
    job = await visitor.send(start.form("/start"), at="2027-03-01T09:30")
    assert "starts at 01.03.2027 09:30" in job.words
    assert (await progress(demo, key))["startsAt"].startswith("2027-03-01T")
    late = await visitor.send(start.form("/start"), at="soon")
    assert (late.status, link(late, "Look at it")["href"]) == (409, f"/ui/jobs/{key}")
    assert "Try again" not in late.words
    unpaused = await visitor.send(job.form("/pause"))
    again = await visitor.post(f"/ui/jobs/{key}/pause", {"form_token": token_of(unpaused)})
    assert (again.status, "This job is paused." in again.words) == (409, True)


async def test_many_people_are_typed_and_the_same_file_is_warned_of(
    demo: ApiClient, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webhooks.pages.jobs.step_start.TYPED", 1)
    await move(demo, await create_job(demo, [PHONE, phone(2)]), "start")
    key = await create_job(demo, [PHONE, phone(2)])
    start = await visitor.get(f"/ui/jobs/{key}/start")
    assert "was added to another job today" in start.words
    refused = await visitor.send(start.form("/start"), number="20")
    assert (refused.status, "Type the number of people" in refused.words) == (400, True)
    assert (await visitor.send(refused.form("/start"), number="2")).address == f"/ui/jobs/{key}"


async def test_a_job_is_started_paused_and_resumed_from_its_row(demo: ApiClient, visitor: Visitor) -> None:
    runtime = demo.environment.runtime
    runtime.settings = replace(runtime.settings, tuning=Tuning(batch_rows=10))
    key = await create_job(demo, [phone(number) for number in range(100, 160)])
    start = await visitor.get(str(link(await visitor.get("/ui/jobs"), "Start…")["href"]))
    await visitor.send(start.form("/start"))
    await until(lambda: has_sent(demo))
    paused = await visitor.send((await visitor.get("/ui/jobs")).form("/pause"))
    assert paused.address == "/ui/jobs"
    assert "Paused by olga@shop.example" in paused.words
    running = await visitor.send(paused.form("/resume"))
    assert "Running" in running.words
    sums = list[tuple[int, int]]()
    while (await progress(demo, key))["state"] != "done":
        sums.append(bar_of(await visitor.get(f"/ui/jobs/{key}")))
    sums.append(bar_of(await visitor.get(f"/ui/jobs/{key}")))
    assert {total for total, _ in sums} == {60}, "the parts are all rows, at every look"
    assert [done for _, done in sums] == sorted(done for _, done in sums), "what is done stays done"
    assert sorted(line.user for line in accepted_messages(demo, "sms")) == [phone(n) for n in range(100, 160)]


async def has_sent(demo: ApiClient) -> bool:
    return bool(accepted_messages(demo, "sms"))


def token_of(page: Answer) -> str:
    return str(page.html.select("[name=form_token]")[0]["value"])


def bar_of(page: Answer) -> tuple[int, int]:
    """Return the sum of the bar's parts, and how many rows are done."""
    parts = [int(part.get_text().replace(",", "")) for part in page.html.select(".legend b")]
    done = re.search(r"Rows done ([\d,]+) /", page.words)
    assert done
    tabs = [tab.get_text(" ", strip=True) for tab in page.html.select(".filter-tabs a")]
    legend = [part.get_text(" ", strip=True) for part in page.html.select(".legend li") if part.find("a")]
    assert set(legend) <= set(tabs), "the parts and the tabs are the same figures in the same words"
    return sum(parts), int(done[1])


async def test_why_rows_failed_and_their_retry(demo: ApiClient, visitor: Visitor) -> None:
    demo.environment.simulators["sms"].faults.fail(NO_MOBILE)
    key = (await create_draft(demo))["id"]
    await upload(demo, key, table(["phone"], [PHONE], ["12"], [phone(2)]))
    await move(demo, key, "start")
    await wait_for_counts(demo, key, DELIVERED=1, UNDELIVERED=1)
    job = await visitor.get(f"/ui/jobs/{key}")
    assert "correct the number; retry does not help" in job.words
    assert "All 3 Failed 1 Under way 0 To come 0 Refused 1" in job.words
    assert "1 will not" in job.words
    assert "that may work now" not in job.words
    failed = await visitor.get(f"/ui/jobs/{key}?state=failed")
    assert [row.select("td")[3].get_text() for row in failed.html.select("#rows tbody tr")] == ["Undelivered"]
    await visitor.send(job.form("/retry"), {"only": "mayWork"})
    await wait_for_counts(demo, key, DELIVERED=1, UNDELIVERED=1)
    await visitor.send(job.form("/retry"), {"only": "all"})
    await wait_for_counts(demo, key, DELIVERED=2)
    assert bar_of(await visitor.get(f"/ui/jobs/{key}")) == (3, 3)


async def test_a_row_is_sent_anew_by_one_way_only(demo: ApiClient, visitor: Visitor) -> None:
    """What a retry has sent is not replayed, and what was replayed is not retried."""
    sms = demo.environment.simulators["sms"]
    sms.faults.fail(NO_MOBILE)
    key = await create_job(demo, [PHONE])
    await move(demo, key, "start")
    await wait_for_job_state(demo, key, "done")
    (old,) = [row["messageId"] for row in await row_results(demo, key)]
    assert old in (await visitor.get("/ui/dead")).words
    sms.faults.fail(NO_MOBILE)
    await visitor.send((await visitor.get(f"/ui/jobs/{key}")).form("/retry"), {"only": "all"})
    await wait_for_job_state(demo, key, "done")
    (new,) = [row["messageId"] for row in await row_results(demo, key)]
    dead = await visitor.get("/ui/dead")
    assert (old in dead.words, new in dead.words) == (False, True)
    message = await visitor.get(f"/ui/messages/{old}")
    assert f"sent anew by its job as {new}" in message.words
    assert message.html.find("a", string="What was sent anew")["href"] == f"/ui/messages/{new}"  # type: ignore[index]
    refused = await visitor.post(f"/ui/messages/{old}/anew", {"form_token": token_of(message)})
    assert (refused.status, "It has been sent anew already." in refused.words) == (409, True)
    replay = {"ids": [old, new]}
    outcomes = (await demo.post("/api/v1/deadLetters/replay", replay))[1]["deadLetters"]
    assert [outcome["result"] for outcome in outcomes] == ["notADeadLetter", "replayed"]
    await demo.wait_for(outcomes[1]["replayedAs"], "DELIVERED")
    await move(demo, key, "retry")
    job = await wait_for_job_state(demo, key, "done")
    assert job["byStatus"] == {"DELIVERED": 1}
    assert [row["messageId"] for row in await row_results(demo, key)] == [outcomes[1]["replayedAs"]]
    assert len(sms.accepted) == 1


async def test_results_have_every_row_with_its_fate(demo: ApiClient, visitor: Visitor) -> None:
    key = (await create_draft(demo, channels=[{"channel": "sms", "text": "Hi {{name}}"}]))["id"]
    await upload(demo, key, table(["phone", "name"], [PHONE, "Anna"], ["12", "Boris"], [phone(4), "=1+1"]))
    await move(demo, key, "start")
    await wait_for_counts(demo, key, DELIVERED=2)
    page = await visitor.get(f"/ui/jobs/{key}")
    rows = rows_of((await visitor.get(str(link(page, "All rows as CSV")["href"]))).text)
    assert {(row["row"], row["name"], row["status"]) for row in rows} == {
        ("2", "Anna", "DELIVERED"),
        ("3", "Boris", "REFUSED"),
        ("4", "'=1+1", "DELIVERED"),
    }
    assert {row["channel"] for row in rows} == {"sms", ""}
    assert (await visitor.download(str(link(page, "All rows as Excel")["href"])))[:2] == b"PK"


async def test_a_row_is_gone_to(demo: ApiClient, visitor: Visitor) -> None:
    runtime = demo.environment.runtime
    runtime.settings = replace(runtime.settings, tuning=Tuning(batch_rows=10))
    lines = [[phone(number)] for number in range(100, 125)]
    key = (await create_draft(demo))["id"]
    await upload(demo, key, table(["phone"], *lines[:5], ["12"], *lines[5:]))
    await move(demo, key, "start")
    await wait_for_job_state(demo, key, "done")
    page = await visitor.get(f"/ui/jobs/{key}?row=20")
    wanted = page.html.select("tr.wanted td")
    assert [cell.get_text(strip=True) for cell in wanted[:2]] == ["20", phone(117)]
    assert (await visitor.get(f"/ui/jobs/{key}?row=x")).status == 400


async def test_rows_are_shown_by_fifty_across_batches(demo: ApiClient, visitor: Visitor) -> None:
    runtime = demo.environment.runtime
    runtime.settings = replace(runtime.settings, tuning=Tuning(batch_rows=80))
    phones = [phone(number) for number in range(100, 270)]
    key = await create_job(demo, phones)
    await move(demo, key, "start")
    await wait_for_job_state(demo, key, "done")
    address, shown = f"/ui/jobs/{key}", list[list[str]]()
    while address:
        page = await visitor.get(address)
        shown.append([row.select("td")[1].get_text(strip=True) for row in page.html.select("#rows tbody tr")])
        following = page.html.find("a", string="Next")
        address = str(following["href"]) if isinstance(following, Tag) else ""
    assert [len(rows) for rows in shown] == [50, 50, 50, 20]
    assert [row for rows in shown for row in rows] == phones
    gone_to = await visitor.get(f"/ui/jobs/{key}?row=72")  # the heading is the first line
    assert [cell.get_text(strip=True) for cell in gone_to.html.select("tr.wanted td")][:2] == ["72", phones[70]]
    assert len(gone_to.html.select("#rows tbody tr")) == 50


async def test_a_job_is_cancelled_after_a_question(demo: ApiClient, visitor: Visitor) -> None:
    key = await create_job(demo, [PHONE], allowedTimeRanges=[["00:00", "00:01"]], timezone="Etc/GMT+12")
    await move(demo, key, "start")
    question = await visitor.get(f"/ui/jobs/{key}/cancel")
    assert "1 row has not left yet, and never will." in question.words
    await visitor.send(question.form("/cancel"))
    await wait_for_job_state(demo, key, "cancelled")

    async def can_be_deleted() -> Answer | None:
        """Return the page once no worker looks after the job any more."""
        job = await visitor.get(f"/ui/jobs/{key}")
        assert "Cancelled" in job.words
        return job if "/delete" in job.text else None

    assert (await visitor.send((await until(can_be_deleted)).form("/delete"))).address == "/ui/jobs"
    assert (await visitor.get(f"/ui/jobs/{key}")).status == 404


def link(page: Answer, words: str) -> Tag:
    """Return the link that says these words."""
    return next(each for each in page.html.find_all("a") if words in each.get_text(" ", strip=True))
