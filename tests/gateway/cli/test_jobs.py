"""Tests `gateway jobs`: each command does what the pages do, and says what came of it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from tests.support.client import PHONE, ApiClient
from tests.support.jobs import progress, table, wait_for_counts, wait_for_job_state
from tests.support.workload import phone, texts

Shell = Callable[..., Awaitable[Result]]


@pytest.fixture
def shell(demo: ApiClient) -> Shell:
    """Run `gateway jobs` with these arguments, in this process since there are so many, and expect this exit code."""
    environ = {"GATEWAY_URL": demo.environment.url, "GATEWAY_KEY": demo.environment.key}

    async def jobs(*arguments: str | Path, code: int = 0) -> Result:
        line = ["jobs", *map(str, arguments)]
        result = await asyncio.to_thread(CliRunner().invoke, main, line, env=environ)
        assert result.exit_code == code, (arguments, result.output)
        return result

    return jobs


async def test_a_job_is_made_filled_and_run_to_its_end(demo: ApiClient, shell: Shell, tmp_path: Path) -> None:
    key = (await shell("create", "November", "--kind", "sms", "-c", "sms", "--text", "Hi {{name}}")).stdout.strip()
    assert (await shell("change", key, "December", "-c", "sms", "--text", "Bye {{name}}")).stdout.strip() == key
    people = tmp_path / "people.csv"
    people.write_bytes(table(["phone", "name"], [PHONE, "Anna"], ["12", "Boris"]))
    await shell("upload", key, people, code=1)
    files = (await shell("files", key)).stdout.split()
    assert files[1:] == ["1", "rows", "1", "refused", "people.csv"]
    await shell("take-out", key, files[0])
    assert (await progress(demo, key))["total"] == 0
    await shell("upload", key, people, code=1)
    assert "    1  sms first" in (await shell("forecast", key)).stdout
    assert "December: " in (await shell("start", key)).stdout
    await wait_for_counts(demo, key, DELIVERED=1)
    shown, listed, rows = await shell("show", key), await shell("list"), await shell("rows", key)
    await shell("results", key, tmp_path / "results.xlsx")
    assert "December: done, 2 done and 1 refused of 1 rows" in shown.stdout
    assert [line.split()[0] for line in listed.stdout.splitlines()] == [key]
    assert [line.split()[:2] for line in rows.stdout.splitlines()] == [["2", "DELIVERED"]]
    assert (await shell("rows", key, "--state", "refused")).stdout.split()[:2] == ["3", "REFUSED"]
    assert (tmp_path / "results.xlsx").read_bytes()[:2] == b"PK"
    assert texts(demo, "sms") == ["Bye Anna"]
    await shell("retry", key, "--may-work")
    await wait_for_job_state(demo, key, "done")
    await shell("delete", key)
    assert (await shell("list")).stdout == ""


async def test_a_job_is_paused_resumed_and_cancelled(demo: ApiClient, shell: Shell, tmp_path: Path) -> None:
    never = ("--hours", "00:00-00:01")
    key = (await shell("create", "Later", "-c", "sms", "--text", "Hi", *never)).stdout.strip()
    people = tmp_path / "people.csv"
    people.write_bytes(table(["phone"], [phone(2)]))
    await shell("upload", key, people)
    at = (demo.environment.runtime.clock().replace(microsecond=0)).strftime("%Y-%m-%dT%H:%M:%S%z")
    assert "Later: running" in (await shell("start", key, "--at", at)).stdout
    for verb, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        assert f"Later: {state}" in (await shell(verb, key)).stdout
    refused = await shell("pause", key, code=2)
    assert "This job is cancelled." in refused.stderr
