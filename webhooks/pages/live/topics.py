"""What can be watched on live pages, and the short digest by which each is told to have changed."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from gateway.runtime.heartbeat import workers
from gateway.runtime.paging import MOST
from gateway.runtime.runtime import Runtime
from storage import jobs, pending_files
from storage.accounts import flows, states
from storage.accounts.flows import NARROW
from storage.messages import callbacks, inbox, notifications
from storage.templates import approved
from webhooks.pages.conversations.digests import digest_of_chat, digest_of_list

Digest = Callable[[Runtime, str], Awaitable[object]]
"""Returns something short that differs when the thing with this id has changed."""


@dataclass(frozen=True)
class Topic:
    """What can be watched. every: seconds between two looks."""

    digest: Digest
    every: float = 1.0


async def _message(gateway: Runtime, key: str) -> object:
    return await notifications.version(gateway.db, key)


async def _dead(gateway: Runtime, _: str) -> object:
    """Count what has failed lately: all dead letters would be too many to count all the time."""
    since = gateway.clock() - LATELY
    return [await each.count_dead(gateway.db, MOST, since) for each in (notifications, inbox, callbacks)]


async def _accounts(gateway: Runtime, _: str) -> object:
    """Tell which accounts are held, and until when."""
    holds = await states.holds(gateway.db, gateway.gate.limits)
    return {name: (hold.since, hold.until) for name, hold in holds.items()}


async def _template(gateway: Runtime, key: str) -> object:
    """Tell the version and the state of a provider's template."""
    template = await approved.get(gateway.db, key)
    return template and (template.version, template.state, template.usable, template.reason)


async def _overview(gateway: Runtime, _: str) -> object:
    """Tell the counts of these five minutes, the holds and the workers."""
    now = gateway.clock()
    return (
        await flows.between(gateway.db, now, now + NARROW, NARROW),
        await _accounts(gateway, ""),
        await workers(gateway),
    )


LATELY = timedelta(minutes=10)


async def _job(gateway: Runtime, key: str) -> object:
    job, file = await jobs.get(gateway.db, key), await pending_files.get(gateway.db, key)
    read = file and (file.key, file.found, file.wrong, file.due_at is None)
    return (job.version, read, await jobs.digest(gateway.db, key)) if job else None


async def _jobs(gateway: Runtime, _: str) -> object:
    page = await jobs.page(gateway.db, None, gateway.clock(), JOBS)
    live = [await jobs.digest(gateway.db, job.id) for job in page if job.live_from]
    return [(job.id, job.version) for job in page], live


JOBS = 25
"""Jobs whose list is watched: those of its first page."""

TOPICS: Mapping[str, Topic] = {
    "conversations": Topic(digest_of_list),
    "session": Topic(digest_of_chat),
    "message": Topic(_message),
    "dead": Topic(_dead, every=5.0),
    "accounts": Topic(_accounts, every=5.0),
    "template": Topic(_template),
    "job": Topic(_job, every=2.0),
    "jobs": Topic(_jobs, every=5.0),
    "overview": Topic(_overview, every=5.0),
}
"""By the first word of a topic's name, as in `message:<id>`."""
