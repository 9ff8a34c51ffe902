"""The same calls as the gateway's from a bare loop, without a database or with a naive use of one, for comparison.

The loop runs in a process of its own, as the gateway does: see `python -m tests.benchmarks.load.calls --help`.
"""

import asyncio
import time
from datetime import UTC, datetime

import aiohttp
import click
import uvloop

from bots.whatsapp.outbound.sending import render
from gateway.domain.model.nouns import Content
from gateway.runtime.limits.admission import ROOM
from storage.documents.documents import Db
from storage.engine.database import connect
from tests.benchmarks.setup.account import account, address


async def call(http: aiohttp.ClientSession, url: str, number: int) -> None:
    """Send one message and read its id."""
    message = render(address(number).user, Content("Your order A-17 is on its way."), f"bare-{number}")
    headers = {"Authorization": f"Bearer {account(url).access_token.reveal()}"}
    async with http.post(f"{url}/v26.0/1/messages", json=message, headers=headers) as response:
        (await response.json())["messages"][0]["id"]


async def call_with_writes(http: aiohttp.ClientSession, url: str, number: int, db: Db) -> None:
    """Send one message with an insert before the call and an update after it, as most would write it."""
    document = {"_id": f"{time.monotonic()}-{number}", "to": number, "status": "NEW", "created_at": datetime.now(UTC)}
    await db["naive"].insert_one(document)
    await call(http, url, number)
    changes = {"status": "SENT", "done_at": datetime.now(UTC)}
    await db["naive"].update_one({"_id": document["_id"]}, {"$set": changes})


async def run(url: str, count: int, uri: str | None, name: str) -> float:
    """Make so many calls, with the gateway's number of calls under way. Returns the seconds that they took."""
    db, room = connect(uri, name) if uri else None, asyncio.Semaphore(ROOM)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def limited_call(number: int) -> None:
            async with room:
                await (call_with_writes(http, url, number, db) if db else call(http, url, number))

        begin = time.monotonic()
        await asyncio.gather(*map(limited_call, range(count)))
        return time.monotonic() - begin


@click.command()
@click.argument("url")
@click.argument("count", type=int)
@click.option("--uri", help="With an insert before each call and an update after it, in this server.")
@click.option("--name", default="bench", help="The database there.")
def main(url: str, count: int, uri: str | None, name: str) -> None:
    """Make COUNT calls to the stand-in at URL; print the seconds that they took."""
    click.echo(uvloop.run(run(url, count, uri, name)))


if __name__ == "__main__":
    main()
