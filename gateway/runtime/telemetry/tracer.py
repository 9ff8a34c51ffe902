"""Keeps the calls to providers, without their secrets, and without delaying anybody.

Secrets are known by their type: every Secret of the account is hidden, wherever it stands and however it is encoded
there, also in what a provider answers.
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
from storage.documents.documents import Db
from storage.messages import traces
from storage.messages.traces import TracedCall

log = logging.getLogger(__name__)

PAUSE = 0.2
"""Seconds for which calls gather, to be written together."""

AT_ONCE, MOST = 200, 2000
"""How many calls are written together, and how many may wait for it: later ones are not kept."""

READABLE = ("json", "urlencoded", "text/", "xml")
ADDRESS = re.compile(r"""https?:[^\s"'<>]*""")
ESCAPE = re.compile("%[0-9A-F]{2}")


def secrets_of(accounts: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Secret]]:
    """Return every Secret of these accounts, by channel:account."""
    return {
        f"{channel}:{name}": [value for value in structs.asdict(account).values() if isinstance(value, Secret)]
        for channel, tables in accounts.items()
        for name, account in tables.items()
    }


class Tracer:
    """Writes calls to the database in the background.

    secrets: those of each account, by channel:account. wanted: whether calls are kept at all.
    """

    def __init__(self, db: Db, secrets: Mapping[str, Iterable[Secret]], *, wanted: bool) -> None:
        self._db = db
        self._wanted = wanted
        self._forms = {account: forms_of(of) for account, of in secrets.items()}
        self._waiting: deque[tuple[str, str, int, Exchange]] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._losing = False

    def keep(self, account: str, notification: str, attempt: int, trace: Trace) -> None:
        """Write these calls of the account soon. What cannot be written is dropped with a warning."""
        if not (self._wanted and trace):
            return
        if len(self._waiting) >= MOST:
            self._drop(f"{MOST} wait for the database")
            return
        self._waiting += [(account, notification, attempt, exchange) for exchange in trace]
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(PAUSE))

    async def close(self) -> None:
        """Write the calls that still wait."""
        if self._writing:
            await self._writing
        await self._write(0)

    async def _write(self, pause: float) -> None:
        await asyncio.sleep(pause)
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
            try:
                await traces.add(self._db, [self._line(*call) for call in batch])
                self._losing = False
            except Exception as error:  # noqa: BLE001 - a trace is not worth anybody's failing
                self._waiting.clear()
                self._drop(error)

    def _drop(self, why: object) -> None:
        """Warn once, until calls are kept again."""
        if not self._losing:
            log.warning("calls to providers are not kept: %s", why)
        self._losing = True

    def _line(self, account: str, notification: str, attempt: int, exchange: Exchange) -> TracedCall:
        forms = self._forms[account]
        # Addresses that providers give us have their proof in the query.
        answer = ADDRESS.sub(_hide_query, _text(exchange.answer_kind, exchange.answer, exchange.received, forms))
        return TracedCall(
            uuid4().hex,
            notification,
            attempt,
            datetime.fromtimestamp(exchange.began, UTC),
            exchange.method,
            _hide(exchange.url, forms),
            _text(exchange.kind, exchange.request, exchange.sent, forms),
            exchange.status,
            answer,
            _hide(exchange.retry_after, forms),
            exchange.broke,
            round(exchange.seconds * 1000),
        )


def _text(kind: str, body: bytes | bytearray, size: int, forms: Sequence[str]) -> str:
    """Return a body as readable text, cut where it is long; of a file only its type and size in bytes."""
    if not body:
        return ""
    if not any(word in kind for word in READABLE):
        return f"<{kind.partition(';')[0] or 'no type'}, {size} bytes>"
    text = _hide(body.decode("utf-8", "replace"), forms)
    if size <= len(body):
        return text
    # It may have been cut in the middle of a secret.
    return f"{text[: len(text) - max(map(len, forms), default=0)]}... <{size} bytes in all>"


def _hide_query(address: re.Match[str]) -> str:
    base, mark, _ = address[0].partition("?")
    return f"{base}{mark}{HIDDEN}" if mark else base


def _hide(text: str, forms: Sequence[str]) -> str:
    for form in forms:
        text = text.replace(form, HIDDEN)
    return text


def forms_of(secrets: Iterable[Secret]) -> list[str]:
    """Return the secrets as texts, URLs, JSON and pages encode them; the longest first, since one may hold another."""
    return sorted({form for secret in secrets for form in _encodings(secret.reveal())}, key=len, reverse=True)


def _encodings(secret: str) -> Iterator[str]:
    for escaped in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield escaped
        yield ESCAPE.sub(lambda escape: escape[0].lower(), escaped)
    yield html.escape(secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret)[1:-1].replace("/", r"\/")
    yield from _base64_fragments(secret.encode())


def _base64_fragments(secret: bytes) -> Iterator[str]:
    """Yield the characters of base64(`name:secret`), as in HTTP Basic, that depend on nothing but the secret."""
    for offset in range(3):
        encoded = b64encode(bytes(offset) + secret).decode()
        yield encoded[-(-offset * 8 // 6) : (offset + len(secret)) * 8 // 6]
