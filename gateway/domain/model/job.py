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

    round: how often failed rows were retried. live_from: since when workers have to look after it. It is running since
    `running_from`, and ran for `ran` seconds before that. batch_rows: the number of rows in each of its batches.
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

    def move(self, verb: Verb, now: datetime) -> "Job":
        """Return the job after `verb`. It has to be in one of the states that MOVES permits for it."""
        to = MOVES[verb][1]
        runs = to == "running"
        return replace(
            self,
            state=to,
            round=self.round + (verb == "retry"),
            started_at=self.started_at or (now if runs else None),
            live_from=now if runs else self.live_from,
            running_from=now if runs else None,
            ran=self.running_for(now),
            ended_at=now if to == "cancelled" and self.live_from is None else None,
        )

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
    checked last; `looks`: how often it was checked.
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


def batch_id(job: str, upload: str, number: int) -> str:
    """Return the id of batch `number` of an upload, or of its refused rows."""
    return f"{job}:{upload[:16]}:{number}"


LATE = "+late"
"""The queue of all jobs' batches that have ended, while receipts may still come."""


waiting_lane: Callable[[str], str] = "{}/waiting".format
"""Names the queue of a job's batches that are still to be submitted."""

watched_lane: Callable[[str], str] = "{}/watched".format
"""Names the queue of those whose messages are under way."""
