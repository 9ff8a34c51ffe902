"""Jobs over HTTP: creating, starting, pausing, retrying, and showing their progress. Their rows: `rows`."""

from datetime import timedelta
from typing import Any, Literal

from quart import Blueprint, g
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request, document_response

from gateway.domain.api.formats import iso
from gateway.domain.api.jobs import (
    ForecastResponse,
    JobRequest,
    JobResponse,
    JobsResponse,
    JobView,
    ReasonView,
    StartRequest,
)
from gateway.domain.api.request import Input, convert, read
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.domain.model.job import Forecast, Job, Reason, Verb
from gateway.messages.jobs import forecast, jobs
from gateway.messages.jobs.progress import Progress, progress, ready_in_hours
from gateway.runtime.paging import PageQuery
from storage import jobs as stored
from webhooks.http.answers import DeletedResponse, answer, require
from webhooks.http.audit import note, records
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("jobs", __name__, url_prefix="/api/v1/jobs")


class RetryQuery(Input):
    """Which of the rows that failed are retried."""

    only: Literal["all", "mayWork"] = "all"


@blueprint.post("")
@allow(Role.OPERATOR)
@records(Act.JOB_CREATE)
@document_request(JobRequest)
@document_response(JobResponse, 201)
async def create() -> ResponseReturnValue:
    """Create a job. It is a draft without rows; add them next."""
    job, warnings = await jobs.create(runtime(), read(JobRequest, await body()), g.caller)
    note(job.id, name=job.name, after={"state": job.state})
    return answer(_progress(Progress(job), warnings), 201)


@blueprint.get("")
@allow(Role.OPERATOR)
@document_querystring(PageQuery)
@document_response(JobsResponse)
async def list_jobs() -> ResponseReturnValue:
    """List jobs, the newest first."""
    page, cursor = await jobs.page(runtime(), convert(PageQuery, query()))
    return answer(JobsResponse(jobs=[JobView(**_fields(job)) for job in page], cursor=cursor))


@blueprint.get("/<key>")
@allow(Role.OPERATOR)
@document_response(JobResponse)
async def get_job(key: str) -> ResponseReturnValue:
    """Show a job and its progress."""
    return answer(_progress(await progress(runtime(), await job_of(key)), []))


@blueprint.put("/<key>")
@allow(Role.OPERATOR)
@records(Act.JOB_CHANGE)
@document_request(JobRequest)
@document_response(JobResponse)
async def change(key: str) -> ResponseReturnValue:
    """Change a draft: what it says, to whom it may go, and when. Its rows stay."""
    job, warnings = await jobs.change(runtime(), await job_of(key), read(JobRequest, await body()))
    note(name=job.name)
    return answer(_progress(await progress(runtime(), job), warnings))


@blueprint.post("/<key>/forecast")
@allow(Role.OPERATOR)
@document_response(ForecastResponse)
async def reckon(key: str) -> ResponseReturnValue:
    """Reckon what the job would do now, from up to 1,000 rows taken at random. Nothing is sent."""
    job = await forecast.reckon(runtime(), await job_of(key))
    return answer(await _forecast(job, job.forecast))


@blueprint.post("/<key>/start")
@allow(Role.OPERATOR)
@records(Act.JOB_START)
@document_request(StartRequest)
@document_response(JobResponse)
async def start(key: str) -> ResponseReturnValue:
    """Start to send, now or at a later time. Without a body: now."""
    wanted = read(StartRequest, await body() or b"{}")
    job = await jobs.start(runtime(), await job_of(key), g.caller, wanted.at)
    note(name=job.name, before={"state": "draft"}, after={"state": job.state, "rows": str(job.total)})
    return answer(_progress(await progress(runtime(), job), []))


@blueprint.post("/<key>/pause")
@allow(Role.OPERATOR)
@records(Act.JOB_PAUSE)
@document_response(JobResponse)
async def pause(key: str) -> ResponseReturnValue:
    """Submit no more rows; up to 250 that were submitted, and what was begun before, still go out."""
    return await _move(key, "pause")


@blueprint.post("/<key>/resume")
@allow(Role.OPERATOR)
@records(Act.JOB_RESUME)
@document_response(JobResponse)
async def resume(key: str) -> ResponseReturnValue:
    """Continue after a pause."""
    return await _move(key, "resume")


@blueprint.post("/<key>/cancel")
@allow(Role.OPERATOR)
@records(Act.JOB_CANCEL)
@document_response(JobResponse)
async def cancel(key: str) -> ResponseReturnValue:
    """End a job for good; messages that have not left are cancelled."""
    return await _move(key, "cancel")


@blueprint.post("/<key>/retry")
@allow(Role.OPERATOR)
@records(Act.JOB_RETRY)
@document_querystring(RetryQuery)
@document_response(JobResponse)
async def retry(key: str) -> ResponseReturnValue:
    """Send once more what has failed of a finished job: failed messages, and rows that led to none when submitted.

    With `?only=mayWork`, only messages whose failure may have gone by, as those of a provider that was away.
    """
    return await _move(key, "retry", hopeful=convert(RetryQuery, query()).only == "mayWork")


@blueprint.delete("/<key>")
@allow(Role.OPERATOR)
@records(Act.JOB_DELETE)
@document_response(DeletedResponse)
async def delete(key: str) -> ResponseReturnValue:
    """Delete a job that is not running, and its rows; its messages stay."""
    job = await job_of(key)
    await jobs.delete(runtime(), job)
    note(name=job.name, before={"state": job.state})
    return answer(DeletedResponse(id=key))


async def job_of(key: str) -> Job:
    """Return the job. Raises a refusal (404) if there is none."""
    return require(key, await stored.get(runtime().db, key))


async def _move(key: str, verb: Verb, *, hopeful: bool = False) -> ResponseReturnValue:
    before = await job_of(key)
    job = await jobs.move(runtime(), before, verb, g.caller, hopeful=hopeful)
    note(name=job.name, before={"state": before.state}, after={"state": job.state})
    return answer(_progress(await progress(runtime(), job), []))


def _fields(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "name": job.name,
        "kind": job.kind,
        "state": job.state,
        "total": job.total,
        "created_at": iso(job.created_at),
        "started_at": iso(job.started_at),
        "starts_at": iso(job.starts_at),
        "ended_at": iso(job.ended_at),
        "created_by": job.created_by,
        "moved_by": job.moved_by,
    }


def _progress(state: Progress, warnings: list[str]) -> JobResponse:
    return JobResponse(
        **_fields(state.job),
        processed=state.processed,
        refused=state.refused,
        by_status=state.by_status,
        done=state.done,
        rate=round(state.rate, 2) if state.rate else None,
        recent_rate=round(state.recent, 2) if state.recent else None,
        reasons=[_reason(reason) for reason in state.reasons],
        spent=dict(state.spent),
        ends_at=iso(state.ends_at),
        warnings=warnings,
    )


async def _forecast(job: Job, known: Forecast | None) -> ForecastResponse:
    if known is None:
        raise AssertionError
    ready = await ready_in_hours(runtime(), job, timedelta(seconds=known.seconds), runtime().clock())
    return ForecastResponse(
        at=iso(known.at),
        sampled=known.sampled,
        total=known.total,
        left_out=[_reason(reason) for reason in known.left_out],
        first=dict(known.first),
        expected=known.expected,
        most=known.most,
        seconds=round(known.seconds, 1),
        ends_at=iso(ready),
    )


def _reason(reason: Reason) -> ReasonView:
    return ReasonView(
        reason=reason.text, rows=reason.count, channel=reason.channel, cause=reason.cause, may_work=reason.hopeful
    )
