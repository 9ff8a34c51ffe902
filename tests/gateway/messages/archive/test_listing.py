"""Tests GET /messages and its export: filters, pages, and files that cannot attack a spreadsheet."""

import csv
import io
import zipfile
from typing import Any

import aiohttp
import pytest
from python_calamine import CalamineWorkbook

from gateway.domain.terms.formulas import mark
from tests.support.client import PHONE, ApiClient
from tests.support.workload import advance_clock, phone, phones, send_all, wait_for_all

STEP = {"channel": "sms", "text": "Hi"}


async def list_ids(demo: ApiClient, **query: Any) -> list[str]:
    """Return the ids of all pages."""
    ids: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        status, page = await get(demo, **query, **({"cursor": cursor} if cursor else {}))
        assert status == 200, page
        ids += [row["id"] for row in page["messages"]]
        cursor = page["cursor"]
    return ids


async def get(demo: ApiClient, path: str = "", **query: Any) -> tuple[int, Any]:
    async with demo.http.get(f"/api/v1/messages{path}", params=query) as response:
        return response.status, await response.json()


async def test_the_newest_first_in_pages(demo: ApiClient) -> None:
    first = await send_all(demo, phones(30), STEP)
    advance_clock(demo, hours=1)
    second = await send_all(demo, phones(5), STEP)
    ids = await list_ids(demo, limit=4)
    assert sorted(ids[:5]) == sorted(second)
    assert sorted(ids[5:]) == sorted(first)
    created = [(await get(demo, f"/{key}"))[1]["createdAt"] for key in ids]
    assert created == sorted(created, reverse=True)


async def test_filters(demo: ApiClient) -> None:
    start = demo.environment.runtime.clock()
    group = await send_all(demo, phones(3), STEP, groupId="g1")
    advance_clock(demo, hours=1)
    bulk = await send_all(demo, [{"phone": PHONE, "externalId": "crm-17"}], STEP, bulk="b1")
    viber = await send_all(demo, phones(1), {"channel": "viber", "text": "a"})
    await wait_for_all(demo, [*group, *bulk, *viber])
    assert sorted(await list_ids(demo, groupId="g1", limit=2)) == sorted(group)
    assert await list_ids(demo, bulkId="b1") == bulk
    assert await list_ids(demo, externalId="crm-17") == bulk
    assert await list_ids(demo, phone="8 900 000-00-01") == bulk
    assert await list_ids(demo, phone=phone(101)[4:]) == [group[1]]
    assert await list_ids(demo, channel="viber") == viber
    assert await list_ids(demo, status="UNDELIVERED") == viber
    middle = demo.environment.runtime.clock().replace(microsecond=0)
    assert sorted(await list_ids(demo, to=(middle - (middle - start) / 2).isoformat())) == sorted(group)
    assert sorted(await list_ids(demo, **{"from": (middle - (middle - start) / 2).isoformat()})) == sorted(bulk + viber)
    assert await list_ids(demo, groupId="g1", bulkId="b1") == []
    assert await list_ids(demo, groupId="g1", to="1990-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": "GONE"}, "status"),
        ({"limit": "0"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"cursor": "x"}, "cursor"),
        ({"from": "yesterday"}, "from"),
        ({"from": "0001-01-01T00:00:00+14:00"}, "from"),
        ({"to": "2026-01-01T00:00:00"}, "to"),
        ({"phone": "1"}, "phone"),
        ({"jobs": "1"}, "jobs"),
    ],
)
async def test_mistakes_name_their_field(demo: ApiClient, query: dict[str, str], field: str) -> None:
    status, answer = await get(demo, **query)
    assert (status, answer["details"]["field"]) == (400, field)
    if not {"limit", "cursor"} & query.keys():
        assert (await get(demo, "/export", **query))[0] == 400


async def export(demo: ApiClient, **query: str) -> tuple[aiohttp.ClientResponse, bytes]:
    async with demo.http.get("/api/v1/messages/export", params=query) as response:
        return response, await response.read()


FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "x;=1+1",
    "x;+1+1",
    'x;"=1+1"',
    "x\t=1",
    "x|@A1",
    "x\n=1",
]
"""Texts in which a spreadsheet finds a formula, some of them only if it splits the row by another separator."""


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_an_exported_csv_begins_as_a_formula(text: str) -> None:
    """Whatever the spreadsheet splits the cell by, and whether or not it takes quotes off."""
    for separator in ("\n", ";", "\t", "|"):
        for cell in mark(text).replace("\r", "\n").split(separator):
            assert not cell.strip('"').startswith(("=", "+", "-", "@", "\t"))


@pytest.mark.parametrize(
    "text", ["+79000000001", "-5", "12.5", "Anna; Boris", "a=b", "1 - 2", "5+1", "", "https://a.ru/?a=1"]
)
def test_what_is_no_formula_is_exported_as_it_is(text: str) -> None:
    assert mark(text) == text


@pytest.mark.parametrize("format", ["csv", "xlsx"])
async def test_more_messages_than_two_pages_are_exported_each_once(demo: ApiClient, format: str) -> None:  # noqa: A002
    ids = await send_all(demo, phones(450), STEP)
    _, raw = await export(demo, format=format)
    if format == "csv":
        found = [row["id"] for row in csv.DictReader(io.StringIO(raw.decode("utf-8-sig")))]
    else:
        headings, *lines = CalamineWorkbook.from_filelike(io.BytesIO(raw)).get_sheet_by_index(0).to_python()
        found = [str(line[headings.index("id")]) for line in lines]
    assert sorted(found) == sorted(ids)


async def test_csv(demo: ApiClient) -> None:
    ids = await send_all(demo, [{**person, "externalId": f"=1+{i}"} for i, person in enumerate(phones(210))], STEP)
    response, raw = await export(demo)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert sorted(row["id"] for row in rows) == sorted(ids)
    by_phone = {row["phone"]: row for row in rows}
    assert by_phone[phone(105)]["externalId"] == "'=1+5"


async def test_a_workbook(demo: ApiClient) -> None:
    ids = await send_all(demo, [{**person, "externalId": f"=1+{i}"} for i, person in enumerate(phones(5))], STEP)
    response, raw = await export(demo, format="xlsx", phone=phone(102))
    assert response.headers["Content-Disposition"] == "attachment; filename=messages.xlsx"
    with zipfile.ZipFile(io.BytesIO(raw)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert [key in sheet for key in ids] == [False, False, True, False, False]
    assert "=1+2" in sheet
    assert "<f>" not in sheet
