"""Helpers of the tests of jobs: they create a job with rows, move it, and wait for its state and results."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

from tests.support.client import PATIENCE, Caller, until

SMS = {"channel": "sms", "text": "Hi"}


def table(*rows: Sequence[object], separator: str = ",") -> bytes:
    """Return a CSV file of these rows, as spreadsheets write it."""
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue().encode()


async def create_draft(demo: Caller, **fields: Any) -> Any:
    """Create a job without rows. Returns the job."""
    body = {"name": "November", "channels": [SMS], **fields}
    status, response = await demo.post("/api/v1/jobs", body)
    assert status == 201, response
    return response


async def upload(demo: Caller, key: str, raw: bytes) -> tuple[int, Any]:
    """Upload a file of rows. Returns the status and the response."""
    async with demo.http.post(f"/api/v1/jobs/{key}/rows", data=raw) as response:
        return response.status, await response.json()


async def create_job(demo: Caller, phones: Iterable[str], **fields: Any) -> str:
    """Create a job with a row for each of these phones, and do not start it. Returns its id."""
    key = str((await create_draft(demo, **fields))["id"])
    status, response = await upload(demo, key, table(["phone"], *([phone] for phone in phones)))
    assert (status, response["faults"]) == (200, []), response
    return key


async def move(demo: Caller, key: str, verb: str) -> Any:
    """Start, pause, resume or cancel the job. Returns the job."""
    status, response = await demo.post(f"/api/v1/jobs/{key}/{verb}", {})
    assert status == 200, response
    return response


async def progress(demo: Caller, key: str) -> Any:
    """Return the job with its figures."""
    async with demo.http.get(f"/api/v1/jobs/{key}") as response:
        assert response.status == 200
        return await response.json()


async def wait_for_job_state(demo: Caller, key: str, state: str) -> Any:
    """Wait until the job is in this state. Returns the job."""

    async def job_in_state() -> Any:
        job = await progress(demo, key)
        return job if job["state"] == state else None

    return await until(job_in_state)


async def wait_for_counts(demo: Caller, key: str, **by_status: int) -> Any:
    """Wait until the job is done and has these counts of messages by status. Returns the job.

    The wait is long enough for receipts that only a late check finds.
    """

    async def counted_job() -> Any:
        job = await progress(demo, key)
        return job if (job["state"], job["byStatus"]) == ("done", by_status) else None

    try:
        return await until(counted_job, patience=2 * PATIENCE)
    except TimeoutError:
        raise AssertionError(f"not as expected: {await progress(demo, key)}") from None


async def row_results(demo: Caller, key: str) -> list[Any]:
    """Return the results of all rows, page by page."""
    rows, cursor = list[Any](), "0"
    while cursor:
        async with demo.http.get(f"/api/v1/jobs/{key}/rows", params={"cursor": cursor}) as response:
            page = await response.json()
        rows += page["rows"]
        cursor = page["cursor"]
    return rows
