"""What we know of providers' templates, made true by the providers' own lists."""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime, timedelta

from msgspec.structs import replace

from gateway.domain.api.request import Input, Name
from gateway.domain.channel.contract import TemplateApprovals, Verdict
from gateway.domain.channel.errors import SendError
from gateway.domain.model.message_template import MessageTemplate
from gateway.messages.templates.approved import desk_of, heard
from gateway.runtime.runtime import Runtime, all_channels
from storage.engine.database import DatabaseError
from storage.templates import approved

log = logging.getLogger(__name__)

EVERY, LOOK = timedelta(hours=6), timedelta(minutes=10)
"""How often a provider is asked for its list, and how often a worker looks whether it is time."""


class SyncRequest(Input):
    """Which account's list is wanted."""

    channel: Name
    account: Name | None = None


async def sync(runtime: Runtime, asked: SyncRequest) -> int:
    """Make what we know true by the provider's list; how many it has. Raises RequestError, SendError."""
    channel, desk = desk_of(runtime, asked.channel, asked.account)
    began = runtime.clock()
    ours = {one.id: one for one in await approved.of_account(runtime.db, asked.channel, channel.account)}
    listed = await desk.listed_templates()  # after ours: what is submitted meanwhile is none that it misses
    for template, verdict in listed:
        await _learned(runtime, ours.pop(template.id, None), template, verdict, began)
    for missing in ours.values():
        await _missed(runtime, missing, began)
    return len(listed)


async def syncing(runtime: Runtime, stop: asyncio.Event) -> None:
    """Ask every provider now and then: a webhook may have been lost, or may never have been set up."""
    while not stop.is_set():
        for channel in all_channels(runtime.channels):
            if isinstance(channel, TemplateApprovals):
                await _sync_if_due(runtime, channel.facts.name, channel.account)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK.total_seconds())


async def _sync_if_due(runtime: Runtime, channel: str, account: str) -> None:
    try:
        if await approved.due(runtime.db, channel, account, runtime.clock(), EVERY):
            await sync(runtime, SyncRequest(channel=channel, account=account))
    except (SendError, DatabaseError) as error:
        log.warning("%s:%s: the list of templates could not be had: %s", channel, account, error)


async def _learned(
    runtime: Runtime, ours: MessageTemplate | None, theirs: MessageTemplate, verdict: Verdict, at: datetime
) -> None:
    """A draft that is a change of theirs, not submitted yet, stays one."""
    if ours and ours.state == "draft" and ours.provider_id == verdict.provider_id:
        return
    since = {"created_at": ours.created_at, "version": ours.version} if ours else {"created_at": at, "version": 0}
    changed = ours.changed_at if ours else at
    await approved.put(runtime.db, replace(theirs, **since, changed_at=changed, provider_id=verdict.provider_id))
    await heard(runtime, theirs, verdict, at)


async def _missed(runtime: Runtime, ours: MessageTemplate, at: datetime) -> None:
    if ours.provider_id and ours.state != "deleted":
        words = "the provider does not list it any more"
        await heard(runtime, ours, Verdict("", "deleted", usable=False, reason=words), at)
    elif ours.state == "pending":
        words = "it did not reach the provider"
        await heard(runtime, ours, Verdict("", "draft", usable=False, reason=words), at)
