"""The four steps in which a job is made: what, to whom, check, start. A draft is behind them: each can be left."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any

import msgspec
from quart import Blueprint, g, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.request import RequestError
from gateway.domain.api.response import BulkResponse
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.domain.model.job import Job, JobFile
from gateway.messages.accepting.submit import submit
from gateway.messages.jobs import forecast, jobs, uploads
from gateway.messages.jobs.files.headings import HEADINGS, RECIPIENT
from gateway.messages.jobs.progress import Progress
from gateway.messages.jobs.uploads import RowsFile, WrongColumns, add_rows
from storage import job_files, pending_files
from storage import jobs as stored
from storage.pending_files import PIECE, PendingFile
from webhooks.http.answers import Refusal
from webhooks.http.audit import note, record_nothing, records
from webhooks.http.context import runtime
from webhooks.http.guard import allow
from webhooks.http.tables import Format, table_file
from webhooks.http.uploads import NAME
from webhooks.pages.jobs.check import mistakes, outlook, previewed, row_at, taken_for
from webhooks.pages.jobs.drawn import kind, shown
from webhooks.pages.jobs.what import choices, filled, kinds, read_request, typed
from webhooks.pages.words import gettext, language, zone

blueprint = Blueprint("wizard", __name__)

TYPED = 10_000
"""A job for more people than these is started by typing their number."""


@blueprint.get("/new")
@allow(Role.OPERATOR)
@hide
async def show_new() -> ResponseReturnValue:
    """Show the first step of a new job."""
    return await _what(None, typed(None))


@blueprint.post("/new")
@allow(Role.OPERATOR)
@records(Act.JOB_CREATE)
@hide
async def make() -> ResponseReturnValue:
    """Make a draft, and go to the second step."""
    form = await request.form
    try:
        job, _ = await jobs.create(runtime(), await read_request(runtime(), form, None), g.caller)
    except RequestError as error:
        return await _what(None, filled(form), error), 400
    note(job.id, name=job.name, after={"state": job.state})
    return redirect(url_for("ui.jobs.wizard.show_rows", key=job.id), 303)


@blueprint.get("/<key>/what")
@allow(Role.OPERATOR)
@hide
async def show_what(key: str) -> ResponseReturnValue:
    """Show the first step of a draft."""
    job = await draft(key)
    return await _what(job, typed(job))


@blueprint.post("/<key>/what")
@allow(Role.OPERATOR)
@records(Act.JOB_CHANGE)
@hide
async def change(key: str) -> ResponseReturnValue:
    """Change what a draft says, and go on."""
    job, form = await draft(key), await request.form
    try:
        await jobs.change(runtime(), job, await read_request(runtime(), form, job))
    except RequestError as error:
        return await _what(job, filled(form), error), 400
    note(name=job.name)
    return redirect(url_for("ui.jobs.wizard.show_check" if job.total else "ui.jobs.wizard.show_rows", key=key), 303)


async def _what(job: Job | None, values: dict[str, Any], error: RequestError | None = None) -> str:
    return await render_template(
        "job_what.html", job=job, values=values, error=error, kinds=kinds(), **await choices(runtime())
    )


@blueprint.get("/<key>/rows")
@allow(Role.OPERATOR)
@hide
async def show_rows(key: str) -> ResponseReturnValue:
    """Show the second step: the files of rows, and where another one is added."""
    return await _rows(await draft(key))


async def _rows(job: Job, error: RequestError | None = None, pasted: str = "") -> str:
    return await render_template(
        "job_rows.html",
        job=job,
        files=await job_files.of_job(runtime().db, job.id),
        variables=sorted(uploads.variables(job)),
        error=error,
        pasted=pasted,
    )


@blueprint.post("/<key>/rows")
@allow(Role.OPERATOR)
@records(Act.JOB_ADD_ROWS)
@hide
async def add(key: str) -> ResponseReturnValue:
    """Add a file, or numbers that were pasted, and go to the check."""
    job, form, given = await draft(key), await request.form, (await request.files).get("file")
    pasted = form.get("pasted", "").strip()
    if given is None or not given.filename:
        if not pasted:
            wrong = RequestError("bad_file", gettext("Choose a file, or paste numbers."), "file")
            return await _rows(job, wrong), 400
        with _file_of([_as_table(pasted)]) as content:
            return await _add(job, gettext("pasted numbers"), content, pasted)
    shown_name = "".join(filter(str.isprintable, given.filename))[:NAME]
    return await _add(job, shown_name, given.stream)


def _as_table(pasted: str) -> bytes:
    """Return what was pasted as a table: one number in a line, unless its first line has headings of its own."""
    first = pasted.split("\n", 1)[0]
    return (pasted if any(map(str.isalpha, first)) else f"phone\n{pasted}").encode()


@contextmanager
def _file_of(pieces: Iterable[bytes]) -> Iterator[IO[bytes]]:
    """Yield a file of the system's with these bytes: another process reads it."""
    with tempfile.TemporaryFile() as content:
        for piece in pieces:
            content.write(piece)
        yield content


async def _add(job: Job, name: str, content: IO[bytes], pasted: str = "") -> ResponseReturnValue:
    """Add the rows of a file. If its columns do not fit, it waits until somebody says what they mean."""
    digest = await asyncio.to_thread(_digest, content)
    try:
        job, contents = await add_rows(runtime(), job, RowsFile(name, content, digest, g.caller))
        note(name=job.name, after={"rows": str(contents.accepted)})
    except WrongColumns as error:
        record_nothing()
        await _keep(job, name, content, digest, error)
    except RequestError as error:
        return await _rows(job, error, pasted), 400
    return redirect(url_for("ui.jobs.wizard.show_check", key=job.id), 303)


def _digest(content: IO[bytes]) -> str:
    content.seek(0)
    return hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]  # a spooled file reads likewise


async def _keep(job: Job, name: str, content: IO[bytes], digest: str, error: WrongColumns) -> None:
    content.seek(0)
    pieces = list(iter(lambda: content.read(PIECE), b""))
    file = PendingFile(
        job.id, name, digest, tuple(error.headings.items()), error.message, error.field, len(pieces), runtime().clock()
    )
    await pending_files.keep(runtime().db, file, pieces)


@blueprint.post("/<key>/columns")
@allow(Role.OPERATOR)
@records(Act.JOB_ADD_ROWS)
@hide
async def match(key: str) -> ResponseReturnValue:
    """Read the file that waits, with what somebody said that its headings mean."""
    job, form = await draft(key), await request.form
    file = await pending_files.get(runtime().db, key)
    if file is None:
        record_nothing()
        return redirect(url_for("ui.jobs.wizard.show_check", key=key), 303)
    if form.get("away"):
        record_nothing()
        await pending_files.drop(runtime().db, file)
        return redirect(url_for("ui.jobs.wizard.show_rows", key=key), 303)
    names = {heading: form.get(f"column{number}", "")[:200] for number, (heading, _) in enumerate(file.headings)}
    with _file_of(await pending_files.content(runtime().db, file)) as content:
        try:
            job, contents = await add_rows(runtime(), job, RowsFile(file.name, content, file.digest, g.caller, names))
        except WrongColumns as error:
            await _keep(job, file.name, content, file.digest, error)
            return await _check(job, 0), 400
    note(name=job.name, after={"rows": str(contents.accepted)})
    await pending_files.drop(runtime().db, file)
    return redirect(url_for("ui.jobs.wizard.show_check", key=key), 303)


@blueprint.post("/<key>/files/<name>/delete")
@allow(Role.OPERATOR)
@records(Act.JOB_TAKE_ROWS)
@hide
async def drop(key: str, name: str) -> ResponseReturnValue:
    """Take a file out of a draft."""
    job = await uploads.drop_file(runtime(), await draft(key), name)
    note(name=job.name, after={"rows": str(job.total)})
    return redirect(url_for("ui.jobs.wizard.show_rows", key=key), 303)


@blueprint.get("/<key>/example.<any(csv, xlsx):format>")
@allow(Role.OPERATOR)
@hide
async def example(key: str, format: Format) -> ResponseReturnValue:  # noqa: A002
    """Return a file as the message wants it, with two rows to be written over."""
    names = sorted(uploads.variables(await draft(key)))
    phone = "телефон" if language() == "ru" else "phone"

    async def pages() -> AsyncIterator[Sequence[Sequence[object]]]:
        yield [[f"7900000000{row}", *(f"{name} {row}" for name in names)] for row in (1, 2)]

    return await table_file("example", [phone, *names], pages(), format)


@blueprint.get("/<key>/check")
@allow(Role.OPERATOR)
@hide
async def show_check(key: str) -> ResponseReturnValue:
    """Show the third step: what the columns were taken for, the rows with mistakes, and what people will see."""
    job, row = await draft(key), request.args.get("row", "")
    return await _check(job, int(row) if row.isascii() and row.isdigit() and len(row) < NUMBERS else 0)


NUMBERS = 8
"""Digits of a row's number, at most, and one."""


async def _check(job: Job, place: int) -> str:
    pending, files = await pending_files.get(runtime().db, job.id), await job_files.of_job(runtime().db, job.id)
    left_out = sum(upload.refused for upload in job.uploads)
    return await render_template(
        "job_check.html",
        job=job,
        pending=pending,
        needed=[RECIPIENT, *sorted(uploads.variables(job))],
        fields=list(HEADINGS),
        files=files,
        left_out=left_out,
        columns=[(file, await taken_for(runtime(), job, file)) for file in files[:5]],
        mistakes=await mistakes(runtime(), job, files),
        preview=await previewed(runtime(), job, min(place, max(job.total - 1, 0))) if job.total else None,
        outlook=await outlook(runtime(), job) if job.forecast else None,
        kind=kind,
    )


@blueprint.post("/<key>/forecast")
@allow(Role.OPERATOR)
@hide
async def reckon(key: str) -> ResponseReturnValue:
    """Reckon what the job will be, and show it."""
    await forecast.reckon(runtime(), await draft(key))
    return redirect(url_for("ui.jobs.wizard.show_check", key=key) + "#outlook", 303)


@blueprint.get("/<key>/start")
@allow(Role.OPERATOR)
@hide
async def show_start(key: str) -> ResponseReturnValue:
    """Show the last step: ask once, with the number of people."""
    return await _start(await draft(key))


async def _start(job: Job, error: str = "") -> str:
    left_out = sum(upload.refused for upload in job.uploads)
    return await render_template(
        "job_start.html",
        job=job,
        shown=shown(Progress(job, left_out=left_out)),
        error=error,
        typed=TYPED,
        again=await _sent_today(job),
        outlook=await outlook(runtime(), job) if job.forecast else None,
        zone=zone().key,
    )


async def _sent_today(job: Job) -> Sequence[JobFile]:
    """Return files with the same bytes that another job has had today."""
    today = runtime().clock().astimezone(zone()).date()
    found = [each for upload in job.uploads[:20] for each in await job_files.same(runtime().db, upload.digest)]
    return [each for each in found if each.job != job.id and each.at.astimezone(zone()).date() == today]


@blueprint.post("/<key>/start")
@allow(Role.OPERATOR)
@records(Act.JOB_START)
@hide
async def start(key: str) -> ResponseReturnValue:
    """Start a job, now or at a time."""
    job, form = await draft(key), await request.form
    number = "".join(filter(str.isdigit, form.get("number", "")))
    if job.total > TYPED and number != str(job.total):
        return await _start(job, gettext("Type the number of people, to be sure.")), 400
    try:
        at = datetime.fromisoformat(form["at"]).replace(tzinfo=zone()) if form.get("at") else None
        await jobs.start(runtime(), job, g.caller, at)
    except (ValueError, OverflowError):
        return await _start(job, gettext("There is no such time.")), 400
    except RequestError as error:
        return await _start(job, error.message), 400
    note(name=job.name, before={"state": job.state}, after={"state": "running", "rows": str(job.total)})
    return redirect(url_for("ui.jobs.show", key=key), 303)


@blueprint.post("/<key>/try")
@allow(Role.OPERATOR)
@records(Act.MESSAGE_SEND)
@hide
async def try_it(key: str) -> ResponseReturnValue:
    """Send what the first row would get to somebody here, and show that message."""
    job, phone = await draft(key), (await request.form).get("phone", "")[:32]
    row = await row_at(runtime(), job, 0)
    if row is None:
        return await _start(job, gettext("There are no rows yet.")), 400
    message = {**msgspec.json.decode(job.message), "priority": "normal"}
    message["destinations"] = [{"phone": phone, "variables": row.destination.get("variables", {})}]
    answer = await submit(runtime(), msgspec.json.encode({"messages": [message]}), g.caller, None)
    (item,) = msgspec.json.decode(answer, type=BulkResponse).messages
    if not isinstance(item.id, str):
        return await _start(job, item.error.message if item.error else ""), 400
    note(item.id, name=job.name)
    return redirect(url_for("ui.messages.show", key=item.id), 303)


async def draft(key: str) -> Job:
    """Return a draft. Raises Refusal (404, 409) if there is none, or if it was started."""
    job = await stored.get(runtime().db, key)
    if job is None:
        raise Refusal(404, gettext("There is no such job."))
    if job.state != "draft":
        raise Refusal(409, gettext("This job has been started. What it sends does not change any more."))
    return job
