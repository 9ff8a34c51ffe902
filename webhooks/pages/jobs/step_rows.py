"""The second step: the files of rows, and what their columns mean where they do not say it themselves."""

import asyncio
import hashlib
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from quart import g, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import RequestError
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.domain.model.job import Job
from gateway.messages.jobs import given, uploads
from gateway.messages.jobs.contents import RowsFile
from storage import job_files, pending_files
from webhooks.http.audit import note, record_nothing, records
from webhooks.http.context import runtime
from webhooks.http.guard import allow
from webhooks.http.tables import Format, table_file
from webhooks.http.uploads import NAME
from webhooks.pages.forms.mistakes import Mistake
from webhooks.pages.jobs.drafts import blueprint, draft
from webhooks.pages.jobs.step_check import page_of
from webhooks.pages.words import gettext, language


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
        waiting=await pending_files.get(runtime().db, job.id),
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
            wrong = Mistake(gettext("Choose a file, or paste numbers."), "file")
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
    """Give the job a file, and go to the check, which shows how far it was read."""
    digest = await asyncio.to_thread(_digest, content)
    try:
        await given.give(runtime(), job, RowsFile(name, content, digest, g.caller))
    except RequestError as error:
        return await _rows(job, error, pasted), 400
    except Conflict as error:
        return await _rows(await draft(job.id), RequestError("conflict", str(error), "file"), pasted), 409
    note(name=job.name, after={"file": name})
    return redirect(url_for("ui.jobs.wizard.show_check", key=job.id), 303)


def _digest(content: IO[bytes]) -> str:
    content.seek(0)
    return hashlib.file_digest(content, "sha256").hexdigest()  # type: ignore[arg-type]  # a spooled file reads likewise


@blueprint.post("/<key>/columns")
@allow(Role.OPERATOR)
@records(Act.JOB_ADD_ROWS)
@hide
async def match(key: str) -> ResponseReturnValue:
    """Read the file that waits, with what somebody said that its headings mean."""
    job, form = await draft(key), await request.form
    file = await pending_files.get(runtime().db, key)
    if file is None or file.due_at:
        record_nothing()
        return redirect(url_for("ui.jobs.wizard.show_check", key=key), 303)
    names = {heading: form.get(f"column{number}", "")[:200] for number, (heading, _) in enumerate(file.headings)}
    try:
        await given.match(runtime(), job, file, names)
    except RequestError:
        return await page_of(job, 0), 400
    note(name=job.name, after={"file": file.name})
    return redirect(url_for("ui.jobs.wizard.show_check", key=key), 303)


@blueprint.post("/<key>/waiting/delete")
@allow(Role.OPERATOR)
@records(Act.JOB_TAKE_ROWS)
@hide
async def stop(key: str) -> ResponseReturnValue:
    """Take away the file that is being read, or that cannot be."""
    job, file = await draft(key), await pending_files.get(runtime().db, key)
    if file is None:
        record_nothing()
    else:
        await given.stop(runtime(), job, file)
        note(name=job.name, after={"file": file.name})
    return redirect(url_for("ui.jobs.wizard.show_rows", key=key), 303)


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
