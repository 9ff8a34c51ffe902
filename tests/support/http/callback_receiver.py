"""A business's own server, which is told by the gateway what became of its messages."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from quart import Quart, Response, request

from webhooks.http.server import served


@dataclass
class CallbackReceiver:
    """`calls`: headers and body of all calls; `taken`: what was said 200 to. `answers`: what the next ones are told."""

    url: str = ""
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    taken: list[Any] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    hangs: bool = False

    async def take(self) -> Response:
        body = await request.get_data()
        raw = body if isinstance(body, bytes) else body.encode()
        self.calls.append((dict(request.headers), raw))
        if self.hangs:
            await asyncio.sleep(60)
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            self.taken.append(json.loads(raw))
        return Response("", status, {"Location": f"{self.url}/elsewhere"} if status == 302 else None)

    def events_of(self, key: str) -> list[Any]:
        """What was taken of one message."""
        return [told for told in self.taken if told["id"] == key]


@asynccontextmanager
async def opened_callback_receiver() -> AsyncIterator[CallbackReceiver]:
    receiver, app = CallbackReceiver(), Quart("receiver")
    app.add_url_rule("/told", view_func=receiver.take, methods=["POST"])
    app.add_url_rule("/elsewhere", view_func=receiver.take, methods=["GET", "POST"])
    async with served(app, grace=0.1) as url:
        receiver.url = f"{url}/told"
        yield receiver
