"""The last step: a job is tried, and started now or at a time."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from quart import g, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import RequestError
from gateway.domain.api.response import BulkResponse
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.domain.model.job import Job, JobFile
from gateway.messages.accepting.submit import submit
from gateway.messages.jobs import jobs
from gateway.messages.jobs.progress import Progress
from storage import job_files
from webhooks.http.audit import note, records
from webhooks.http.context import runtime
from webhooks.http.guard import allow
from webhooks.pages.forms.mistakes import told, told_of
from webhooks.pages.jobs.check import row_at
from webhooks.pages.jobs.drafts import blueprint, draft
from webhooks.pages.jobs.drawn import shown
from webhooks.pages.jobs.hours import in_words
from webhooks.pages.jobs.outlook import outlook
from webhooks.pages.words import gettext, zone

TYPED = 10_000
"""A job for more people than these is started by typing their number."""


@blueprint.get("/<key>/start")
@allow(Role.OPERATOR)
@hide
async def show_start(key: str) -> ResponseReturnValue:
    """Show the last step: ask once, with the number of people."""
    return await _start(await draft(key))


async def _start(job: Job, error: str = "", at: str = "") -> str:
    left_out = sum(upload.refused for upload in job.uploads)
    return await render_template(
        "job_start.html",
        job=job,
        shown=shown(Progress(job, left_out=left_out)),
        error=error,
        at=at,
        typed=TYPED,
        again=await _sent_today(job),
        outlook=await outlook(runtime(), job) if job.forecast else None,
        zone=zone().key,
        hours=in_words(job),
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
    typed = form.get("at", "")[:32]
    number = "".join(filter(str.isdigit, form.get("number", "")))
    if job.total > TYPED and number != str(job.total):
        return await _start(job, gettext("Type the number of people, to be sure."), typed), 400
    try:
        at = datetime.fromisoformat(typed).replace(tzinfo=zone()) if typed else None
        await jobs.start(runtime(), job, g.caller, at)
    except (ValueError, OverflowError):
        return await _start(job, gettext("There is no such time."), typed), 400
    except RequestError as error:
        return await _start(job, told(error, named=False), typed), 400
    except Conflict as error:
        return await _start(await draft(key), str(error)), 409
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
        return await _start(job, told_of(item.error.field, item.error.message) if item.error else ""), 400
    note(item.id, name=job.name)
    return redirect(url_for("ui.messages.show", key=item.id), 303)
