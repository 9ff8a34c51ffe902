"""One round of sending: messages are accepted, sent and settled, and each of them is accounted for."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp

from storage.documents.documents import Db
from tests.benchmarks.setup.account import phone
from tests.benchmarks.setup.meta import Entry
from tests.benchmarks.setup.setup import Meta
from tests.support.client import until

TOGETHER = 100
"""Destinations in one request."""

AT_ONCE = 4
"""Requests under way."""

PATIENCE = 120.0
ENDS = {"sent": "SENT", "delivered": "DELIVERED"}


class Lost(Exception):
    """A message did not arrive exactly once."""


@dataclass(frozen=True)
class Round:
    """A round of `count` messages; `seconds` from the first acceptance to the last settlement."""

    count: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.count / self.seconds


async def send_round(http: aiohttp.ClientSession, db: Db, meta: Meta, people: range, success: str) -> Round:
    """Send a message that succeeds by `success` to each of these people. Raises Lost unless each arrived once."""
    await meta.begin(*([] if success == "sent" else [success]))
    ids, ends = await submit(http, people, success), ENDS[success]

    async def all_arrived() -> bool:
        return await meta.count() >= len(ids)

    async def settled_stories() -> list[dict[str, Any]] | None:
        """Return the stories once all have ended. Where a receipt is required, it ends by that."""
        stories = await read_stories(db, ids)
        return stories if all("done_at" in story and story["status"] == ends for story in stories) else None

    await _wait_until("arrived", all_arrived)
    stories = await _wait_until(f"became {ends}", settled_stories)
    account_for(ids, stories, await meta.book())
    duration: timedelta = max(story["done_at"] for story in stories) - min(story["created_at"] for story in stories)
    return Round(len(ids), duration.total_seconds())


async def submit(http: aiohttp.ClientSession, people: range, success: str) -> list[str]:
    """Post the messages. Returns the ids. Raises Lost if one was refused."""
    limit = asyncio.Semaphore(AT_ONCE)

    async def request(numbers: range) -> list[str]:
        step = {"channel": "whatsapp", "text": "Your order A-17 is on its way.", "success": success}
        message = {"destinations": [{"phone": phone(n)} for n in numbers], "channels": [step], "priority": "normal"}
        async with limit, http.post("/api/v1/messages", json={"messages": [message]}) as response:
            answer = await response.json()
        if response.status != 202 or not all("id" in item for item in answer["messages"]):
            raise Lost(f"refused: {answer}")
        return [item["id"] for item in answer["messages"]]

    parts = [people[start : start + TOGETHER] for start in range(0, len(people), TOGETHER)]
    return [key for keys in await asyncio.gather(*map(request, parts)) for key in keys]


async def read_stories(db: Db, ids: Sequence[str]) -> list[dict[str, Any]]:
    """Return the stored status and times of these messages."""
    stories, fields = list[dict[str, Any]](), {"status": 1, "created_at": 1, "tried_at": 1, "done_at": 1}
    for start in range(0, len(ids), 500):
        query = {"_id": {"$in": ids[start : start + 500]}}
        stories += [document async for document in db["notifications"].find(query, fields)]
    return stories


def account_for(ids: Sequence[str], stories: Sequence[dict[str, Any]], book: Sequence[Entry]) -> None:
    """Check that each message is stored and stands in the book once. Raises Lost."""
    times = counts_by_message(book)
    if wrong_counts := {key: number for key in ids if (number := times.pop(key, 0)) != 1} | times:
        raise Lost(f"{len(wrong_counts)} messages did not arrive once, as {dict(list(wrong_counts.items())[:3])}")
    if len(stories) != len(ids):
        raise Lost(f"{len(ids) - len(stories)} accepted messages are not stored")


def counts_by_message(book: Sequence[Entry]) -> Counter[str]:
    """Return how often each message stands in the book, whose keys also name the attempt and the piece."""
    return Counter(entry.key.partition("/")[0] for entry in book)


async def _wait_until(event: str, condition: Any) -> Any:
    try:
        return await until(condition, PATIENCE)
    except TimeoutError:
        raise Lost(f"not all messages {event} within {PATIENCE:.0f} s") from None
