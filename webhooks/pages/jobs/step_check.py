"""The third step: what was found in the files, what people will see, and what the job will be."""

from quart import redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.roles import Role
from gateway.domain.model.job import Job
from gateway.messages.jobs import forecast, uploads
from gateway.messages.jobs.files.headings import HEADINGS, RECIPIENT
from storage import job_files, pending_files
from webhooks.http.context import runtime
from webhooks.http.guard import allow
from webhooks.pages.jobs.check import mistakes, previewed, taken_for
from webhooks.pages.jobs.drafts import blueprint, draft
from webhooks.pages.jobs.drawn import kind
from webhooks.pages.jobs.hours import in_words
from webhooks.pages.jobs.outlook import outlook


@blueprint.get("/<key>/check")
@allow(Role.OPERATOR)
@hide
async def show_check(key: str) -> ResponseReturnValue:
    """Show the third step: what the columns were taken for, the rows with mistakes, and what people will see."""
    job, row = await draft(key), request.args.get("row", "")
    return await page_of(job, int(row) if row.isascii() and row.isdigit() and len(row) < NUMBERS else 0)


NUMBERS = 8
"""Digits of a row's number, at most, and one."""


async def page_of(job: Job, place: int) -> str:
    """Return the page of this step, with what the good row at `place` gets."""
    pending, files = await pending_files.get(runtime().db, job.id), await job_files.of_job(runtime().db, job.id)
    left_out = sum(upload.refused for upload in job.uploads)
    return await render_template(
        "job_check.html",
        job=job,
        pending=pending,
        reading=bool(pending and pending.due_at),
        needed=[RECIPIENT, *sorted(uploads.variables(job))],
        fields=list(HEADINGS),
        files=files,
        left_out=left_out,
        columns=[(file, await taken_for(runtime(), job, file)) for file in files[:5]],
        mistakes=await mistakes(runtime(), job, files),
        preview=await previewed(runtime(), job, min(place, max(job.total - 1, 0))) if job.total else None,
        outlook=await outlook(runtime(), job) if job.forecast else None,
        kind=kind,
        hours=in_words(job),
    )


@blueprint.post("/<key>/forecast")
@allow(Role.OPERATOR)
@hide
async def reckon(key: str) -> ResponseReturnValue:
    """Reckon what the job will be, and show it."""
    await forecast.reckon(runtime(), await draft(key))
    return redirect(url_for("ui.jobs.wizard.show_check", key=key) + "#outlook", 303)
