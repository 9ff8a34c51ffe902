"""What became of each row of a job: page by page, those of one kind alone, and all of them as a table."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from gateway.domain.api.formats import iso
from gateway.domain.model.attempt import Attempt
from gateway.domain.model.job import REFUSED_ROWS, Batch, Job, Row, batch_id
from gateway.domain.model.notification import Notification
from gateway.messages.composing.lint import variables_of
from gateway.messages.jobs.files.headings import ADDRESSES, HEADINGS
from gateway.messages.jobs.files.rows import Refused
from gateway.messages.jobs.progress import UNDER_WAY, JobMessage
from gateway.messages.jobs.reasons import FAILED, reason_of
from gateway.messages.jobs.refused import reason_of as why_refused
from gateway.runtime.runtime import Runtime
from storage import job_files, jobs
from storage.jobs import Counted
from storage.messages import links, notifications

State = Literal["all", "failed", "underWay", "left", "refused"]
"""underWay: rows that are messages which have not ended. left: those that are to be submitted still."""


MOST_ROWS = 250
"""Rows of a page, at most."""

LOOKED_AT = 40
"""Batches that are read for one page, at most."""

PLACES = 1000
"""A row's place is the number of its piece times this, and its number in that. No piece has so many rows."""


@dataclass(frozen=True)
class RowResult:
    """A row and what became of it. row: its line in its file. cells: field or variable -> its value.

    message: what it became; without one, `fault` says why, or it is still to be submitted.
    """

    row: int
    cells: Mapping[str, Any]
    message: Notification | None = None
    fault: str | None = None

    @property
    def status(self) -> str:
        """Return the message's status; "REFUSED" without a message, or "" while it is to be submitted."""
        return self.message.status if self.message else "REFUSED" if self.fault else ""

    @property
    def recipient(self) -> str:
        """Return how the row names the person."""
        return next((str(self.cells[name]) for name in ADDRESSES if self.cells.get(name)), "")

    @property
    def variables(self) -> Sequence[str]:
        """Return the values of its variables."""
        return [_text(value) for name, value in self.cells.items() if name not in HEADINGS]

    @property
    def attempt(self) -> Attempt | None:
        """Return the message's last attempt."""
        return self.message.attempts[-1] if self.message and self.message.attempts else None

    @property
    def channel(self) -> str:
        """Return the channel of the last attempt, or ""."""
        return self.message.steps[self.attempt.step].channel if self.message and self.attempt else ""

    @property
    def reason(self) -> str:
        """Return why it failed or was refused, or ""."""
        if self.message and self.message.status in FAILED:
            return reason_of(self.message).text
        return self.fault or ""

    def is_one_of(self, state: State) -> bool:
        """Tell whether it is among the rows of this state."""
        if state in {"underWay", "left"}:
            return self.status == "" if state == "left" else self.status in UNDER_WAY
        return state == "all" or (self.status == "REFUSED" if state == "refused" else self.status in FAILED)


@dataclass(frozen=True)
class Page:
    """cursor: the place at which the next page begins; None: there is none.

    counts: the messages of the batches that were read, by status as they are now, by batch.
    """

    rows: Sequence[RowResult]
    cursor: int | None
    counts: Mapping[str, Mapping[str, int]]


async def page(runtime: Runtime, job: Job, cursor: int, state: State = "all", most: int = MOST_ROWS) -> Page:
    """Return a page of results from a place on, in the order of the files: all rows, or those of one state.

    Rows that were refused when their file was read come first, and among the refused ones only.
    """
    pieces, rows, counts = await _pieces(runtime, job, state), list[RowResult](), dict[str, Mapping[str, int]]()
    for number, piece in pieces.items():
        if (number + 1) * PLACES <= cursor:
            continue
        if len(rows) == most or len(counts) == LOOKED_AT:
            return Page(rows, number * PLACES, counts)
        read = await _rows(runtime, piece)
        counts[piece.name] = Counter(row.message.status for row in read if row.message)
        for place, row in enumerate(read, number * PLACES):
            if place < cursor or not row.is_one_of(state):
                continue
            if len(rows) == most:
                return Page(rows, place, counts)
            rows.append(row)
    return Page(rows, None, counts)


@dataclass(frozen=True)
class Piece:
    """Rows that are stored together: a batch, or some that were refused when their file was read."""

    key: str
    is_refused: bool = False

    @property
    def name(self) -> str:
        """Return what names it among all pieces of a job."""
        return f"refused {self.key}" if self.is_refused else self.key


async def _pieces(runtime: Runtime, job: Job, state: State) -> dict[int, Piece]:
    """Return the pieces that may have rows of this state, by their numbers, which stay the same."""
    if state == "all":
        return dict(enumerate(map(Piece, job.batches)))
    known = {batch.id: batch async for batch in jobs.counted(runtime.db, job.id)}
    pieces = [*_refused_pieces(job), *map(Piece, job.batches)] if state == "refused" else list(map(Piece, job.batches))
    return {
        number: piece
        for number, piece in enumerate(pieces)
        if piece.is_refused or (piece.key in known and _may_have(known[piece.key], state))
    }


def _may_have(batch: Counted, state: State) -> bool:
    if state == "refused":
        return bool(batch.faults)
    if state == "failed":
        return not FAILED.isdisjoint(batch.counts)
    if state == "underWay":
        return not UNDER_WAY.isdisjoint(batch.counts)
    return sum(batch.counts.values()) + len(batch.faults) < batch.size


def _refused_pieces(job: Job) -> list[Piece]:
    return [
        Piece(batch_id(job.id, upload.name, number), is_refused=True)
        for upload in job.uploads
        for number in range(-(-upload.refused // REFUSED_ROWS))
    ]


async def _rows(runtime: Runtime, piece: Piece) -> Sequence[RowResult]:
    if piece.is_refused:
        stored = await jobs.refused_rows(runtime.db, piece.key)
        rows = msgspec.json.decode(stored.rows, type=list[Refused]) if stored else []
        return [RowResult(row.fault.row, row.cells, fault=why_refused(row)) for row in rows]
    return [row for batch in await jobs.batches(runtime.db, [piece.key]) for row in await of_batch(runtime, batch)]


async def of_batch(runtime: Runtime, batch: Batch) -> Sequence[RowResult]:
    """Return what became of the rows of a batch."""
    rows, ids = msgspec.json.decode(batch.rows, type=list[Row]), batch.ids or ("",) * batch.size
    messages = await notifications.several(runtime.db, filter(None, ids))
    return [
        RowResult(row.line, _cells(row), messages.get(key), batch.faults.get(str(place)))
        for place, (row, key) in enumerate(zip(rows, ids, strict=True))
    ]


def _cells(row: Row) -> Mapping[str, Any]:
    fields = {name: value for name, value in row.destination.items() if name != "variables"}
    return {**row.destination.get("variables", {}), **fields}


async def place_of(runtime: Runtime, job: Job, row: int, most: int) -> int:
    """Return where the page begins that has this line of a file, or the nearest line before it in the first file.

    most: rows of a page.
    """
    known = {batch.id: batch.first async for batch in jobs.counted(runtime.db, job.id)}
    first = [known.get(key, 0) for key in job.batches]
    behind = [*first[1:], 0]
    fitting = (
        n for n, (line, after) in enumerate(zip(first, behind, strict=True)) if line <= row and not line < after <= row
    )
    number = next(fitting, 0)
    stored = await jobs.batches(runtime.db, job.batches[number : number + 1])
    lines = [each.line for batch in stored for each in msgspec.json.decode(batch.rows, type=list[Row])]
    before = sum(line <= row for line in lines) - 1
    return number * PLACES + max(0, before) // most * most


FIXED = ("row", "status", "channel", "reason", "sent at", "finished at", "parts", "price", "currency", "clicks")
"""Columns of the table of results besides those of the files."""


async def columns(runtime: Runtime, job: Job) -> list[str]:
    """Return the headings of the table of results: the row, the columns of the files, what became of the row."""
    files = await job_files.of_job(runtime.db, job.id)
    named = {name for file in files for _, name in file.columns if name}
    named |= frozenset[str]().union(*variables_of(JobMessage.of(job).channels))
    fields = [name for name in HEADINGS if name in named or (name == "phone" and not files)]
    return [FIXED[0], *fields, *sorted(named - set(HEADINGS)), *FIXED[1:]]


async def table(runtime: Runtime, job: Job, headings: Sequence[str]) -> AsyncIterator[list[list[object]]]:
    """Yield all rows under these headings, those that were refused when their file was read among them."""
    own = headings[1 : -len(FIXED) + 1]
    for piece in [*_refused_pieces(job), *map(Piece, job.batches)]:
        rows = await _rows(runtime, piece)
        clicks = await links.clicks(runtime.db, [row.message.id for row in rows if row.message])
        yield [[row.row, *(_text(row.cells.get(name, "")) for name in own), *_result(row, clicks)] for row in rows]


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _result(row: RowResult, clicks: Mapping[str, int]) -> list[object]:
    """Return what became of a row, under the headings of FIXED behind the first one."""
    message, attempt = row.message, row.attempt
    if message is None or attempt is None:
        finished = iso(message.done_at) if message else None
        return [row.status, "", row.reason, "", finished or "", "", "", "", ""]
    step = message.steps[attempt.step]
    price = step.costs(template=attempt.template) if attempt.parts else None
    return [
        row.status,
        row.channel,
        row.reason,
        iso(attempt.sent_at) or "",
        iso(message.done_at) or "",
        1 if attempt.template else step.parts,
        price.amount if price else "",
        price.currency if price else "",
        clicks.get(message.id, ""),
    ]
