"""A client of the API, for the business's own services: typed, asynchronous, and safe to repeat.

async with Gateway("https://gateway.shop.ru", key) as gateway:
    (item,) = await gateway.send(Message(destinations=[Destination(phone="+79000000001")],
                                         channels=[Step(channel="sms", text="Hello")]))
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote
from uuid import uuid4

import aiohttp
import msgspec
from msgspec import UNSET, Struct

from gateway.domain.api.request import BulkRequest, CancelRequest, Destination
from gateway.domain.api.request import ButtonInput as Button
from gateway.domain.api.request import MediaInput as Media
from gateway.domain.api.request import MessageInput as Message
from gateway.domain.api.request import StepInput as Step
from gateway.domain.api.request import TemplateInput as Template
from gateway.domain.api.response import (
    BulkResponse,
    CancellationsResponse,
    CancellationView,
    ItemView,
    MessagesResponse,
    MessageView,
    StoryResponse,
)
from gateway.domain.api.signing import Unsigned, verify

__all__ = [
    "Button",
    "Destination",
    "Gateway",
    "GatewayError",
    "Media",
    "Message",
    "Step",
    "Template",
    "Unsigned",
    "problem",
    "verify",
]

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:8080"
TIMEOUT = aiohttp.ClientTimeout(total=60)
PAUSES = (0.5, 2.0, 8.0)
"""Seconds between tries, where the gateway names no other time."""

LONGEST_PAUSE = 30.0
AGAIN = {429, 502, 503, 504}
BAD = 400
ENDS = frozenset({"SENT", "DELIVERED", "READ", "UNDELIVERED", "EXPIRED", "ERROR", "CANCELLED"})


class GatewayError(Exception):
    """The gateway said no. `status`: HTTP's, 0 where nobody answered. `field`: the one that is wrong, or ""."""

    def __init__(self, status: int, error: str, details: Any = None) -> None:
        super().__init__(error)
        self.status, self.error, self.details = status, error, details

    @property
    def field(self) -> str:
        """The path of the field that is wrong, as in `messages[0].channels[0].text`."""
        return str(self.details.get("field", "")) if isinstance(self.details, dict) else ""


class Gateway:
    """A connection to one gateway.

    `url` and `key` are GATEWAY_URL and GATEWAY_KEY of the environment if they are not given. `pauses` are the seconds
    between tries where the gateway names no other time; there is one try more than there are pauses. Only requests that
    are safe to repeat are tried again. Every method raises GatewayError.
    """

    def __init__(self, url: str | None = None, key: str | None = None, *, pauses: Sequence[float] = PAUSES) -> None:
        self._url = (url or os.environ.get("GATEWAY_URL") or DEFAULT_URL).rstrip("/")
        self._key = key or os.environ.get("GATEWAY_KEY") or ""
        self._pauses = tuple(pauses)
        if not self._key:
            raise GatewayError(0, "GATEWAY_KEY: an API key is needed; gateway keys create makes one")

    async def __aenter__(self) -> Self:
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        self._http = aiohttp.ClientSession(headers=headers, timeout=TIMEOUT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def send(
        self, *messages: Message, bulk_id: str | None = None, idempotency_key: str | None = None
    ) -> list[ItemView]:
        """Send these; one item for each message and destination, each with an `id` or an `error`.

        It is repeated under one key until the gateway has answered, so nobody is messaged twice.
        """
        headers = {"Idempotency-Key": idempotency_key or uuid4().hex}
        body = BulkRequest(messages=list(messages), bulk_id=bulk_id)
        return (await self._call(BulkResponse, "POST", "/messages", body, headers=headers)).messages

    async def validate(self, *messages: Message) -> list[ItemView]:
        """What sending these would do, each step explained; nothing is sent."""
        return (
            await self._call(BulkResponse, "POST", "/messages/validate", BulkRequest(messages=list(messages)))
        ).messages

    async def status(self, key: str) -> StoryResponse:
        """All that became of a message so far."""
        return await self._call(StoryResponse, "GET", f"/messages/{quote(key, safe='')}")

    async def ended(self, key: str, patience: float = 60, every: float = 1) -> StoryResponse:
        """The message's story when nothing more is waited for, or after so many seconds of `patience`."""
        story = await self.status(key)
        while _goes_on(story) and patience > 0:
            await asyncio.sleep(every)
            patience, story = patience - every, await self.status(key)
        return story

    async def cancel(
        self, key: str | None = None, *, group_id: str | None = None, bulk_id: str | None = None
    ) -> list[CancellationView]:
        """Cancel one message, a group or a bulk; for each, `cancelled`, or `tooLate` and why."""
        body = CancelRequest(id=key, group_id=group_id, bulk_id=bulk_id)
        return (await self._call(CancellationsResponse, "DELETE", "/messages", body)).messages

    async def messages(self, **filters: str) -> AsyncIterator[MessageView]:
        """Messages on one line each, the newest first; the filters are the API's: status=, channel=, phone=, ..."""
        cursor: str | None = ""
        while cursor is not None:
            query = filters | ({"cursor": cursor} if cursor else {})
            page = await self._call(MessagesResponse, "GET", "/messages", query=query)
            for row in page.messages:
                yield row
            cursor = page.cursor

    async def _call(
        self,
        kind: type[T],
        method: str,
        path: str,
        body: Struct | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        sent = None if body is None else msgspec.json.encode(body)
        for pause in (*self._pauses, None):
            try:
                async with self._http.request(
                    method, f"{self._url}/api/v1{path}", data=sent, params=query, headers=headers
                ) as response:
                    raw, status = await response.read(), response.status
                    after = response.headers.get("Retry-After", "")
            except (aiohttp.ClientError, TimeoutError) as error:
                raw, status, after = str(error).encode(), 0, ""
            if status and status not in AGAIN:
                break
            if pause is not None:
                await asyncio.sleep(min(float(after), LONGEST_PAUSE) if after.isdigit() else pause)
        return _read(kind, status, raw)


def _goes_on(story: StoryResponse) -> bool:
    """Is it still under way, or a receipt to come?"""
    waits = any(attempt.status == "SENT" and attempt.success != "sent" for attempt in story.attempts)
    return story.status not in ENDS or story.next_at is not None or (story.status == "SENT" and waits)


def _read(kind: type[T], status: int, raw: bytes) -> T:
    """Raises GatewayError also for what no gateway says: a proxy's page."""
    try:
        if 0 < status < BAD:
            return msgspec.json.decode(raw, type=kind)
        told = msgspec.json.decode(raw)
        raise GatewayError(status, str(told["error"]), told.get("details"))
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError, KeyError):
        said = raw.decode(errors="replace")
        raise GatewayError(status, said[:500] or "the gateway does not answer") from None


def problem(item: ItemView) -> str:
    """Why an item was not accepted, in words; "" if it was."""
    return f"{item.error.field}: {item.error.message}" if item.error is not UNSET else ""
