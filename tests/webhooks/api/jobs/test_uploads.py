"""Tests uploads of files: their forms, their sizes, and files that are made to do harm."""

import io
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable
from functools import cache
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from gateway.domain.model.job import Upload
from gateway.messages.jobs.files.headings import REFUSED_WHY
from gateway.messages.jobs.uploads import MOST
from gateway.runtime.settings.tuning import Tuning
from storage import jobs
from tests.support.books import book, cell
from tests.support.client import ApiClient
from tests.support.jobs import create_draft, progress, table, upload
from tests.support.workload import phone
from webhooks.http.uploads import FORM, LARGEST


async def post(demo: ApiClient, key: str, data: Any, **headers: str) -> tuple[int, Any]:
    async with demo.http.post(f"/api/v1/jobs/{key}/rows", data=data, headers=headers) as response:
        return response.status, await response.json()


async def post_form(demo: ApiClient, key: str, *files: bytes, name: str = "people.csv") -> tuple[int, Any]:
    form = aiohttp.FormData({"comment": "November"})
    for raw in files:
        form.add_field("file", io.BytesIO(raw), filename=name)
    body = form()
    return await post(demo, key, body, **{"Content-Type": body.content_type})


async def test_a_form_is_read_as_its_file_is(demo: ApiClient) -> None:
    key, raw = (await create_draft(demo))["id"], table(["phone"], [phone(1)], ["12"])
    status, answer = await post_form(demo, key, raw)
    assert (status, answer["accepted"], answer["refused"]) == (200, 1, 1)
    assert await upload(demo, key, raw) == (status, answer)
    assert (await progress(demo, key))["total"] == 1


async def test_a_form_without_a_file_or_with_two_is_refused(demo: ApiClient) -> None:
    key, raw = (await create_draft(demo))["id"], table(["phone"], [phone(1)])
    for files in ((), (raw, raw)):
        status, answer = await post_form(demo, key, *files)
        assert (status, answer["details"]["code"]) == (400, "bad_file")
    assert (await progress(demo, key))["total"] == 0


@pytest.mark.parametrize("body", [b"", b"--x", b"--x\r\n\r\nnothing\r\n--x--", b"--x\r\n" + b"a" * 300_000])
@pytest.mark.parametrize("boundary", ["", "; boundary=x"])
async def test_what_is_no_form_is_refused(demo: ApiClient, body: bytes, boundary: str) -> None:
    key = (await create_draft(demo))["id"]
    status, answer = await post(demo, key, body, **{"Content-Type": f"multipart/form-data{boundary}"})
    assert status in {400, 413}, answer


def file_of(size: int) -> bytes:
    """Return a file of this size, of four rows; most of it stands in a column that is passed over."""
    lines = [f"phone,{REFUSED_WHY}\n".encode(), *(f"{phone(number)},\n".encode() for number in range(4))]
    share, rest = divmod(size - sum(map(len, lines)), 4)
    padding = [b"", b"x" * (share + rest), *[b"x" * share] * 3]
    return b"".join(line[:-1] + pad + b"\n" for line, pad in zip(lines, padding, strict=True))


async def chunks(raw: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(raw), 1 << 20):
        yield raw[start : start + (1 << 20)]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [1 << 20, 8 << 20, LARGEST, LARGEST + 1, LARGEST + (1 << 20)])
async def test_files_up_to_the_largest_are_taken(demo: ApiClient, size: int, chunked: bool) -> None:  # noqa: FBT001
    key, raw = (await create_draft(demo))["id"], file_of(size)
    assert len(raw) == size
    try:
        status, answer = await post(demo, key, chunks(raw) if chunked else io.BytesIO(raw))
    except aiohttp.ClientOSError:  # the answer came, and the connection ended, while this client was still sending
        assert size > LARGEST + 1
        status, answer = 413, {}
    assert status == (200 if size <= LARGEST else 413), answer
    assert (await progress(demo, key))["total"] == answer.get("accepted", 0)


@pytest.mark.parametrize("place", ["before", "after"])
async def test_a_form_has_little_around_its_file(demo: ApiClient, place: str) -> None:
    key = (await create_draft(demo))["id"]
    file = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nphone\n79000000001\r\n'
    for size, expected in ((FORM - 1000, 200), (4 * FORM, 413)):
        other = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"a" * size + b"\r\n"
        body = b"".join([other, file] if place == "before" else [file, other]) + b"--x--\r\n"
        status, answer = await post(demo, key, body, **{"Content-Type": "multipart/form-data; boundary=x"})
        assert status == expected, answer
    assert (await progress(demo, key))["total"] == 1


async def test_the_largest_file_in_a_form_is_taken_and_a_larger_one_is_not(demo: ApiClient) -> None:
    key = (await create_draft(demo))["id"]
    assert [(await post_form(demo, key, file_of(size)))[0] for size in (LARGEST, LARGEST + 1)] == [200, 413]


async def test_a_million_rows_are_taken_and_one_more_is_not(demo: ApiClient) -> None:
    key, db = (await create_draft(demo))["id"], demo.environment.runtime.db
    job = await jobs.get(db, key)
    assert job
    assert await jobs.save(db, replace(job, uploads=(Upload("earlier", MOST - 3, refused=1),)))
    status, answer = await upload(demo, key, table(["phone"], [phone(1)], [phone(2)], ["12"]))
    assert (status, answer["details"]["code"]) == (400, "too_many")
    assert await db["batches"].count_documents({}) + await db["refused_rows"].count_documents({}) == 0
    status, answer = await upload(demo, key, table(["phone"], [phone(1)], ["12"]))
    assert (status, answer["total"]) == (200, MOST - 2)


def far_apart() -> bytes:
    first, last = b'<row r="1">' + cell("A1") + b"</row>", b'<row r="1048576">' + cell("XFD1048576") + b"</row>"
    return book(first + last)


def far_apart_unseen() -> bytes:
    """The same, written so that only the reader itself sees it."""
    return book(b"".join(b'<row x="%s">' % (b"x" * 300) + cell(place) + b"</row>" for place in ("A1", "B2")) + LAST)


LAST = b'<row><c x="%s" r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>' % (b"x" * 300)


def moved_cell() -> bytes:
    """A cell of one row says that it belongs to another."""
    return book(b'<row r="1">' + cell("A1") + b'</row><row r="2">' + cell("A2", "1") + cell("B3") + b"</row>")


@cache
def bomb() -> bytes:
    return book(b"", **{"xl/media/a.bin": b"\0" * (300 << 20)})


def lying_bomb() -> bytes:
    """Its headers say that it is small."""
    raw, size = bytearray(bomb()), (300 << 20).to_bytes(4, "little")
    while (place := raw.find(size)) >= 0:
        raw[place : place + 4] = (100).to_bytes(4, "little")
    return bytes(raw)


def many_columns() -> bytes:
    return b",".join([b"phone", *(b"c%d" % number for number in range(40_000))]) + b"\n" + b"," * 40_000


def deep() -> bytes:
    return book(b"<row>" * 200_000)


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    xml = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "ha">{entities}]><sst><si><t>&l11;</t></si></sst>'
    return book(b'<row r="1"><c r="A1" t="s"><v>0</v></c></row>', **{"xl/sharedStrings.xml": xml.encode()})


HOSTILE: list[Callable[[], bytes]] = [
    *(far_apart, far_apart_unseen, moved_cell, bomb, lying_bomb),
    *(many_columns, deep, laughs),
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.__name__)
async def test_a_file_that_is_made_to_do_harm_is_refused_by_its_name(
    demo: ApiClient, hostile: Callable[[], bytes]
) -> None:
    key = (await create_draft(demo))["id"]
    status, answer = await post_form(demo, key, hostile(), name="people.xlsx")
    assert status == 400, answer
    assert answer["details"]["code"] in {"bad_file", "too_many"}
    assert answer["error"].startswith("people.xlsx: "), answer
    assert (await upload(demo, key, table(["phone"], [phone(1)])))[0] == 200


@pytest.mark.parametrize(
    ("tuning", "note", "words"),
    [
        (Tuning(file_seconds=1), 0, "too long"),
        (Tuning(file_deadline=1), 0, "too long"),
        (Tuning(file_memory=64 << 20), 250, "too much memory"),
    ],
    ids=["time", "deadline", "memory"],
)
async def test_a_file_that_takes_too_much_is_refused_and_leaves_nothing(
    demo: ApiClient, tuning: Tuning, note: int, words: str
) -> None:
    runtime, key = demo.environment.runtime, (await create_draft(demo))["id"]
    runtime.settings = replace(runtime.settings, tuning=tuning)
    raw = b"phone,note\n" + b"".join(f"{phone(number)},{'x' * note}\n".encode() for number in range(100_000))
    status, answer = await post_form(demo, key, raw)
    assert (status, words in answer["error"]) == (400, True), answer
    assert answer["error"].startswith("people.csv: ")
    assert await runtime.db["batches"].count_documents({}) == 0


def test_the_lying_bomb_is_one() -> None:
    """It would unpack to more than its headers say."""
    raw = lying_bomb()
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        part = archive.getinfo("xl/media/a.bin")
        compressed = raw[part.header_offset + 30 + len(part.filename) :][: part.compress_size]
    assert part.file_size == 100
    assert len(zlib.decompressobj(-15).decompress(compressed, 1 << 20)) == 1 << 20
