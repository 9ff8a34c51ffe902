"""Jobs as callers use them: create one, start and stop it, list and delete them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.jobs import JobRequest
from gateway.domain.api.request import Destination, MessageInput, RequestError, StepInput
from gateway.domain.model.job import MOVES, Job, Verb
from gateway.messages.composing.lint import variables_of
from gateway.messages.composing.terms import FURTHEST, read_callback
from gateway.messages.jobs.progress import JobMessage
from gateway.messages.templates.expansion import expand
from gateway.messages.templates.own import check
from gateway.runtime.paging import PageQuery, cursor, place
from gateway.runtime.runtime import Runtime
from storage import job_files, jobs, pending_files

GRACE = timedelta(minutes=1)
"""A start that is late by less than that is a start now."""


async def create(runtime: Runtime, request: JobRequest, by: str = "") -> tuple[Job, list[str]]:
    """Create a draft of this person's. Returns it and warnings for its author. Raises RequestError."""
    message, warnings = await _message(runtime, request)
    job = Job(
        uuid4().hex,
        request.name,
        request.kind,
        message,
        runtime.clock(),
        batch_rows=runtime.settings.tuning.batch_rows,
        created_by=by,
    )
    return await jobs.save(runtime.db, job) or job, warnings


async def change(runtime: Runtime, job: Job, request: JobRequest) -> tuple[Job, list[str]]:
    """Change what a draft says and when. Returns it and warnings. Raises RequestError, and Conflict for no draft.

    The columns of its files have to name all that the message needs.
    """
    message, warnings = await _message(runtime, request)
    needed = frozenset[str]().union(*variables_of(request.channels or JobMessage.decode(message).channels))
    for file in await job_files.of_job(runtime.db, job.id):
        if missing := sorted(needed - {name for _, name in file.columns}):
            raise RequestError("missing_column", f'{file.name} has no column "{missing[0]}"', "channels")
    while True:
        if job.state != "draft":
            raise Conflict(f"Only a draft is changed; this job is {job.state}.")
        await _check_read(runtime, job)
        changed = replace(job, name=request.name, kind=request.kind, message=message, forecast=None)
        if saved := await jobs.save(runtime.db, changed):
            return saved, warnings
        job = await reload(runtime, job)


async def _message(runtime: Runtime, request: JobRequest) -> tuple[str, list[str]]:
    """Return the message that a job sends, as it is stored, and warnings for its author. Raises RequestError."""
    fields = {name: getattr(request, name) for name in MessageInput.__struct_fields__ if hasattr(request, name)}
    message, ignored = await expand(runtime, MessageInput(destinations=[Destination()], **fields))
    category = "marketing" if request.kind == "advertising" else message.category
    message = replace(message, template_id=None, template_version=None, priority="bulk", category=category)
    warnings = await check(runtime, message)
    _check(runtime, request.kind, message.channels)
    read_callback(message, runtime.settings)
    body = {name: value for name, value in msgspec.to_builtins(message).items() if name != "destinations"}
    return msgspec.json.encode(body).decode(), [*ignored, *warnings]


def _check(runtime: Runtime, kind: str, steps: Sequence[StepInput]) -> None:
    """Raise RequestError unless the steps are allowed for a job of this kind."""
    if kind in {"universal", "advertising"}:
        return
    if kind != "sessions" and kind not in runtime.channels:
        raise RequestError(
            "invalid", "universal, advertising, sessions, or the name of a channel that is set up", "kind"
        )
    facts = [channel.facts for step in steps if (channel := runtime.channel(step.channel, step.account))]
    if kind in runtime.channels and any(step.channel != kind for step in steps):
        raise _wrong(kind, "has no other channels")
    if kind == "sessions" and (len(steps) > 1 or any(fact.parts for fact in facts)):
        raise _wrong(kind, "has one step, by a messenger")
    if kind in runtime.channels and any(
        fact.templates and not step.template for fact, step in zip(facts, steps, strict=True)
    ):
        raise _wrong(kind, "needs an approved template")


def _wrong(kind: str, words: str) -> RequestError:
    return RequestError("wrong_kind", f"a job of the kind {kind} {words}", "channels")


async def start(runtime: Runtime, job: Job, by: str, at: datetime | None = None) -> Job:
    """Start the job now or at a later time, and return it. Raises Conflict, and RequestError for no such time."""
    if at and at < runtime.clock() - GRACE:
        raise RequestError("invalid", "this time is in the past", "at")
    if at and at > runtime.clock() + FURTHEST:
        raise RequestError("invalid", f"at most {FURTHEST.days} days ahead", "at")
    while True:
        await _check_read(runtime, job)
        _check_move(job, "start")
        now = runtime.clock()
        at = max(at or now, now)
        await jobs.schedule_batches(runtime.db, job, at)  # before the job itself, so that one that runs has them
        if saved := await jobs.save(runtime.db, job.begin(now, by, at)):
            runtime.job_bell.set()
            return saved
        job = await reload(runtime, job)


async def _check_read(runtime: Runtime, job: Job) -> None:
    """Raise Conflict while a file of the job is being read. Whoever gives it one changes its version afterwards."""
    file = await pending_files.get(runtime.db, job.id)
    if file and file.due_at:
        raise Conflict(f"{file.name} is being read: wait until its rows are there, or stop it.")


def _check_move(job: Job, verb: Verb) -> None:
    """Raise Conflict unless the job's state allows this."""
    if job.state not in MOVES[verb][0] or (verb == "start" and not job.total):
        raise Conflict("It has no rows yet." if job.state in MOVES[verb][0] else f"This job is {job.state}.")


async def move(runtime: Runtime, job: Job, verb: Verb, by: str = "", *, hopeful: bool = False) -> Job:
    """Pause the job, resume it, and so on, and return it. Raises Conflict where its state does not allow that.

    by: who does it. hopeful: retry only what may work now.
    """
    while True:
        _check_move(job, verb)
        now = runtime.clock()
        if verb == "retry":  # before the job itself, so that one that runs has its batches
            await jobs.schedule_batches(runtime.db, job, now)
        if saved := await jobs.save(runtime.db, job.move(verb, now, by, hopeful=hopeful)):
            if verb == "cancel":
                await jobs.recheck(runtime.db, saved, now)
            runtime.job_bell.set()
            return saved
        job = await reload(runtime, job)


async def reload(runtime: Runtime, job: Job) -> Job:
    """Read a job again. Raises Conflict if it is gone."""
    current = await jobs.get(runtime.db, job.id)
    if current is None:
        raise Conflict("Somebody has deleted this job meanwhile.")
    return current


async def delete(runtime: Runtime, job: Job) -> None:
    """Delete a job. Raises Conflict while workers look after it, or if it has changed since it was read."""
    if job.live_from:
        raise Conflict(f"This job is {job.state} and has not ended: cancel it first, and wait.")
    if not await jobs.delete(runtime.db, job):
        raise Conflict("Somebody has changed this job meanwhile.")
    if file := await pending_files.get(runtime.db, job.id):
        await pending_files.drop(runtime.db, file)


async def page(runtime: Runtime, query: PageQuery) -> tuple[list[Job], str | None]:
    """Return a page of jobs, the newest first, and the cursor of the next page. Raises RequestError."""
    batch = await jobs.page(runtime.db, place(query.cursor), runtime.clock(), query.limit)
    last = batch[-1] if len(batch) == query.limit else None
    return batch, cursor(last.created_at, last.id) if last else None
