"""What the tests of jobs share: one with its rows, its moves, and waiting for what becomes of it."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from tests.support.client import PATIENCE, Caller, until

SMS = {"channel": "sms", "text": "Hi"}


def table(*rows: Sequence[object], separator: str = ",") -> bytes:
    """A file as spreadsheets write it."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue().encode()


async def create_draft(demo: Caller, **fields: Any) -> Any:
    """A job without rows."""
    asked = {"name": "November", "channels": [SMS], **fields}
    status, told = await demo.post("/api/v1/jobs", asked)
    assert status == 201, told
    return told


async def upload(demo: Caller, key: str, raw: bytes) -> tuple[int, Any]:
    async with demo.http.post(f"/api/v1/jobs/{key}/rows", data=raw) as response:
        return response.status, await response.json()


async def create_job(demo: Caller, phones: Iterable[str], **fields: Any) -> str:
    """The id of a job with these people, that is not started yet."""
    key = str((await create_draft(demo, **fields))["id"])
    status, told = await upload(demo, key, table(["phone"], *([one] for one in phones)))
    assert (status, told["faults"]) == (200, []), told
    return key


async def move(demo: Caller, key: str, verb: str) -> Any:
    status, told = await demo.post(f"/api/v1/jobs/{key}/{verb}", {})
    assert status == 200, told
    return told


async def progress(demo: Caller, key: str) -> Any:
    async with demo.http.get(f"/api/v1/jobs/{key}") as response:
        assert response.status == 200
        return await response.json()


async def wait_for_job_state(demo: Caller, key: str, state: str) -> Any:
    """The job, as soon as it is in this state."""

    async def there() -> Any:
        told = await progress(demo, key)
        return told if told["state"] == state else None

    return await until(there)


async def wait_for_counts(demo: Caller, key: str, **by_status: int) -> Any:
    """The job, once it is done and has these messages by status: also those whose receipts wait for a late look."""

    async def there() -> Any:
        told = await progress(demo, key)
        return told if (told["state"], told["byStatus"]) == ("done", by_status) else None

    try:
        return await until(there, patience=2 * PATIENCE)
    except TimeoutError:
        raise AssertionError(f"not as expected: {await progress(demo, key)}") from None


async def row_results(demo: Caller, key: str) -> list[Any]:
    """What became of every row."""
    rows, cursor = list[Any](), "0"
    while cursor:
        async with demo.http.get(f"/api/v1/jobs/{key}/rows", params={"cursor": cursor}) as response:
            page = await response.json()
        rows += page["rows"]
        cursor = page["cursor"]
    return rows
