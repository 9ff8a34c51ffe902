"""Tests that a file of many rows does not hold up whatever else the process has to do."""

from tests.support.client import ApiClient
from tests.support.hostile.stalls import BLOCKED, watched
from tests.support.http.stranger import Stranger
from tests.support.jobs import create_draft, move, progress

ROWS = 10_000
"""A tenth of the most: what is done goes in batches, so that more rows are more of the same."""


async def test_a_file_of_many_rows_leaves_others_their_turn(demo: ApiClient) -> None:
    """Half of them are refused. What is read, stored and submitted goes in batches, and others have a turn between."""
    caller = Stranger(demo.environment.url, {"Authorization": f"Bearer {demo.environment.key}"})
    key = (await create_draft(demo))["id"]
    lines = [f"{79_000_000_000 + number},Anna" if number % 2 else f"{number},Boris" for number in range(ROWS)]
    raw = "\n".join(["phone,name", *lines]).encode()
    with watched() as stalls:
        reply = await caller.ask("POST", f"/api/v1/jobs/{key}/rows", raw)
        assert reply.status == 200
        await move(demo, key, "start")
        await caller.ask("GET", f"/api/v1/jobs/{key}/rows/refused", headers={"Accept": "text/csv"})
        await move(demo, key, "cancel")
    assert (await progress(demo, key))["refused"] == ROWS // 2
    assert stalls.longest < BLOCKED
