"""The first step: what a job says, to what kind of people, and when it may leave."""

from typing import Any

from quart import g, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.request import RequestError
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.domain.model.job import Job
from gateway.messages.jobs import jobs
from webhooks.http.audit import note, records
from webhooks.http.context import runtime
from webhooks.http.guard import allow
from webhooks.pages.jobs.drafts import blueprint, draft
from webhooks.pages.jobs.what import choices, filled, kinds, read_request, typed
from webhooks.pages.words import weekdays


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
        "job_what.html",
        job=job,
        values=values,
        error=error,
        kinds=kinds(),
        weekdays=weekdays(),
        **await choices(runtime()),
    )
