"""How far a job is: its rows by what became of them, its speed, when it will be ready, and what it waits for."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from gateway.domain.api.request import StepInput, TermsInput
from gateway.domain.model.job import Job, Reason
from gateway.domain.model.notification import Status
from gateway.domain.terms.hours import Hours, opens_at, read_ranges, ready_at
from gateway.messages.jobs.reasons import added, grouped, shared
from gateway.runtime.runtime import Runtime, account_key
from storage import job_files, jobs
from storage.jobs import Counted

MINUTE = timedelta(minutes=1)
UNDER_WAY = frozenset({Status.NEW, Status.SCHEDULED, Status.DELAYED, Status.PENDING})


class JobMessage(msgspec.Struct, rename="camel"):
    """What a job sends, as far as it is looked at before it is sent. The fields are those of a message."""

    channels: list[StepInput]
    allowed_time_ranges: list[tuple[str, str]] = []
    weekdays: list[int] = []
    timezone: str | None = None
    validity_period: int = TermsInput().validity_period
    category: str = "service"

    @classmethod
    def of(cls, job: Job) -> "JobMessage":
        """Return a job's message."""
        return cls.decode(job.message)

    @classmethod
    def decode(cls, message: str) -> "JobMessage":
        """Return a message as jobs store it."""
        return msgspec.json.decode(message, type=cls)

    def hours(self, zone: str) -> Hours:
        """Return when the message may leave to people of this time zone, unless it names none itself."""
        return Hours(zone, read_ranges(self.allowed_time_ranges), tuple(self.weekdays))


@dataclass(frozen=True)
class Wait:
    """What a running job waits for: an account that is held (channel:name) and why, or ("") the allowed hours."""

    until: datetime
    account: str = ""
    why: str = ""


@dataclass(frozen=True)
class Progress:
    """A job's progress, as the workers last counted it.

    processed: rows that are messages under way or ended, or were refused then. refused: also the rows that were refused
    when their file was read (`left_out`), which `processed` and the job's total do not count. rate: rows a second since
    it was started; recent: in the last minute. reasons: why rows failed or were refused. spent: by currency.
    """

    job: Job
    processed: int = 0
    refused: int = 0
    left_out: int = 0
    by_status: dict[str, int] = field(default_factory=dict)
    rate: float | None = None
    recent: float | None = None
    ends_at: datetime | None = None
    reasons: Sequence[Reason] = ()
    spent: Mapping[str, str] = field(default_factory=dict)
    wait: Wait | None = None

    @property
    def all(self) -> int:
        """Return the number of all rows, with those that were refused when their file was read."""
        return self.job.total + self.left_out

    @property
    def done(self) -> int:
        """Return the number of rows of which nothing is left to be done."""
        return self.refused + sum(count for status, count in self.by_status.items() if status not in UNDER_WAY)

    @property
    def hopeful(self) -> int:
        """Return the number of messages that failed and may arrive if they are sent once more."""
        return sum(reason.count for reason in self.reasons if reason.hopeful)


async def progress(runtime: Runtime, job: Job, latest: Mapping[str, Mapping[str, int]] | None = None) -> Progress:
    """Return the job's progress, as the workers last counted it. latest: newer counts of some of its batches."""
    counts, refused, now = Counter[str](), 0, runtime.clock()
    reasons, spent, submissions = list[Reason](), list[dict[str, str]](), list[Counted]()
    async for batch in jobs.counted(runtime.db, job.id):
        counts.update((latest or {}).get(batch.id, batch.counts))
        refused += len(batch.faults)
        reasons = list(grouped([*reasons, *batch.reasons, *(Reason(shared(words)) for words in batch.faults.values())]))
        spent.append(batch.spent)
        submissions.append(batch)
    processed = counts.total() - counts[Status.NEW] + refused
    seconds = job.running_for(now)
    rate = processed / seconds if processed and seconds else None
    recent = _recent(job, submissions, now) or rate if job.state == "running" else None
    left_out = sum(upload.refused for upload in job.uploads)
    return Progress(
        job,
        processed,
        refused + left_out,
        left_out,
        dict(sorted(counts.items())),
        rate,
        recent,
        await _ends_at(runtime, job, (job.total - processed) / recent, now) if recent else None,
        reasons,
        added(spent),
        _wait(runtime, job, now) if job.state == "running" else None,
    )


def _recent(job: Job, batches: Sequence[Counted], now: datetime) -> float | None:
    """Return the rows a second of the last minute, or of the last two batches where they took longer; None: unknown.

    A batch is submitted when the one before has begun to leave, so the moments of submission tell the speed.
    """
    began = job.running_from or now
    moments = sorted(
        (batch.submitted_at, batch.submitted) for batch in batches if (batch.submitted_at or began) > began
    )
    times = [(at, rows) for at, rows in moments if at and rows]
    last = [pair for pair in times if pair[0] >= now - MINUTE]
    last = last if len(last) > 1 else times[-2:]
    if len(last) < 2 or now - last[-1][0] > 2 * (last[-1][0] - last[0][0]):  # noqa: PLR2004 - a speed has two ends
        return None
    return sum(rows for _, rows in last[:-1]) / (last[-1][0] - last[0][0]).total_seconds()


async def _ends_at(runtime: Runtime, job: Job, seconds: float, now: datetime) -> datetime | None:
    """Return when the last of the rows leaves, if so many seconds of work are left. None: too far away to tell."""
    if job.state != "running":
        return None
    return await ready_in_hours(runtime, job, timedelta(seconds=min(seconds, FURTHEST)), now)


FURTHEST = 366 * 86_400
"""Seconds of work beyond which nobody can tell."""


async def ready_in_hours(runtime: Runtime, job: Job, work: timedelta, now: datetime) -> datetime | None:
    """Return when so much work on a job ends within the allowed hours of its rows' time zones.

    All accounts are shared, so the zone that opens last decides: its rows take their part of the work.
    """
    message, zones = JobMessage.of(job), Counter[str]()
    for file in await job_files.of_job(runtime.db, job.id):
        zones.update(dict(file.zones))
    total = max(job.total, 1)
    zones[message.timezone or runtime.settings.timezone] += max(job.total - zones.total(), 0)
    ends = [ready_at(message.hours(zone), now, work * (count / total)) for zone, count in zones.items() if count]
    known = [end for end in ends if end]
    return max([*known, now + work]) if len(known) == len(ends) else None


def _wait(runtime: Runtime, job: Job, now: datetime) -> Wait | None:
    """Return what keeps a running job from going on, as far as it is the same for all of its rows."""
    message = JobMessage.of(job)
    opens = opens_at(message.hours(message.timezone or runtime.settings.timezone), now)
    if opens > now:
        return Wait(opens)
    for step in message.channels:
        channel = runtime.channel(step.channel, step.account)
        if channel and (hold := runtime.gate.holds.of(account_key(channel), now)):
            return Wait(hold.until, account_key(channel), hold.why)
    return None


async def progress_of_live(runtime: Runtime, page: Sequence[Job]) -> AsyncIterator[Progress]:
    """Yield the progress of each job. What has not begun, or has ended, is not counted: a list has many of those."""
    for job in page:
        left_out = sum(upload.refused for upload in job.uploads)
        yield await progress(runtime, job) if job.live_from else Progress(job, refused=left_out, left_out=left_out)
