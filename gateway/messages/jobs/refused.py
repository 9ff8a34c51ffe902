"""The rows of a job that led to no message, as a table that can be mended and added again."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from gateway.domain.model.job import Batch, Job, Row
from gateway.messages.jobs.files.headings import HEADINGS, REFUSED_ROW, REFUSED_WHY
from gateway.messages.jobs.files.rows import Refused
from gateway.runtime.runtime import Runtime
from storage import jobs


class RefusedRow(NamedTuple):
    """row: its line in its file. cells: field or variable -> text. reason: in words."""

    row: int
    cells: Mapping[str, str]
    reason: str


async def columns(runtime: Runtime, job: Job) -> list[str]:
    """Return the headings of the table: the row, the reason, then every field and variable that a row has."""
    names = dict.fromkeys(HEADINGS, False)
    async for rows in _refused(runtime, job):
        for row in rows:
            names.update(dict.fromkeys(row.cells, True))
    return [REFUSED_ROW, REFUSED_WHY, *(name for name, is_used in names.items() if is_used)]


async def pages(runtime: Runtime, job: Job, headings: Sequence[str]) -> AsyncIterator[list[list[object]]]:
    """Yield the rows under these headings: those that were refused when their file was read, then the others."""
    async for rows in _refused(runtime, job):
        yield [[row.row, row.reason, *(row.cells.get(name, "") for name in headings[2:])] for row in rows]


async def _refused(runtime: Runtime, job: Job) -> AsyncIterator[list[RefusedRow]]:
    async for stored in jobs.refused(runtime.db, job):
        rows = msgspec.json.decode(stored.rows, type=list[Refused])
        yield [RefusedRow(row.fault.row, row.cells, reason_of(row)) for row in rows]
    async for batch in jobs.with_faults(runtime.db, job):
        yield list(_faulty(batch))


def reason_of(row: Refused) -> str:
    """Return why a row was refused when its file was read."""
    return f"{row.fault.column}: {row.fault.message}" if row.fault.column else row.fault.message


def _faulty(batch: Batch) -> Iterator[RefusedRow]:
    """Yield the rows of a batch that led to no message when they were submitted."""
    rows = msgspec.json.decode(batch.rows, type=list[Row])
    for place, reason in sorted((int(place), reason) for place, reason in batch.faults.items()):
        destination = dict(rows[place].destination)
        yield RefusedRow(rows[place].line, {**destination.pop("variables", {}), **destination}, reason)
