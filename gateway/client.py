"""A client of the API for the business's own services: typed and asynchronous, it repeats what is safe to repeat.

async with Gateway("https://gateway.shop.ru", key) as gateway:
    (item,) = await gateway.send(Message(destinations=[Destination(phone="+79000000001")],
                                         channels=[Step(channel="sms", text="Hello")]))
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote
from uuid import uuid4

import aiohttp
import msgspec
from msgspec import UNSET, Struct

from gateway.domain.api.jobs import (
    ForecastResponse,
    JobFilesResponse,
    JobRequest,
    JobResponse,
    JobsResponse,
    JobView,
    RowResultsResponse,
    RowResultView,
    StartRequest,
)
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
    UploadedFileView,
    UploadResponse,
)
from gateway.domain.api.roles import Role
from gateway.domain.api.signing import Unsigned, verify
from gateway.domain.api.users import UserChangeRequest, UserRequest, UsersResponse, UserView

__all__ = [
    "Button",
    "Destination",
    "Gateway",
    "GatewayError",
    "Media",
    "Message",
    "Role",
    "Step",
    "Template",
    "Unsigned",
    "problem",
    "verify",
]

T = TypeVar("T")

DEFAULT_URL = "http://127.0.0.1:8080"
TIMEOUT = aiohttp.ClientTimeout(total=60)
BINARY = {"Content-Type": "application/octet-stream"}
FILE_TIMEOUT = aiohttp.ClientTimeout(total=600)
PAUSES = (0.5, 2.0, 8.0)
"""Seconds between tries, where the gateway names no other time."""

LONGEST_PAUSE = 30.0
RETRIED = {429, 502, 503, 504}
BAD = 400
FINAL = frozenset({"SENT", "DELIVERED", "READ", "UNDELIVERED", "EXPIRED", "ERROR", "CANCELLED"})


class GatewayError(Exception):
    """The gateway refused a request, or did not answer.

    status: the HTTP status, 0 where nobody answered. details: those of the response, as decoded JSON.
    """

    def __init__(self, status: int, error: str, details: Any = None) -> None:
        super().__init__(error)
        self.status, self.error, self.details = status, error, details

    @property
    def field(self) -> str:
        """Return the path of the field that is wrong, as in `messages[0].channels[0].text`, or ""."""
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
        headers = {"Authorization": f"Bearer {self._key}"}
        self._http = aiohttp.ClientSession(headers=headers, timeout=TIMEOUT)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()

    async def send(
        self, *messages: Message, bulk_id: str | None = None, idempotency_key: str | None = None
    ) -> list[ItemView]:
        """Send messages. Returns an item for each message and destination, with an `id` or an `error`.

        The request is repeated under one idempotency key until the gateway has answered, so nobody is messaged twice.
        """
        headers = {"Idempotency-Key": idempotency_key or uuid4().hex}
        body = BulkRequest(messages=list(messages), bulk_id=bulk_id)
        return (await self._call(BulkResponse, "POST", "/messages", body, headers=headers)).messages

    async def validate(self, *messages: Message) -> list[ItemView]:
        """Explain what sending these messages would do, step by step. Nothing is sent."""
        return (
            await self._call(BulkResponse, "POST", "/messages/validate", BulkRequest(messages=list(messages)))
        ).messages

    async def status(self, key: str) -> StoryResponse:
        """Return the story of a message: its status, attempts and decisions so far."""
        return await self._call(StoryResponse, "GET", f"/messages/{quote(key, safe='')}")

    async def ended(self, key: str, patience: float = 60, every: float = 1) -> StoryResponse:
        """Wait for a message to end, for at most `patience` seconds, and return its story.

        every: seconds between requests. A message has ended when neither an attempt nor a receipt is waited for.
        """
        story = await self.status(key)
        while _is_under_way(story) and patience > 0:
            await asyncio.sleep(every)
            patience, story = patience - every, await self.status(key)
        return story

    async def cancel(
        self, key: str | None = None, *, group_id: str | None = None, bulk_id: str | None = None
    ) -> list[CancellationView]:
        """Cancel one message, a group or a bulk. Returns for each message `cancelled`, or `tooLate` and why."""
        body = CancelRequest(id=key, group_id=group_id, bulk_id=bulk_id)
        return (await self._call(CancellationsResponse, "DELETE", "/messages", body)).messages

    async def messages(self, **filters: str) -> AsyncIterator[MessageView]:
        """Yield messages, the newest first. The filters are those of GET /messages: status=, channel=, phone=, ..."""
        cursor: str | None = ""
        while cursor is not None:
            query = filters | ({"cursor": cursor} if cursor else {})
            page = await self._call(MessagesResponse, "GET", "/messages", query=query)
            for row in page.messages:
                yield row
            cursor = page.cursor

    async def upload_rows(self, job: str, raw: bytes, name: str = "rows.csv") -> UploadResponse:
        """Add the rows of a file, CSV or Excel, to a job that is a draft. The same file again changes nothing."""

        def form() -> aiohttp.FormData:
            form = aiohttp.FormData(quote_fields=False)
            form.add_field("file", raw, filename=name)
            return form

        status, answer = await self._request("POST", f"/jobs/{quote(job, safe='')}/rows", form, timeout=FILE_TIMEOUT)
        return _read(UploadResponse, status, answer)

    async def create_job(self, job: JobRequest) -> JobResponse:
        """Create a job, a draft without rows."""
        return await self._call(JobResponse, "POST", "/jobs", job, repeat=False)

    async def change_job(self, key: str, job: JobRequest) -> JobResponse:
        """Change what a draft says, and when."""
        return await self._call(JobResponse, "PUT", f"/jobs/{quote(key, safe='')}", job)

    async def delete_job(self, key: str) -> None:
        """Delete a job that does not run, with its rows; its messages stay."""
        await self._delete(f"/jobs/{quote(key, safe='')}")

    async def job_files(self, key: str) -> JobFilesResponse:
        """Return the files of a job, and the one that is being read."""
        return await self._call(JobFilesResponse, "GET", f"/jobs/{quote(key, safe='')}/files")

    async def take_out_file(self, key: str, file: str) -> None:
        """Take a file with its rows out of a draft. file: its id, or `waiting` for the one that is being read."""
        await self._delete(f"/jobs/{quote(key, safe='')}/files/{quote(file, safe='')}")

    async def job_rows(self, key: str, state: str = "all") -> AsyncIterator[RowResultView]:
        """Yield what became of each row; state: only of those that are failed, underWay, left or refused."""
        cursor: str | None = "0"
        while cursor is not None:
            query = {"state": state, "cursor": cursor}
            page = await self._call(RowResultsResponse, "GET", f"/jobs/{quote(key, safe='')}/rows", query=query)
            for row in page.rows:
                yield row
            cursor = page.cursor

    async def jobs(self) -> AsyncIterator[JobView]:
        """Yield all jobs, the newest first."""
        cursor: str | None = ""
        while cursor is not None:
            page = await self._call(JobsResponse, "GET", "/jobs", query={"cursor": cursor} if cursor else {})
            for job in page.jobs:
                yield job
            cursor = page.cursor

    async def job(self, key: str) -> JobResponse:
        """Return a job with its progress."""
        return await self._call(JobResponse, "GET", f"/jobs/{quote(key, safe='')}")

    async def start_job(self, key: str, at: datetime | None = None) -> JobResponse:
        """Start a job now, or for a later time."""
        return await self._call(
            JobResponse, "POST", f"/jobs/{quote(key, safe='')}/start", StartRequest(at=at), repeat=False
        )

    async def move_job(self, key: str, verb: Literal["pause", "resume", "cancel"]) -> JobResponse:
        """Pause, resume or cancel a job."""
        return await self._call(JobResponse, "POST", f"/jobs/{quote(key, safe='')}/{verb}", repeat=False)

    async def retry_job(self, key: str, only: Literal["all", "mayWork"] = "all") -> JobResponse:
        """Send once more what has failed of a finished job: all of it, or only what may work now."""
        return await self._call(
            JobResponse, "POST", f"/jobs/{quote(key, safe='')}/retry", query={"only": only}, repeat=False
        )

    async def forecast_job(self, key: str) -> ForecastResponse:
        """Reckon what a job would do now, from up to 1,000 rows taken at random."""
        return await self._call(ForecastResponse, "POST", f"/jobs/{quote(key, safe='')}/forecast")

    async def job_results(self, key: str, format: Literal["csv", "xlsx"] = "csv") -> bytes:  # noqa: A002
        """Return a file with every row of a job and what became of it."""
        return await self._file(f"/jobs/{quote(key, safe='')}/rows/export", format)

    async def refused_rows(self, job: str, format: Literal["csv", "xlsx"] = "csv") -> bytes:  # noqa: A002
        """Return a file with the rows of a job that led to no message, each with its reason."""
        return await self._file(f"/jobs/{quote(job, safe='')}/rows/refused", format)

    async def _file(self, path: str, format: Literal["csv", "xlsx"]) -> bytes:  # noqa: A002
        status, raw = await self._request("GET", path, query={"format": format}, timeout=FILE_TIMEOUT)
        return raw if 0 < status < BAD else _read(bytes, status, raw)

    async def users(self) -> list[UserView]:
        """Return the people who sign in."""
        return (await self._call(UsersResponse, "GET", "/users")).users

    async def create_user(self, email: str, password: str, role: Role) -> UserView:
        """Create a user, who can sign in at once."""
        return await self._call(UserView, "POST", "/users", UserRequest(email=email, password=password, role=role))

    async def change_user(self, email: str, *, role: Role | None = None, password: str | None = None) -> UserView:
        """Give a user another role or password, which ends all their sign-ins. The last admin stays one."""
        body = UserChangeRequest(role=role, password=password)
        return await self._call(UserView, "PATCH", f"/users/{quote(email, safe='')}", body)

    async def end_sign_ins(self, email: str) -> UserView:
        """End all sign-ins of a user, who may sign in anew."""
        return await self._call(UserView, "POST", f"/users/{quote(email, safe='')}/signOut")

    async def delete_user(self, email: str) -> None:
        """Delete a user, which ends all their sign-ins. The last admin stays."""
        await self._delete(f"/users/{quote(email, safe='')}")

    async def _delete(self, path: str) -> None:
        status, raw = await self._request("DELETE", path)
        if not 0 < status < BAD:
            _read(bytes, status, raw)

    async def upload_media(self, raw: bytes, name: str) -> UploadedFileView:
        """Upload a file to be sent, of up to 16 MB. Its id goes into a step as MediaInput(id=…)."""
        status, answer = await self._request(
            "POST", "/media", lambda: BytesIO(raw), query={"name": name}, headers=BINARY, timeout=FILE_TIMEOUT
        )
        return _read(UploadedFileView, status, answer)

    async def download_media(self, key: str) -> bytes:
        """Return a file that a person has sent (`fileId` of a chat log or a callback), or an uploaded one."""
        status, raw = await self._request("GET", f"/media/{quote(key, safe='')}", timeout=FILE_TIMEOUT)
        return raw if 0 < status < BAD else _read(bytes, status, raw)

    async def _call(
        self,
        kind: type[T],
        method: str,
        path: str,
        body: Struct | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        repeat: bool = True,
    ) -> T:
        data = None if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": "application/json", **(headers or {})}
        return _read(
            kind, *await self._request(method, path, lambda: data, query=query, headers=headers, repeat=repeat)
        )

    async def _request(
        self,
        method: str,
        path: str,
        data: Callable[[], bytes | BytesIO | aiohttp.FormData | None] = lambda: None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
        repeat: bool = True,
    ) -> tuple[int, bytes]:
        """Return the status and the body of the answer; 0 and why, if there was none. data: the body of each try."""
        url = f"{self._url}/api/v1{path}"
        for pause in (*(self._pauses if repeat else ()), None):
            try:
                async with self._http.request(
                    method, url, data=data(), params=query, headers=headers, timeout=timeout
                ) as response:
                    raw, status = await response.read(), response.status
                    retry_after = response.headers.get("Retry-After", "")
            except (aiohttp.ClientError, TimeoutError) as error:
                raw, status, retry_after = str(error).encode(), 0, ""
            if status and status not in RETRIED:
                break
            if pause is not None:
                await asyncio.sleep(min(float(retry_after), LONGEST_PAUSE) if retry_after.isdigit() else pause)
        return status, raw


def _is_under_way(story: StoryResponse) -> bool:
    """Tell whether a message is still worked on, or a receipt is waited for."""
    waiting = any(attempt.status == "SENT" and attempt.success != "sent" for attempt in story.attempts)
    return story.status not in FINAL or story.next_at is not None or (story.status == "SENT" and waiting)


def _read(kind: type[T], status: int, raw: bytes) -> T:
    """Decode a response. Raises GatewayError for errors, and for what no gateway sends, such as a proxy's page."""
    try:
        if 0 < status < BAD:
            return msgspec.json.decode(raw, type=kind)
        error = msgspec.json.decode(raw)
        raise GatewayError(status, str(error["error"]), error.get("details"))
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError, KeyError):
        text = raw.decode(errors="replace")
        raise GatewayError(status, text[:500] or "the gateway does not answer") from None


def problem(item: ItemView) -> str:
    """Return why an item was not accepted, or "" if it was."""
    return f"{item.error.field}: {item.error.message}" if item.error is not UNSET else ""
