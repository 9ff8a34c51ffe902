"""Keeps what was said to providers, without their secrets, and without holding anybody up for it.

Which texts are secrets is known by their type: every Secret of the account, wherever it stands and however it is
written there, also in what a provider says back.
"""

import asyncio
import html
import json
import logging
import re
from base64 import b64encode
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import uuid4

from msgspec import structs

from bots.wire.traces import HIDDEN, Exchange, Trace
from gateway.domain.channel.secret import Secret
from storage.engine.database import Db
from storage.messages import traces
from storage.messages.traces import TracedCall

log = logging.getLogger(__name__)

PAUSE = 0.2
"""Seconds in which calls gather that are written together."""

AT_ONCE, MOST = 200, 2000
"""Calls that are written together; and that wait for it at most: while so many do, later ones are not kept."""

READABLE = ("json", "urlencoded", "text/", "xml")
QUERY = re.compile(r"""(https?:[^\s"'<>?]*\?)[^\s"'<>]*""")
ESCAPE = re.compile("%[0-9A-F]{2}")


def secrets_of(accounts: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Secret]]:
    """All that stands in these accounts as a secret, by the accounts' whole names."""
    return {
        f"{channel}:{name}": [value for value in structs.asdict(account).values() if isinstance(value, Secret)]
        for channel, named in accounts.items()
        for name, account in named.items()
    }


class Tracer:
    """`secrets` of each account that calls; `wanted`: whether anything is to be kept."""

    def __init__(self, db: Db, secrets: Mapping[str, Iterable[Secret]], *, wanted: bool) -> None:
        self._db = db
        self._wanted = wanted
        self._forms = {account: _forms(of) for account, of in secrets.items()}
        self._waiting: deque[tuple[str, str, int, Exchange]] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._losing = False

    def keep(self, account: str, notification: str, attempt: int, trace: Trace) -> None:
        """Have these calls of the account written soon. If that cannot be, nobody fails for it."""
        if not (self._wanted and trace):
            return
        if len(self._waiting) >= MOST:
            self._lost(f"{MOST} wait for the database")
            return
        self._waiting += [(account, notification, attempt, exchange) for exchange in trace]
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
                self._losing = False
            except Exception as error:  # noqa: BLE001 - a trace is not worth anybody's failing
                self._waiting.clear()
                self._lost(error)

    def _lost(self, why: object) -> None:
        """Said once, until some are kept again."""
        if not self._losing:
            log.warning("calls to providers are not kept: %s", why)
        self._losing = True

    def _line(self, account: str, notification: str, attempt: int, exchange: Exchange) -> TracedCall:
        forms = self._forms[account]
        # Addresses that providers give us have their proof in the query.
        answer = QUERY.sub(rf"\1{HIDDEN}", _text(exchange.answer_kind, exchange.answer, exchange.received, forms))
        return TracedCall(
            uuid4().hex,
            notification,
            attempt,
            datetime.fromtimestamp(exchange.began, UTC),
            exchange.method,
            _hidden(exchange.url, forms),
            _text(exchange.kind, exchange.request, exchange.sent, forms),
            exchange.status,
            answer,
            _hidden(exchange.retry_after, forms),
            exchange.broke,
            round(exchange.seconds * 1000),
        )


def _text(kind: str, body: bytes | bytearray, size: int, forms: Sequence[str]) -> str:
    """A body to be read, cut where it is long; of files only what and how large they are."""
    if not body:
        return ""
    if not any(word in kind for word in READABLE):
        return f"<{kind.partition(';')[0] or 'no type'}, {size} bytes>"
    text = _hidden(body.decode("utf-8", "replace"), forms)
    if size <= len(body):
        return text
    # It may have been cut in the middle of a secret.
    return f"{text[: len(text) - max(map(len, forms), default=0)]}... <{size} bytes in all>"


def _hidden(text: str, forms: Sequence[str]) -> str:
    for form in forms:
        text = text.replace(form, HIDDEN)
    return text


def _forms(secrets: Iterable[Secret]) -> list[str]:
    """Each as it stands in a text, a URL, a form, a JSON, a page; the longest first, as one may hold another."""
    return sorted({form for secret in secrets for form in _written(secret.reveal())}, key=len, reverse=True)


def _written(secret: str) -> Iterator[str]:
    for escaped in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield escaped
        yield ESCAPE.sub(lambda escape: escape[0].lower(), escaped)
    yield html.escape(secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret)[1:-1].replace("/", r"\/")
    yield from _in_base64(secret.encode())


def _in_base64(secret: bytes) -> Iterator[str]:
    """As HTTP's Basic has it: of `name:secret` those characters that tell of nothing but the secret."""
    for before in range(3):
        whole = b64encode(bytes(before) + secret).decode()
        yield whole[-(-before * 8 // 6) : (before + len(secret)) * 8 // 6]
