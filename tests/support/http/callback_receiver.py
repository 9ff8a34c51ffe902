"""A business's own server, to which the gateway posts callbacks about messages."""

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
    """A server that records callbacks.

    calls: headers and body of all calls. accepted: the bodies that were answered 200. answers: the statuses of the
    next answers, 200 once they are used up. hangs: no call is answered within a minute.
    """

    url: str = ""
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    accepted: list[Any] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    hangs: bool = False

    async def receive(self) -> Response:
        """Record one call and answer it."""
        body = await request.get_data()
        raw = body if isinstance(body, bytes) else body.encode()
        self.calls.append((dict(request.headers), raw))
        if self.hangs:
            await asyncio.sleep(60)
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            self.accepted.append(json.loads(raw))
        return Response("", status, {"Location": f"{self.url}/elsewhere"} if status == 302 else None)

    def events_of(self, key: str) -> list[Any]:
        """Return the accepted events of one message, in their order of arrival."""
        return [event for event in self.accepted if event["id"] == key]


@asynccontextmanager
async def opened_callback_receiver() -> AsyncIterator[CallbackReceiver]:
    """Serve a callback receiver while the block runs."""
    receiver, app = CallbackReceiver(), Quart("receiver")
    app.add_url_rule("/callbacks", view_func=receiver.receive, methods=["POST"])
    app.add_url_rule("/elsewhere", view_func=receiver.receive, methods=["GET", "POST"])
    async with served(app, grace=0.1) as url:
        receiver.url = f"{url}/callbacks"
        yield receiver
