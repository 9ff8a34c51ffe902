"""One round of sending: so many messages accepted, sent, settled, and each of them accounted for."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp

from storage.documents.documents import Db
from tests.benchmarks.stage.account import phone
from tests.benchmarks.stage.meta import Entry
from tests.benchmarks.stage.stage import Meta
from tests.support.client import until

TOGETHER = 100
"""Destinations in one request."""

AT_ONCE = 4
"""Requests under way."""

PATIENCE = 120.0
ENDS = {"sent": "SENT", "delivered": "DELIVERED"}


class Lost(Exception):
    """A message is not where it ought to be."""


@dataclass(frozen=True)
class Round:
    """`seconds` from the acceptance of the first to the settlement of the last."""

    count: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.count / self.seconds


async def send(http: aiohttp.ClientSession, db: Db, meta: Meta, people: range, success: str) -> Round:
    """A message to each of them, that succeeds when it is `success`. Raises Lost unless each arrived once."""
    await meta.begin(*([] if success == "sent" else [success]))
    ids, ends = await submit(http, people, success), ENDS[success]

    async def arrived() -> bool:
        return await meta.count() >= len(ids)

    async def rested() -> list[dict[str, Any]] | None:
        """A message of one step rests as soon as it is sent; a receipt settles it anew."""
        found = await read(db, ids)
        return found if all("done_at" in one and one["status"] == ends for one in found) else None

    await _within("arrived", arrived)
    stories = await _within(f"became {ends}", rested)
    account_for(ids, stories, await meta.book())
    took: timedelta = max(one["done_at"] for one in stories) - min(one["created_at"] for one in stories)
    return Round(len(ids), took.total_seconds())


async def submit(http: aiohttp.ClientSession, people: range, success: str) -> list[str]:
    """The ids of the accepted messages. Raises Lost where one was refused."""
    some = asyncio.Semaphore(AT_ONCE)

    async def request(numbers: range) -> list[str]:
        step = {"channel": "whatsapp", "text": "Your order A-17 is on its way.", "success": success}
        message = {"destinations": [{"phone": phone(n)} for n in numbers], "channels": [step], "priority": "normal"}
        async with some, http.post("/api/v1/messages", json={"messages": [message]}) as response:
            answer = await response.json()
        if response.status != 202 or not all("id" in item for item in answer["messages"]):
            raise Lost(f"refused: {answer}")
        return [item["id"] for item in answer["messages"]]

    parts = [people[start : start + TOGETHER] for start in range(0, len(people), TOGETHER)]
    return [key for keys in await asyncio.gather(*map(request, parts)) for key in keys]


async def read(db: Db, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Their stored status and times."""
    found, fields = list[dict[str, Any]](), {"status": 1, "created_at": 1, "done_at": 1}
    for start in range(0, len(ids), 500):
        some = {"_id": {"$in": ids[start : start + 500]}}
        found += [document async for document in db["notifications"].find(some, fields)]
    return found


def account_for(ids: Sequence[str], stories: Sequence[dict[str, Any]], book: Sequence[Entry]) -> None:
    """Each is stored, and stands in the book once. Raises Lost."""
    times = taken(book)
    if wrong := {key: number for key in ids if (number := times.pop(key, 0)) != 1} | times:
        raise Lost(f"{len(wrong)} messages did not arrive once, as {dict(list(wrong.items())[:3])}")
    if len(stories) != len(ids):
        raise Lost(f"{len(ids) - len(stories)} accepted messages are not stored")


def taken(book: Sequence[Entry]) -> Counter[str]:
    """How often each message stands in the book; the keys name the attempt and the piece, too."""
    return Counter(entry.key.partition("/")[0] for entry in book)


async def _within(what: str, there: Any) -> Any:
    try:
        return await until(there, PATIENCE)
    except TimeoutError:
        raise Lost(f"not all messages {what} within {PATIENCE:.0f} s") from None
