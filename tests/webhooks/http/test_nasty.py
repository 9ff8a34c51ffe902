"""Ten thousand nonsensical requests: none is answered with 5xx, and no answer shows our internals."""

import asyncio
import json
import logging

import aiohttp
import pytest

from tests.support.client import PHONE, ApiClient
from tests.support.hostile.requests import HostileRequests

COUNT, SEED, CLIENTS = 10_000, 17, 20
INTERNALS = (b"Traceback", b'File "', b"site-packages", b"pymongo", b"msgspec.")


@pytest.mark.timeout(600)
async def test_ten_thousand(demo: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    async with demo.http.get("/openapi.json") as response:
        nasty = HostileRequests(await response.json(), SEED)
    wrong: list[str] = []
    statuses: dict[int, int] = {}
    requests = iter([nasty.request() for _ in range(COUNT)])

    async def ask() -> None:
        for method, path, headers, body in requests:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode("utf-8", "surrogatepass")
            try:
                async with demo.http.request(
                    method, path, headers=headers, data=raw, allow_redirects=False
                ) as response:
                    status, raw_answer = response.status, await response.read()
            except aiohttp.ClientError as error:
                status, raw_answer = 599, repr(error).encode()
            statuses[status] = statuses.get(status, 0) + 1
            if status >= 500 or any(word in raw_answer for word in INTERNALS):
                wrong.append(f"{status} {method} {path} {raw[:500]!r} -> {raw_answer[:300]!r}")

    with caplog.at_level(logging.ERROR):
        await asyncio.gather(*(ask() for _ in range(CLIENTS)))
    assert wrong == []
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
    assert sum(statuses.values()) == COUNT
    assert statuses.keys() >= {200, 202, 400, 404, 405}, statuses
    await demo.wait_for(await demo.send({"channel": "sms", "text": "Still well"}, phone=PHONE), "DELIVERED")
