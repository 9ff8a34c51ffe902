"""A webhook server of bare Quart that verifies signatures and drops bodies; our own figures are ratios of its."""

import asyncio
import hashlib
import hmac

import uvloop
from hypercorn.asyncio import serve
from hypercorn.config import Config
from quart import Quart, request
from quart.typing import ResponseReturnValue

from tests.benchmarks.floors import PORT, open_store
from tests.benchmarks.setup.account import SECRET

app = Quart("bare")


async def main() -> None:
    store = open_store()

    @app.post("/webhooks")
    async def webhook() -> ResponseReturnValue:
        body = await request.body
        proof = "sha256=" + hmac.new(SECRET.reveal().encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(proof, request.headers.get("X-Hub-Signature-256", "")):
            return "", 401
        await store(body)
        return "", 200

    config = Config.from_mapping(
        bind=[f"127.0.0.1:{PORT}"],
        accesslog=None,
        loglevel="WARNING",
        include_server_header=False,
        keep_alive_max_requests=1_000_000,
    )
    await serve(app, config, shutdown_trigger=asyncio.Event().wait)


uvloop.run(main())
