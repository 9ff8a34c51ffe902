"""What a webhook could be answered by instead: each a small server of its own, as its library's documentation has it.

With a database's URI each makes one insert a call before it answers. Run: python -m tests.benchmarks.floors.<one> PORT.
"""

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

PORT = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1].isdigit() else 0
URI, DATABASE = os.environ.get("FLOOR_URI"), os.environ.get("FLOOR_DATABASE", "floor")

Keep = Callable[[Any], Awaitable[object]]


def keeper() -> Keep:
    """Stores what it is given, where it is wanted."""
    if URI is None:
        return _nothing
    from motor.motor_asyncio import AsyncIOMotorClient

    collection = AsyncIOMotorClient[dict[str, Any]](URI, w="majority")[DATABASE]["floor"]

    async def keep(call: Any) -> object:
        return await collection.insert_one({"call": call})

    return keep


async def _nothing(_: Any) -> object:
    return None
