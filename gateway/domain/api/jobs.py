"""What callers ask for and are answered about jobs, as the web layer writes it and the client reads it."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from gateway.domain.api.request import Input, Name, SendingInput, StepInput, Version
from gateway.domain.api.response import View


class JobRequest(SendingInput, kw_only=True):
    """A job to create. The other fields are those of a message; its messages have the lowest priority.

    kind: universal, anything; advertising, marketing for people who have written to us, one message for each; sessions,
    one step by a messenger, which begins a conversation; a channel's name, steps by that channel only, by an approved
    template where it has those.
    """

    name: Name
    kind: Name = "universal"
    channels: Annotated[list[StepInput], Meta(max_length=10)] = []  # noqa: RUF012 - msgspec copies it
    template_id: Name | None = None
    template_version: Version | None = None


class StartRequest(Input):
    """When to start. at: now, if it is not given; what is over by more than a minute is refused."""

    at: Annotated[datetime, Meta(tz=True)] | None = None


class JobView(View):
    """A job in a list. createdBy: the name of the key or user; movedBy: of who started it (or the like) last.

    startsAt: when its first rows leave, if it was started for a later time.
    """

    id: str
    name: str
    kind: str
    state: str
    total: int
    created_at: str | None
    started_at: str | None
    starts_at: str | None
    ended_at: str | None
    created_by: str
    moved_by: str


class ReasonView(View):
    """Why so many `rows` failed or were refused. channel, cause: where a step failed. mayWork: a retry may succeed."""

    reason: str
    rows: int
    channel: str
    cause: str
    may_work: bool


class JobResponse(JobView):
    """A job and its progress.

    processed: rows that were worked on; refused: rows that led to no message, with those that were refused when their
    file was read, which `total` and `processed` do not count. byStatus: messages, as they were
    when a worker last looked. done: rows of which nothing is left to be done, with all that were refused. rate: rows a
    second since it was started; recentRate: in the last minute. endsAt: when the last row leaves at this rate, within
    the allowed hours. reasons: why rows failed or were refused. spent: what providers charge, by currency.
    """

    processed: int
    refused: int
    by_status: dict[str, int]
    done: int
    rate: float | None
    recent_rate: float | None
    reasons: list[ReasonView]
    spent: dict[str, str]
    ends_at: str | None
    warnings: list[str] = []  # noqa: RUF012 - msgspec copies it


class JobsResponse(View):
    """A page; `cursor` is null on the last one."""

    jobs: list[JobView]
    cursor: str | None


class ForecastResponse(View):
    """What a job would do now, reckoned from so many of its rows (`sampled`) that were taken at random.

    leftOut: why rows would not be sent, with the rows of the sample. first: by channel, the rows that it would be the
    first one for. expected, most: the price of those first sends, and of all steps, by currency. seconds: how long all
    rows take within the accounts' limits. endsAt: when it would be ready if it began now, within the allowed hours.
    """

    at: str | None
    sampled: int
    total: int
    left_out: list[ReasonView]
    first: dict[str, int]
    expected: dict[str, str]
    most: dict[str, str]
    seconds: float
    ends_at: str | None


class JobFileView(View):
    """A file of rows. columns: heading -> the field or variable that it was taken for, "" where it was passed over.

    faults: why rows were left out, with their numbers.
    """

    id: str
    name: str
    added_at: str | None
    added_by: str
    rows: int
    refused: int
    columns: dict[str, str]
    faults: dict[str, int]


class WaitingFileView(View):
    """A file that was given on the pages. rows: read so far. reading: a worker reads it, or will soon.

    reason: why it cannot be read.
    """

    name: str
    added_at: str | None
    added_by: str
    rows: int
    reading: bool
    reason: str | None


class JobFilesResponse(View):
    """The files of a job. waiting: the one whose rows are not the job's yet."""

    files: list[JobFileView]
    waiting: WaitingFileView | None = None


class RowResultView(View):
    """The result of a row. row: its line in its file. fault: why it led to no message.

    channel: that of the message's last attempt. reason: the fault, or why the message failed.
    """

    row: int
    phone: str | None
    external_id: str | None
    message_id: str | None
    status: str | None
    channel: str | None
    reason: str | None
    fault: str | None


class RowResultsResponse(View):
    """A page of rows, all or those of a state; `cursor` is null on the last one."""

    rows: list[RowResultView]
    cursor: str | None
