"""Describes the machine on which the figures were measured."""

import os
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path

from storage.engine.database import connect
from storage.engine.embedded import SERVERS, server_command
from tests.benchmarks.setup.setup import opened_database


async def describe_machine() -> str:
    """Return machine, Python and database server in one line."""
    cores = f"{os.cpu_count()} cores {platform.machine()}, {platform.system()}"
    return f"{cores}; Python {platform.python_version()}; {await _server()}"


async def _server() -> str:
    if "MONGODB_URI" not in os.environ:
        with tempfile.TemporaryDirectory() as folder:
            return (
                f"embedded {Path(server_command(SERVERS, Path(folder), 0)[0]).name}, SecantusDB {version('secantusdb')}"
            )
    async with opened_database() as database:
        db = connect(database.uri, database.name)
        info = await db.client.server_info()
        db.client.close()
    return f"the server of MONGODB_URI, {info['version']}"
