"""Tests that the process that reads a file ends with the gateway that asked for it."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from gateway.messages.jobs.files.frames import Reading
from gateway.messages.jobs.files.reading import CHILD
from gateway.messages.jobs.files.rows import Terms
from tests.support.client import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")

GATEWAY = """
import msgspec, os, subprocess, sys
from gateway.messages.jobs.files.frames import Reading
reading = msgspec.structs.replace(msgspec.json.decode(sys.argv[2], type=Reading), parent=os.getpid())
child = subprocess.Popen([sys.executable, "-m", sys.argv[1], msgspec.json.encode(reading).decode()])
print(child.pid, flush=True)
child.wait()
"""
"""A process that has a file read which never ends, in the place of a gateway."""


@asynccontextmanager
async def reading_without_end() -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """Yield a gateway, and the id of its process that reads."""
    request = msgspec.json.encode(Reading(Terms("RU"), 1000, 1 << 30, 60, 180, 0)).decode()
    out, into = os.pipe()
    gateway = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", GATEWAY, CHILD, request),
        stdin=out,
        stdout=PIPE,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        yield gateway, int(await gateway.stdout.readline() if gateway.stdout else b"")
    finally:
        if gateway.returncode is None:
            gateway.kill()
        await gateway.wait()
        for end in (out, into):
            os.close(end)


def has_limits(process: int) -> bool:
    """Tell whether the process has begun to read: its limits are set then, and nothing more is opened."""
    lines = Path(f"/proc/{process}/limits").read_text().splitlines()
    return any(line.split()[:4] == ["Max", "open", "files", "3"] for line in lines)


def has_ended(process: int) -> bool:
    """Tell whether nothing of the process is left but its name, for whoever adopted it."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except FileNotFoundError:
        return True
    return status.rpartition(")")[2].split()[0] in {"Z", "X"}


async def seen(condition: Callable[[int], bool], process: int) -> None:
    """Wait until this is so of a process."""

    async def told() -> bool | None:
        return condition(process) or None

    await until(told)


async def test_a_reader_ends_with_its_gateway() -> None:
    async with reading_without_end() as (gateway, reader):
        await seen(has_limits, reader)
        gateway.kill()
        await seen(has_ended, reader)


async def test_a_reader_whose_gateway_has_ended_before_does_not_begin() -> None:
    async with reading_without_end() as (gateway, reader):
        gateway.kill()
        await seen(has_ended, reader)
