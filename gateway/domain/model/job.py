"""A job: one message to everybody in its files, submitted batch by batch. Pure."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

State = Literal["draft", "running", "paused", "cancelled", "done", "deleted"]
Verb = Literal["start", "pause", "resume", "cancel", "retry"]

BATCH_ROWS = 250
"""Rows of a batch. A pause does not stop a batch that is under way, so this many messages may still go out."""

REFUSED_ROWS = 250
"""Refused rows that are stored together."""

MOVES: Mapping[Verb, tuple[frozenset[State], State]] = {
    "start": (frozenset({"draft"}), "running"),
    "pause": (frozenset({"running"}), "paused"),
    "resume": (frozenset({"paused"}), "running"),
    "cancel": (frozenset({"draft", "running", "paused"}), "cancelled"),
    "retry": (frozenset({"done"}), "running"),
}
"""By each verb: the states that a job can be in, and the state that it gets."""


class Reason(Struct, frozen=True, omit_defaults=True):
    """Why so many rows (`count`) came to nothing, in words without what differs from row to row.

    channel: the one that failed last, or "". cause: a Cause, or "". hopeful: a retry may work.
    """

    text: str
    count: int = 1
    channel: str = ""
    cause: str = ""
    hopeful: bool = False


class Forecast(Struct, frozen=True, omit_defaults=True):
    """What a job would do at that moment, reckoned from so many of its rows (`sampled`) that were taken at random.

    left_out: why rows would not be sent. first: pairs of a channel and the rows that it would be the first one for.
    expected, most: the price of those first sends, and of all steps, by currency. Rows and prices are those of the
    sample. seconds: how long all rows take within the accounts' limits; 0: they have none.
    """

    at: datetime
    sampled: int
    total: int
    left_out: tuple[Reason, ...] = ()
    first: tuple[tuple[str, int], ...] = ()
    expected: dict[str, str] = {}
    most: dict[str, str] = {}
    seconds: float = 0

    def of_all(self, rows: int) -> int:
        """Return how many of all rows so many of the sample stand for."""
        return round(rows * self.total / self.sampled) if self.sampled else 0


class Upload(Struct, frozen=True, omit_defaults=True):
    """A file that was read: so many good `rows`, and so many that were `refused`.

    digest: of its bytes, since the same file counts once. key: names its batches; "" in old jobs: the digest does.
    """

    digest: str
    rows: int
    refused: int = 0
    key: str = ""

    @property
    def name(self) -> str:
        """Return what names its batches and refused rows."""
        return self.key or self.digest


class Job(Struct, frozen=True, omit_defaults=True):
    """kind: universal, advertising, sessions, or a channel's name. message: what is sent, as the JSON of a message
    without destinations.

    round: how often failed rows were retried; hopeful: in this round, only those that may work now. live_from: since
    when workers have to look after it. It is running since `running_from`, and ran for `ran` seconds before that.
    batch_rows: the number of rows in each of its batches. created_by, moved_by: who made it, and who started it (or the
    like) last. starts_at: when its first rows leave, where that is later than its start. forecast: the latest one.
    """

    id: str
    name: str
    kind: str
    message: str
    created_at: datetime
    state: State = "draft"
    round: int = 0
    uploads: tuple[Upload, ...] = ()
    started_at: datetime | None = None
    live_from: datetime | None = None
    running_from: datetime | None = None
    ran: float = 0
    ended_at: datetime | None = None
    version: int = 0
    batch_rows: int = BATCH_ROWS
    created_by: str = ""
    moved_by: str = ""
    hopeful: bool = False
    starts_at: datetime | None = None
    forecast: Forecast | None = None

    @property
    def total(self) -> int:
        """Return the number of rows in all its files."""
        return sum(upload.rows for upload in self.uploads)

    @property
    def batches(self) -> list[str]:
        """Return the ids of its batches, in the order of the files and their rows."""
        return [
            batch_id(self.id, upload.name, number)
            for upload in self.uploads
            for number in range(-(-upload.rows // self.batch_rows))
        ]

    def running_for(self, now: datetime) -> float:
        """Return how long it has been running, in seconds without its pauses."""
        return self.ran + ((now - self.running_from).total_seconds() if self.running_from else 0)

    def move(self, verb: Verb, now: datetime, by: str = "", *, hopeful: bool = False) -> "Job":
        """Return the job after `verb` by this person. It has to be in one of the states that MOVES permits for it."""
        to = MOVES[verb][1]
        runs = to == "running"
        return replace(
            self,
            state=to,
            round=self.round + (verb == "retry"),
            hopeful=hopeful if verb == "retry" else self.hopeful,
            moved_by=by,
            started_at=self.started_at or (now if runs else None),
            live_from=now if runs else self.live_from,
            running_from=now if runs else None,
            ran=self.running_for(now),
            ended_at=now if to == "cancelled" and self.live_from is None else None,
        )

    def begin(self, now: datetime, by: str, at: datetime) -> "Job":
        """Return the job after its start by this person, for this moment or a later one."""
        job = self.move("start", now, by)
        return replace(job, running_from=at, starts_at=at) if at > now else job

    def end(self, now: datetime) -> "Job":
        """Return the job with nothing left to do."""
        state: State = "cancelled" if self.state == "cancelled" else "done"
        return replace(
            self,
            state=state,
            live_from=None,
            running_from=None,
            ran=self.running_for(now),
            ended_at=self.ended_at or now,
        )


class Row(Struct, frozen=True):
    """line: where it stands in its file, counted from 1 and with the headings. destination: as in a message."""

    line: int
    destination: dict[str, Any]


class JobFile(Struct, frozen=True, omit_defaults=True):
    """A file of rows as somebody gave it. name: as they call it; by: who; digest: of its bytes.

    columns: pairs of a heading and the field or variable that it names. zones: pairs of a time zone and the number of
    rows that have it. faults: why rows were refused, the most frequent ones. warned: how many rows may not be meant
    so, though they are good; warnings: the lines and the words of the first ones.
    """

    id: str
    job: str
    upload: str
    name: str
    digest: str
    at: datetime
    rows: int = 0
    refused: int = 0
    by: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    zones: tuple[tuple[str, int], ...] = ()
    faults: tuple[Reason, ...] = ()
    warned: int = 0
    warnings: tuple[tuple[int, str], ...] = ()


class RefusedRows(Struct, frozen=True):
    """Some rows of a file that were refused when it was read. rows: as JSON. at: when the file was read."""

    id: str
    job: str
    upload: str
    number: int
    rows: str
    at: datetime


class Batch(Struct, frozen=True, omit_defaults=True):
    """Some rows of a job. rows: as JSON, since the names of their variables are the caller's.

    number: its place in its file. ids: of the rows' messages; "" for a row without one. faults: why a row has none, by
    its place. round: the latest one in which it was submitted. counts: its messages by status when it was
    checked last; `looks`: how often it was checked. reasons: of those that failed; spent: by currency, on all.
    first: the line of its first row in the file. submitted_at: when so many rows (`submitted`) became messages last.
    lane: its queue, while it has work left: see `waiting_lane`, `watched_lane`, LATE.
    """

    id: str
    job: str
    upload: str
    number: int
    rows: str
    size: int
    round: int = -1
    ids: tuple[str, ...] = ()
    faults: dict[str, str] = {}
    counts: dict[str, int] = {}
    looks: int = 0
    lane: str | None = None
    due_at: datetime | None = None
    lease: str | None = None
    done_at: datetime | None = None
    first: int = 0
    submitted: int = 0
    submitted_at: datetime | None = None
    reasons: tuple[Reason, ...] = ()
    spent: dict[str, str] = {}


def batch_id(job: str, upload: str, number: int) -> str:
    """Return the id of batch `number` of an upload, or of its refused rows."""
    return f"{job}:{upload[:16]}:{number}"


LATE = "+late"
"""The queue of all jobs' batches that have ended, while receipts may still come."""


waiting_lane: Callable[[str], str] = "{}/waiting".format
"""Names the queue of a job's batches that are still to be submitted."""

watched_lane: Callable[[str], str] = "{}/watched".format
"""Names the queue of those whose messages are under way."""
