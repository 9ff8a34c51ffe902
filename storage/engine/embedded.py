"""A MongoDB-compatible server on this machine, for those who have none: SecantusDB, always a process of its own.

Nothing of it is imported: we start the program, talk to it over MongoDB's wire protocol, and stop it.
"""

import asyncio
import fcntl
import random
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from storage.engine.database import DatabaseError, connect, ping

SERVERS = ("secantusd-rs", "secantusd-py")
"""The programs that are looked for, the fastest first."""

PRIVATE = 0o700
"""The mode of the folder: nobody else on this machine reads the files in it."""

START = timedelta(seconds=60)
OPTIONS = "directConnection=true&retryWrites=false&maxPoolSize=16"
"""One thread serves one socket there, and retryable writes cost four fifths of its speed."""


class EmbeddedError(Exception):
    """The embedded database is not available; the message says why."""


@asynccontextmanager
async def embedded(
    folder: Path, *, servers: Sequence[str] = SERVERS, patience: timedelta = START
) -> AsyncIterator[str]:
    """Open the database in `folder` and yield its URI: started here, or by another process of ours.

    It stops with the process that started it, however that ends. `servers`: the programs, by name or path, of which the
    first that is installed is started; `patience`: how long it may take to answer. Raises EmbeddedError.
    """
    uri_file = folder / "uri"
    with _lock(folder) as ours:
        if not ours:
            yield await _wait_for_uri(uri_file, patience)
            return
        uri_file.unlink(missing_ok=True)
        async with _started(folder, servers, patience) as uri:
            uri_file.write_text(uri)
            yield uri


@asynccontextmanager
async def _started(folder: Path, servers: Sequence[str], patience: timedelta) -> AsyncIterator[str]:
    port = free_port()
    with (folder / "database.log").open("ab") as log:
        command = [sys.executable, "-m", "storage.engine.watchdog", *server_command(servers, folder, port)]
        # A session of its own: a terminal's Ctrl-C reaches us alone, and we finish what is under way before it ends.
        with subprocess.Popen(  # noqa: S603, ASYNC220 - our own launcher's words
            command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True
        ) as process:
            try:
                uri = f"mongodb://127.0.0.1:{port}/?{OPTIONS}"
                await _wait_until_ready(uri, folder, patience)
                yield uri
            finally:
                if process.stdin:
                    process.stdin.close()
                await asyncio.to_thread(process.wait)


async def _wait_for_uri(uri_file: Path, patience: timedelta) -> str:
    """Return the URI of the server that another process has started or is starting. Raises EmbeddedError."""
    for _ in range(int(patience.total_seconds() * 10)):
        if uri := await asyncio.to_thread(_read, uri_file):
            return uri
        await asyncio.sleep(0.1)
    raise EmbeddedError(f"another gateway holds {uri_file.parent}, but its database has not started")


def _read(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def server_command(servers: Sequence[str], folder: Path, port: int) -> list[str]:
    """Return the command of the first installed server. Every commit is synced: acknowledged writes survive kill -9."""
    program = next((found for server in servers if (found := find_program(server))), None)
    if program:
        storage = ["--storage-path", str(folder / "database"), "--cache-size", "256M", "--sync-on-commit"]
        return [program, *storage, "--host", "127.0.0.1", "--port", str(port), *_own_options(program, folder)]
    raise EmbeddedError(
        "MONGODB_URI is not set and the embedded database is not installed: "
        "set MONGODB_URI to a replica set, or pip install 'messenger-gateway[embedded]'"
    )


def _own_options(program: str, folder: Path) -> list[str]:
    """Return the options that only one of the servers has.

    standalone: nobody reads an oplog here, which costs a write for each of ours, and pruning for ever once it is long.
    """
    match Path(program).name:
        case "secantusd-py":
            return ["--standalone"]
        case "secantusd-rs":
            (folder / "database.toml").touch()
            return ["--config", str(folder / "database.toml"), "--log-file-max", "64MB"]
    return []


def find_program(name: str) -> str | None:
    """Return the path of a program: beside our Python, or where a shell finds it."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


@contextmanager
def _lock(folder: Path) -> Iterator[bool]:
    """Lock the folder and yield whether it is ours: two servers on one folder would refuse each other."""
    folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
    folder.chmod(PRIVATE)  # a folder that was there before, too
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


async def _wait_until_ready(uri: str, folder: Path, patience: timedelta) -> None:
    """Return once the server responds: server selection itself retries. Raises EmbeddedError."""
    db = connect(uri, "admin", patience=patience)
    try:
        await ping(db)
    except DatabaseError:
        raise EmbeddedError(f"the embedded database did not start; see {folder / 'database.log'}") from None
    finally:
        db.client.close()


def free_port() -> int:
    """Return a port where nobody listens and which no outgoing connection gets. Raises EmbeddedError."""
    for port in random.sample(PORTS, 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise EmbeddedError("no free port was found")


PORTS = range(20_000, 32_000)
"""Ports below those that Linux and macOS give to outgoing connections."""
