"""Keeps what was said to providers, without their secrets, and without holding anybody up for it.

Which texts are secrets is known by their type: every Secret of every account, wherever it stands and however it is
written there, also in what a provider says back.
"""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import uuid4

from bots.traces import Exchange, Trace
from gateway.settings import Secret
from storage import traces
from storage.database import Db
from storage.traces import Line

log = logging.getLogger(__name__)

HIDDEN = "•••"
PAUSE = 0.2
"""Seconds in which calls gather that are written together."""

AT_ONCE, MOST = 200, 20_000
"""Calls that are written together; and that wait for it at most, the database being away: later ones are not kept."""


def secrets_of(accounts: Mapping[str, Mapping[str, Any]]) -> Iterator[Secret]:
    """All that stands in these accounts as a secret."""
    for account in (account for named in accounts.values() for account in named.values()):
        values = (getattr(account, name) for name in account.__struct_fields__)
        yield from (value for value in values if isinstance(value, Secret))


class Tracer:
    """`wanted`: whether anything is to be kept."""

    def __init__(self, db: Db, secrets: Iterable[Secret], *, wanted: bool) -> None:
        self._db = db
        self._wanted = wanted
        self._hidden = sorted({form for secret in secrets for form in _forms(secret.reveal())}, key=len, reverse=True)
        self._waiting: deque[tuple[str, int, Exchange]] = deque(maxlen=MOST)
        self._writing: asyncio.Task[None] | None = None

    def keep(self, notification: str, attempt: int, trace: Trace) -> None:
        """Have these written soon. If that cannot be, nobody fails for it."""
        if not (self._wanted and trace):
            return
        self._waiting += [(notification, attempt, exchange) for exchange in trace]
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(PAUSE))

    async def close(self) -> None:
        """Write what is left."""
        if self._writing:
            await self._writing
        await self._write(0)

    async def _write(self, pause: float) -> None:
        await asyncio.sleep(pause)
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            try:
                await traces.add(self._db, [self._line(*one) for one in batch])
            except Exception as error:  # noqa: BLE001 - a trace is not worth anybody's failing
                log.warning("%d calls to providers are not kept: %s", len(batch), error)

    def _line(self, notification: str, attempt: int, exchange: Exchange) -> Line:
        return Line(
            uuid4().hex,
            notification,
            attempt,
            datetime.fromtimestamp(exchange.began, UTC),
            exchange.method,
            self._without_secrets(exchange.url),
            self._text(exchange.kind, exchange.request, exchange.sent),
            exchange.status,
            self._text(exchange.answer_kind, exchange.answer, exchange.received),
            exchange.retry_after,
            exchange.broke,
            round(exchange.seconds * 1000),
        )

    def _text(self, kind: str, body: bytearray, size: int) -> str:
        """A body to be read, cut where it is long; of files only what and how large they are."""
        if not body:
            return ""
        kind = kind or ("json" if body.startswith(b"{") else "")
        if "json" not in kind and "urlencoded" not in kind and not kind.startswith("text/"):
            return f"<{kind.partition(';')[0] or 'no type'}, {size} bytes>"
        text = self._without_secrets(body.decode("utf-8", "replace"))
        return text if size <= len(body) else f"{text}... <{size} bytes in all>"

    def _without_secrets(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, HIDDEN)
        return text


def _forms(secret: str) -> set[str]:
    """As it stands in a text, a URL, a form, a JSON."""
    return {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
