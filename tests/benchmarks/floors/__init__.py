"""Alternative webhook servers for comparison, each written as its library's documentation shows it.

With a database's URI each makes one insert per call before it answers. The command is
`python -m tests.benchmarks.floors.<module> PORT`.
"""

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

PORT = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 0
URI, DATABASE = os.environ.get("FLOOR_URI"), os.environ.get("FLOOR_DATABASE", "floor")

Store = Callable[[Any], Awaitable[object]]


def open_store() -> Store:
    """Return a function that stores a call, or discards it if no database is given."""
    if URI is None:
        return _discard
    from motor.motor_asyncio import AsyncIOMotorClient

    collection = AsyncIOMotorClient[dict[str, Any]](URI, w="majority")[DATABASE]["floor"]

    async def store(call: Any) -> object:
        return await collection.insert_one({"call": call})

    return store


async def _discard(_: Any) -> object:
    return None
