"""Jobs as callers use them: create one, add rows, start and stop it, and see its progress."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated
from uuid import uuid4

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import Destination, MessageInput, Name, RequestError, SendingInput, StepInput, Version
from gateway.domain.model.job import MOVES, Job, Verb
from gateway.domain.model.notification import Status
from gateway.messages.composing.terms import read_callback
from gateway.messages.templates.expansion import expand
from gateway.messages.templates.own import check
from gateway.runtime.paging import PageQuery, cursor, place
from gateway.runtime.runtime import Runtime
from storage import jobs


class JobRequest(SendingInput, kw_only=True):
    """A job to create. The other fields are those of a message; its messages have the lowest priority.

    kind: universal, anything; advertising, marketing for people who have written to us, one message for each; sessions,
    one step by a messenger, which begins a conversation; a channel's name, steps by that channel only, by an approved
    template where it has those.
    """

    name: Name
    kind: Name = "universal"
    channels: Annotated[list[StepInput], Meta(max_length=10)] = []  # noqa: RUF012 - msgspec copies it
    template_id: Name | None = None
    template_version: Version | None = None


@dataclass(frozen=True)
class Progress:
    """A job's progress.

    processed: rows that are messages under way or ended, or were refused then. refused: also the rows that were refused
    when their file was read, which `processed` and the job's total do not count. rate: rows a second while it ran.
    """

    job: Job
    processed: int = 0
    refused: int = 0
    by_status: dict[str, int] = field(default_factory=dict)
    rate: float | None = None
    ends_at: datetime | None = None


async def create(runtime: Runtime, request: JobRequest) -> tuple[Job, list[str]]:
    """Create a draft. Returns it and warnings for its author. Raises RequestError."""
    fields = {name: getattr(request, name) for name in MessageInput.__struct_fields__ if hasattr(request, name)}
    message, ignored = await expand(runtime, MessageInput(destinations=[Destination()], **fields))
    category = "marketing" if request.kind == "advertising" else message.category
    message = replace(message, template_id=None, template_version=None, priority="bulk", category=category)
    warnings = await check(runtime, message)
    _check(runtime, request.kind, message.channels)
    read_callback(message, runtime.settings)
    body = {name: value for name, value in msgspec.to_builtins(message).items() if name != "destinations"}
    job = Job(
        uuid4().hex,
        request.name,
        request.kind,
        msgspec.json.encode(body).decode(),
        runtime.clock(),
        batch_rows=runtime.settings.tuning.batch_rows,
    )
    return await jobs.save(runtime.db, job) or job, [*ignored, *warnings]


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


async def move(runtime: Runtime, job: Job, verb: Verb) -> Job:
    """Start the job, pause it, and so on, and return it. Raises Conflict where its state does not allow that."""
    while True:
        allowed, _ = MOVES[verb]
        if job.state not in allowed or (verb == "start" and not job.total):
            raise Conflict("It has no rows yet." if job.state in allowed else f"This job is {job.state}.")
        now = runtime.clock()
        if verb in {"start", "retry"}:  # before the job itself, so that one that runs has its batches
            await jobs.schedule_batches(runtime.db, job, now)
        if saved := await jobs.save(runtime.db, job.move(verb, now)):
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


async def page(runtime: Runtime, query: PageQuery) -> tuple[list[Job], str | None]:
    """Return a page of jobs, the newest first, and the cursor of the next page. Raises RequestError."""
    batch = await jobs.page(runtime.db, place(query.cursor), runtime.clock(), query.limit)
    last = batch[-1] if len(batch) == query.limit else None
    return batch, cursor(last.created_at, last.id) if last else None


async def progress(runtime: Runtime, job: Job) -> Progress:
    """Return the job's progress, as the workers last counted it."""
    counts, refused, now = Counter[str](), 0, runtime.clock()
    async for by_status, faults in jobs.batch_counts(runtime.db, job.id):
        counts.update(by_status)
        refused += faults
    processed = counts.total() - counts[Status.NEW] + refused
    seconds = job.running_for(now)
    rate = processed / seconds if processed and seconds else None
    left = timedelta(seconds=(job.total - processed) / rate) if rate and job.state == "running" else None
    left_out = sum(upload.refused for upload in job.uploads)
    return Progress(
        job, processed, refused + left_out, dict(sorted(counts.items())), rate, now + left if left else None
    )
