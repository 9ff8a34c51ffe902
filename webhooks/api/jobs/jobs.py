"""Jobs over HTTP: creating, starting, pausing, retrying, and showing their progress. Their rows: `rows`."""

from typing import Any

from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request, document_response

from gateway.domain.api.formats import iso
from gateway.domain.api.request import convert, read
from gateway.domain.api.response import View
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.domain.model.job import Job, Verb
from gateway.messages.jobs import jobs
from gateway.messages.jobs.jobs import JobRequest, Progress
from gateway.runtime.paging import PageQuery
from storage import jobs as stored
from webhooks.http.answers import DeletedResponse, answer, require
from webhooks.http.audit import note, records
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("jobs", __name__, url_prefix="/api/v1/jobs")


class JobView(View):
    """A job in a list."""

    id: str
    name: str
    kind: str
    state: str
    total: int
    created_at: str | None
    started_at: str | None
    ended_at: str | None


class JobResponse(JobView):
    """A job and its progress.

    processed: rows that were worked on; refused: rows that led to no message, with those that were refused when their
    file was read, which `total` and `processed` do not count. byStatus: messages, as they were
    when a worker last looked. rate: rows a second; endsAt: when the job ends at this rate.
    """

    processed: int
    refused: int
    by_status: dict[str, int]
    rate: float | None
    ends_at: str | None
    warnings: list[str] = []  # noqa: RUF012 - msgspec copies it


class JobsResponse(View):
    """A page; `cursor` is null on the last one."""

    jobs: list[JobView]
    cursor: str | None


@blueprint.post("")
@allow(Role.OPERATOR)
@records(Act.JOB_CREATE)
@document_request(JobRequest)
@document_response(JobResponse, 201)
async def create() -> ResponseReturnValue:
    """Create a job. It is a draft without rows; add them next."""
    job, warnings = await jobs.create(runtime(), read(JobRequest, await body()))
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
    return answer(_progress(await jobs.progress(runtime(), await job_of(key)), []))


@blueprint.post("/<key>/start")
@allow(Role.OPERATOR)
@records(Act.JOB_START)
@document_response(JobResponse)
async def start(key: str) -> ResponseReturnValue:
    """Start to send."""
    return await _move(key, "start")


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
@document_response(JobResponse)
async def retry(key: str) -> ResponseReturnValue:
    """Send once more what has failed of a finished job: failed messages, and rows that led to none when submitted."""
    return await _move(key, "retry")


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


async def _move(key: str, verb: Verb) -> ResponseReturnValue:
    before = await job_of(key)
    job = await jobs.move(runtime(), before, verb)
    note(name=job.name, before={"state": before.state}, after={"state": job.state})
    return answer(_progress(await jobs.progress(runtime(), job), []))


def _fields(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "name": job.name,
        "kind": job.kind,
        "state": job.state,
        "total": job.total,
        "created_at": iso(job.created_at),
        "started_at": iso(job.started_at),
        "ended_at": iso(job.ended_at),
    }


def _progress(progress: Progress, warnings: list[str]) -> JobResponse:
    return JobResponse(
        **_fields(progress.job),
        processed=progress.processed,
        refused=progress.refused,
        by_status=progress.by_status,
        rate=round(progress.rate, 2) if progress.rate else None,
        ends_at=iso(progress.ends_at),
        warnings=warnings,
    )
