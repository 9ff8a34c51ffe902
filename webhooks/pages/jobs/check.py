"""The third step of a job: what was found in its files and what people will see."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from gateway.domain.cascade.step import explain
from gateway.domain.model.attempt import Step
from gateway.domain.model.job import Job, JobFile, Row
from gateway.domain.model.message_template import fill
from gateway.domain.model.nouns import template_key
from gateway.domain.terms.price import Price
from gateway.messages.accepting.plans import plan_bulk
from gateway.messages.delivery.reachability import look
from gateway.messages.jobs import uploads
from gateway.messages.jobs.files.rows import Refused
from gateway.messages.jobs.forecast import request_for
from gateway.runtime.runtime import Runtime
from storage import jobs
from storage.templates import approved

SAMPLES, MISTAKES = 2, 20
"""Values that are shown of each column, and rows with mistakes."""


@dataclass(frozen=True)
class ColumnShown:
    """A column. name: the field or variable that it is taken for, or ""; is_used: by the message."""

    heading: str
    name: str
    is_used: bool
    samples: Sequence[str]


async def taken_for(runtime: Runtime, job: Job, file: JobFile) -> Sequence[ColumnShown]:
    """Return the columns of a file with their first values."""
    used, first = uploads.variables(job), [key for key in job.batches if f":{file.upload[:16]}:" in key][:1]
    batches = await jobs.batches(runtime.db, first)
    rows = [row for batch in batches for row in msgspec.json.decode(batch.rows, type=list[Row])][:SAMPLES]
    cells = [{**row.destination.get("variables", {}), **row.destination} for row in rows]
    return [
        ColumnShown(heading, name, name in used, [str(each[name])[:60] for each in cells if name in each])
        for heading, name in file.columns
    ]


@dataclass(frozen=True)
class Cell:
    """A cell of a row with a mistake. wrong: the sentence, if the mistake is here."""

    text: str
    wrong: str = ""


@dataclass(frozen=True)
class Mistakes:
    """Rows with mistakes of one file. rows: the line, what is wrong with it as a whole, and its cells."""

    file: JobFile
    headings: Sequence[str]
    rows: Sequence[tuple[int, str, Sequence[Cell]]]


async def mistakes(runtime: Runtime, job: Job, files: Sequence[JobFile]) -> Sequence[Mistakes]:
    """Return the first rows with mistakes, by file."""
    known, left, found = {file.upload: file for file in files}, MISTAKES, list[Mistakes]()
    async for stored in jobs.refused(runtime.db, job):
        if left <= 0:
            break
        if file := known.get(stored.upload):
            rows = msgspec.json.decode(stored.rows, type=list[Refused])[:left]
            found.append(Mistakes(file, [heading for heading, _ in file.columns], [_row(file, row) for row in rows]))
            left -= len(rows)
    return found


def _row(file: JobFile, row: Refused) -> tuple[int, str, Sequence[Cell]]:
    cells = [
        Cell(row.cells.get(name, "")[:120], row.fault.message if heading == row.fault.column else "")
        for heading, name in file.columns
    ]
    return row.fault.row, "" if any(cell.wrong for cell in cells) else row.fault.message, cells


@dataclass(frozen=True)
class BubbleShown:
    """What a person sees of one step. explanation: what would be done with it now, and why."""

    step: Step
    text: str
    buttons: Sequence[str]
    footer: str
    price: Price | None
    explanation: str


@dataclass(frozen=True)
class Preview:
    """The message of one row. place: its number among the good rows, from 0; before, after: those beside it."""

    row: int
    place: int
    before: int | None
    after: int | None
    bubbles: Sequence[BubbleShown] = ()
    error: str = ""


async def previewed(runtime: Runtime, job: Job, place: int) -> Preview | None:
    """Return what the person of a row will see, by the same plan and the same renderer that send it."""
    row = await row_at(runtime, job, place)
    if row is None:
        return None
    before, after = place - 1 if place else None, place + 1 if place + 1 < job.total else None
    (plan,) = await plan_bulk(runtime, request_for(job, [row.destination]), f"job:{job.id}", trial=True)
    message = plan.notification
    if message is None:
        return Preview(row.line, place, before, after, error=plan.error.message if plan.error else "")
    context = await look(runtime, message)
    steps = [await _bubble(runtime, step, explain(message, index, context)) for index, step in enumerate(message.steps)]
    return Preview(row.line, place, before, after, steps)


async def row_at(runtime: Runtime, job: Job, place: int) -> Row | None:
    """Return the good row with this number, counted from 0 over all files."""
    for upload in job.uploads:
        if place < upload.rows:
            key = [each for each in job.batches if f":{upload.name[:16]}:" in each][place // job.batch_rows]
            for batch in await jobs.batches(runtime.db, [key]):
                return msgspec.json.decode(batch.rows, type=list[Row])[place % job.batch_rows]
        place -= upload.rows
    return None


async def _bubble(runtime: Runtime, step: Step, explanation: str) -> BubbleShown:
    channel, content = runtime.channel(step.channel, step.account), step.content
    if content:
        buttons = [button.text for button in content.buttons]
        return BubbleShown(step, content.text, buttons, "", step.costs(template=False), explanation)
    key = template_key(step.channel, channel.account, step.template) if channel and step.template else ""
    stored = await approved.get(runtime.db, key)
    values = step.template.values if step.template else {}
    text = fill(stored.body, values) if stored else ""
    buttons = [button.text for button in stored.buttons] if stored else []
    return BubbleShown(step, text, buttons, stored.footer if stored else "", step.costs(template=True), explanation)
