"""Tests that refused rows are kept, and come back with their reasons as a file that can be mended and sent."""

import csv
import io
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from python_calamine import CalamineWorkbook

from gateway.client import Gateway, GatewayError
from gateway.messages.jobs.refused import pages
from gateway.runtime.settings.tuning import Tuning
from storage import jobs
from tests.support.client import PHONE, ApiClient
from tests.support.jobs import create_draft, create_job, move, progress, table, upload, wait_for_job_state
from tests.support.processes.commands import run
from tests.support.workload import phone, texts

HEADINGS = ["телефон", "имя", "note"]
STEP = {"channel": "sms", "text": "Hi {{имя}}"}


async def refused_file(demo: ApiClient, key: str, kind: str) -> bytes:
    async with demo.http.get(f"/api/v1/jobs/{key}/rows/refused", params={"format": kind}) as response:
        assert response.status == 200
        assert response.headers["Content-Disposition"] == f"attachment; filename=refused.{kind}"
        return await response.read()


def rows_of(raw: bytes, kind: str) -> list[dict[str, str]]:
    """Return the rows of a file by their headings."""
    if kind == "csv":
        return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    lines = CalamineWorkbook.from_filelike(io.BytesIO(raw)).get_sheet_by_index(0).to_python()
    return [
        dict(
            zip(
                map(str, lines[0]),
                [str(int(cell)) if isinstance(cell, float) else str(cell) for cell in line],
                strict=True,
            )
        )
        for line in lines[1:]
    ]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_refused_rows_come_back_with_their_reasons_and_can_be_mended(demo: ApiClient, kind: str) -> None:
    key = (await create_draft(demo, channels=[STEP]))["id"]
    await upload(demo, key, table(HEADINGS, [PHONE, "Anna", "a"], ["12", "Boris", "=1+1"], [phone(3), "", "c\nd"]))
    await upload(demo, key, table(["phone", "имя"], [phone(4), "Gleb"], ["", "Dina"]))
    raw = await refused_file(demo, key, kind)
    rows = rows_of(raw, kind)
    assert [(row["refused row"], row["phone"], row["имя"]) for row in rows] == [
        ("3", "12", "Boris"),
        ("4", phone(3), ""),
        ("3", "", "Dina"),
    ]
    assert [row["refused because"] for row in rows] == [
        "телефон: this is not a phone number",
        "имя: it is empty",
        "nothing says who is meant",
    ]
    assert (await progress(demo, key))["refused"] == 3
    again = (await create_draft(demo, channels=[STEP]))["id"]
    mended = raw.replace(b"12,Boris", f"{phone(2)},Boris".encode()) if kind == "csv" else raw
    _, answer = await upload(demo, again, mended)
    assert (answer["accepted"], answer["refused"]) == ((1, 2) if kind == "csv" else (0, 3))
    assert set(answer["columns"].values()) == {"phone", "имя", "note"}


ATOMS = ["'", '"', ";", "=", "+7", "-", "@", "\t", "\n", "\r\n", "|", ",", "Anna", "_x0041_", " "]
TEXTS = [text for n in (1, 2, 3) for text in map("".join, product(ATOMS, repeat=n)) if text == text.strip()]
TEXTS += ["bring:\n- passport\n- photo\n+7 495 1", "a;=cmd", "'=1+1", "a\t=1", "{=1}", "5' 6\"", "a" * 8000 + "\n=1"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
async def test_refused_rows_that_are_added_again_say_just_the_same(demo: ApiClient, kind: str) -> None:
    key, again = [(await create_draft(demo))["id"] for _ in range(2)]
    note, lines = "a;=b;;;;", [["12", f"{number}", text] for number, text in enumerate(TEXTS)]
    await upload(demo, key, b"sep=,\n" + table(["phone", "number", note], *lines))
    _, answer = await upload(demo, again, await refused_file(demo, key, kind))
    assert (answer["refused"], list(answer["columns"])) == (len(TEXTS), ["phone", "number", note])
    runtime, found = demo.environment.runtime, list[list[Any]]()
    job = await jobs.get(runtime.db, again)
    assert job
    async for page in pages(runtime, job, ["", "", "phone", "number", note]):
        found += [row[2:] for row in page]
    assert [row for row in zip(found, lines, strict=True) if row[0] != row[1]] == []


async def test_rows_that_are_refused_when_they_are_submitted_are_among_them(demo: ApiClient) -> None:
    key = await advertise(demo, [PHONE, phone(2)])
    assert rows_of(await refused_file(demo, key, "csv"), "csv") == [
        {"refused row": str(row), "refused because": "the person has not written to us", "phone": number}
        for row, number in ((2, PHONE), (3, phone(2)))
    ]
    assert (await progress(demo, key))["refused"] == 2


async def advertise(demo: ApiClient, phones: list[str]) -> str:
    """Send advertising to people. Returns the id of its job, which is done."""
    key = await create_job(demo, phones, kind="advertising")
    await move(demo, key, "start")
    await wait_for_job_state(demo, key, "done")
    return key


async def test_a_retry_takes_refused_rows_that_can_be_sent_now(demo: ApiClient) -> None:
    key = await advertise(demo, [PHONE, phone(2)])
    assert texts(demo, "sms") == []
    await demo.say("sms", "Hello")
    await move(demo, key, "retry")
    await wait_for_job_state(demo, key, "done")
    assert [row["phone"] for row in rows_of(await refused_file(demo, key, "csv"), "csv")] == [phone(2)]
    assert (await progress(demo, key))["refused"] == 1
    assert texts(demo, "sms")[-1] == "Hi"


async def test_more_rows_than_a_page_come_back_each_once(demo: ApiClient) -> None:
    runtime = demo.environment.runtime
    runtime.settings = replace(runtime.settings, tuning=Tuning(batch_rows=10))
    key = (await create_draft(demo))["id"]
    lines = [[phone(number) if number % 3 else f"no {number}"] for number in range(1600)]
    _, answer = await upload(demo, key, table(["phone"], *lines))
    assert (answer["accepted"], answer["refused"], len(answer["faults"])) == (1066, 534, 534)
    for kind in ("csv", "xlsx"):
        found = [row["phone"] for row in rows_of(await refused_file(demo, key, kind), kind)]
        assert found == [f"no {number}" for number in range(0, 1600, 3)]


async def test_a_job_without_refused_rows_has_an_empty_file(demo: ApiClient) -> None:
    key = await create_job(demo, [PHONE])
    for kind in ("csv", "xlsx"):
        assert rows_of(await refused_file(demo, key, kind), kind) == []


async def test_they_go_with_their_job(demo: ApiClient) -> None:
    key = (await create_draft(demo))["id"]
    await upload(demo, key, table(["phone"], ["12"]))
    assert (await demo.post(f"/api/v1/jobs/{key}/start", {}))[0] == 409
    async with demo.http.delete(f"/api/v1/jobs/{key}") as response:
        assert response.status == 200
    assert await demo.environment.runtime.db["refused_rows"].find_one({}) is None


async def test_the_client_and_the_shell_do_the_same(demo: ApiClient, tmp_path: Path) -> None:
    environ: dict[str, Any] = {"GATEWAY_URL": demo.environment.url, "GATEWAY_KEY": demo.environment.key}
    key, raw = (await create_draft(demo))["id"], table(["phone"], [PHONE], ["12"])
    (tmp_path / "people.csv").write_bytes(raw)
    result = await run(tmp_path, "gateway", "jobs", "upload", key, "people.csv", **environ)
    assert (result.code, result.err) == (1, "")
    assert result.out == "1 accepted, 1 refused, 1 in all\n  row 3, phone: this is not a phone number\n"
    async with Gateway(demo.environment.url, demo.environment.key) as gateway:
        answer = await gateway.upload_rows(key, raw, "people.csv")
        assert (answer.accepted, answer.refused, answer.total) == (1, 1, 1)
        csv_file = await gateway.refused_rows(key)
        with pytest.raises(GatewayError, match=r"people\.xlsx: this is no workbook"):
            await gateway.upload_rows(key, b"PK\x03\x04", "people.xlsx")
        with pytest.raises(GatewayError, match="no such"):
            await gateway.refused_rows("nothing")
    for name in ("refused.csv", "refused.xlsx"):
        assert (await run(tmp_path, "gateway", "jobs", "refused", key, name, **environ)).code == 0
    assert (tmp_path / "refused.csv").read_bytes() == csv_file
    assert rows_of((tmp_path / "refused.xlsx").read_bytes(), "xlsx")[0]["phone"] == "12"
    assert (await run(tmp_path, "gateway", "jobs", "refused", key, "refused.txt", **environ)).code == 2
