"""The list of jobs, and the page of one: how far it is, why rows failed, each row, and what may be done now."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from msgspec import Meta
from quart import Blueprint, g, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.request import Input, convert
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.domain.model.job import Job, Verb
from gateway.messages.jobs import jobs, results
from gateway.messages.jobs.progress import JobMessage, progress, progress_of_live
from gateway.messages.jobs.reasons import grouped
from gateway.messages.jobs.refused import columns, pages
from gateway.messages.jobs.results import State
from gateway.runtime.paging import PageQuery
from storage import job_files, pending_files
from storage import jobs as stored
from webhooks.http.answers import Refusal
from webhooks.http.audit import note, records
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow
from webhooks.http.tables import Format, table_file
from webhooks.pages.jobs.drawn import Shown, is_late, kind, shown, state_words
from webhooks.pages.jobs.hours import in_words
from webhooks.pages.jobs.outlook import expected
from webhooks.pages.reasons import helps
from webhooks.pages.words import gettext

blueprint = Blueprint("jobs", __name__, url_prefix="/jobs")

ON_A_PAGE, ROWS = 25, 50


@blueprint.get("")
@allow(Role.OPERATOR)
@hide
async def show_list() -> ResponseReturnValue:
    """Show a page of jobs, the newest first."""
    wanted = convert(PageQuery, {"limit": ON_A_PAGE, **query()})
    page, cursor = await jobs.page(runtime(), wanted)
    waiting = await pending_files.of_jobs(runtime().db, [job.id for job in page if job.state == "draft"])
    return await render_template(
        "jobs.html",
        rows=[shown(each, waiting.get(each.job.id)) async for each in progress_of_live(runtime(), page)],
        older=url_for("ui.jobs.show_list", cursor=cursor) if cursor else None,
        kind=kind,
    )


class RowsQuery(Input):
    """Which rows of a job are shown. row: the line to go to; at: where the page begins."""

    state: State = "all"
    at: Annotated[int, Meta(ge=0, le=999_999_999)] = 0
    row: Annotated[int, Meta(ge=1, le=2_000_000)] | None = None


@blueprint.get("/<key>")
@allow(Role.OPERATOR)
@hide
async def show(key: str) -> ResponseReturnValue:
    """Show one job. A draft is shown where its making goes on."""
    job = await job_of(key)
    if job.state == "draft":
        step = "show_check" if job.total or await pending_files.get(runtime().db, key) else "show_rows"
        return redirect(url_for(f"ui.jobs.wizard.{step}", key=key), 303)
    wanted = _rows_wanted()
    at = await results.place_of(runtime(), job, wanted.row, ROWS) if wanted.row else wanted.at
    page = await results.page(runtime(), job, at, wanted.state, ROWS)
    state, files = await progress(runtime(), job, page.counts), await job_files.of_job(runtime().db, key)
    reasons = grouped([*state.reasons, *(reason for file in files for reason in file.faults)])
    drawn = shown(state)
    return await render_template(
        "job.html",
        job=drawn,
        steps=JobMessage.of(job).channels,
        kind=kind(job.kind),
        reasons=[(reason, helps(reason)) for reason in reasons],
        hopeless=sum(reason.count for reason in state.reasons) - state.hopeful,
        files=files,
        page=page,
        filter=wanted.state,
        row=wanted.row,
        tabs=_tabs(drawn),
        next=_rows_address(key, wanted.state, page.cursor) if page.cursor is not None else None,
        hours=in_words(job),
        late=is_late(state),
        expected=expected(job.forecast) if job.forecast else {},
    )


def _rows_wanted() -> RowsQuery:
    """Return which rows the address names. What is no number there shows the beginning."""
    given = {name: value for name, value in request.args.items() if name in {"state", "at", "row"} and value}
    for name in NUMBERS & given.keys():
        if not (given[name].isascii() and given[name].isdigit()):
            raise Refusal(400, gettext("A row is named by its number."))
    numbers: dict[str, Any] = {name: int(given[name]) for name in NUMBERS & given.keys()}
    return convert(RowsQuery, given | numbers)


NUMBERS = frozenset({"at", "row"})


def _rows_address(key: str, state: str, at: int) -> str:
    return f"{url_for('ui.jobs.show', key=key)}?{urlencode({'state': state, 'at': at})}#rows"


def _tabs(job: Shown) -> Sequence[tuple[State, str, int]]:
    """Return the states by which the rows can be looked at, with their words and figures: those of the bar."""
    counts = {part.state: part.rows for part in job.parts} | {"all": job.progress.all}
    return [(name, word, counts.get(name, 0)) for name, word in state_words().items()]


@blueprint.post("/<key>/<any(pause, resume, retry):verb>")
@allow(Role.OPERATOR)
@records(Act.JOB_RETRY)
@hide
async def move(key: str, verb: Verb) -> ResponseReturnValue:
    """Pause, resume or retry a job, and show what is to be seen then."""
    form, before = await request.form, await job_of(key)
    job = await jobs.move(runtime(), before, verb, g.caller, hopeful=form.get("only") == "mayWork")
    note(name=job.name, act=ACTS[verb], before={"state": before.state}, after={"state": job.state})
    back = url_for("ui.jobs.show_list") if form.get("back") == "list" else url_for("ui.jobs.show", key=key)
    return redirect(back, 303)


ACTS: Mapping[Verb, Act] = {"pause": Act.JOB_PAUSE, "resume": Act.JOB_RESUME, "retry": Act.JOB_RETRY}


@blueprint.get("/<key>/cancel")
@allow(Role.OPERATOR)
@hide
async def ask_to_cancel(key: str) -> ResponseReturnValue:
    """Ask whether a job is to end for good, and say what that does."""
    return await render_template("job_cancel.html", job=shown(await progress(runtime(), await job_of(key))))


@blueprint.post("/<key>/cancel")
@allow(Role.OPERATOR)
@records(Act.JOB_CANCEL)
@hide
async def cancel(key: str) -> ResponseReturnValue:
    """End a job for good."""
    before = await job_of(key)
    job = await jobs.move(runtime(), before, "cancel", g.caller)
    note(name=job.name, before={"state": before.state}, after={"state": job.state})
    return redirect(url_for("ui.jobs.show", key=job.id), 303)


@blueprint.post("/<key>/delete")
@allow(Role.OPERATOR)
@records(Act.JOB_DELETE)
@hide
async def delete(key: str) -> ResponseReturnValue:
    """Delete a job that does not run, with its rows."""
    job = await job_of(key)
    await jobs.delete(runtime(), job)
    note(name=job.name, before={"state": job.state})
    return redirect(url_for("ui.jobs.show_list"), 303)


class FileQuery(Input):
    """format: of the file."""

    format: Format = "csv"


@blueprint.get("/<key>/results")
@allow(Role.OPERATOR)
@hide
async def export(key: str) -> ResponseReturnValue:
    """Return every row with what became of it, as a file."""
    job, wanted = await job_of(key), convert(FileQuery, query())
    headings = await results.columns(runtime(), job)
    return await table_file("results", headings, results.table(runtime(), job, headings), wanted.format)


@blueprint.get("/<key>/refused")
@allow(Role.OPERATOR)
@hide
async def export_refused(key: str) -> ResponseReturnValue:
    """Return the rows that led to no message, as a file that can be mended and added again."""
    job, wanted = await job_of(key), convert(FileQuery, query())
    headings = await columns(runtime(), job)
    return await table_file("refused", headings, pages(runtime(), job, headings), wanted.format)


async def job_of(key: str) -> Job:
    """Return the job. Raises Refusal (404) if there is none."""
    job = await stored.get(runtime().db, key)
    if job is None or job.state == "deleted":
        raise Refusal(404, gettext("There is no such job."))
    return job
