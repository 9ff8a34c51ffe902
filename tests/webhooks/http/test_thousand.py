"""A thousand requests of strangers and callers, of all sizes and to all routes: everybody else goes on being served."""

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Iterator
from random import Random
from urllib.parse import quote

import pytest

from tests.support.client import PHONE, ApiClient
from tests.support.hostile.requests import HostileRequests
from tests.support.hostile.sizes import WORDS, grown
from tests.support.hostile.stalls import BLOCKED, watched
from tests.support.http.stranger import Reply, Stranger
from webhooks.http.context import API_BODY

COUNT, SEED, AT_ONCE = 1000, 5, 8
SMALLEST = 64

Request = tuple[str, str, dict[str, str], bytes]


def size(random: Random) -> int:
    """Return a size up to the bound; small ones and large ones are equally frequent."""
    return int(math.exp(random.uniform(math.log(SMALLEST), math.log(API_BODY))))


def requests(description: object, channels: list[str], key: str) -> Iterator[Request]:
    """Yield requests to all documented routes and to those that need no key, with a key and without."""
    assert isinstance(description, dict)
    random, nasty = Random(SEED), HostileRequests(description, SEED)
    for _ in range(COUNT):
        method, path, headers, body = nasty.request()
        word = quote(random.choice(WORDS) * random.randint(1, 60), safe="")
        public = [f"/webhooks/{random.choice(channels)}/demo?{word}", f"/l/{word}", f"/docs/{word}", f"/{word}"]
        if random.random() < 0.3:
            method, path = random.choice(["GET", "POST"]), random.choice(public)
        headers = {name: value for name, value in headers.items() if value}
        if random.random() < 0.6:
            headers["Authorization"] = f"Bearer {key}"
        yield method, path, headers, grown(body, random, size(random))


@pytest.mark.timeout(600)
async def test_a_thousand_strangers_keep_nobody_waiting(demo: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    async with demo.http.get("/openapi.json") as response:
        description = await response.json()
    stranger, statuses = Stranger(demo.environment.url), Counter[int]()
    waiting = requests(description, list(demo.environment.simulators), demo.environment.key)

    async def ask() -> None:
        for method, path, headers, body in waiting:
            reply: Reply = await stranger.ask(method, path, body, headers)
            statuses[reply.status] += 1
            assert reply.status < 500, (method, path, headers, body[:300], reply.body[:300])

    with watched() as stalls, caplog.at_level(logging.ERROR):
        await asyncio.gather(*(ask() for _ in range(AT_ONCE)))
    print(f"{COUNT} requests, {dict(statuses)}: the longest stall {stalls.longest * 1000:.0f} ms")  # noqa: T201 - what is measured is to be read, with -s
    assert statuses.total() == COUNT
    assert statuses.keys() >= {200, 400, 401, 404}
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
    assert stalls.longest < BLOCKED
    await demo.wait_for(await demo.send({"channel": "sms", "text": "Still well"}, phone=PHONE), "DELIVERED")
