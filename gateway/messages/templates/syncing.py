"""Syncs the stored templates with the providers' own lists."""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime, timedelta

from msgspec.structs import replace

from gateway.domain.api.request import Input, Name
from gateway.domain.channel.contract import TemplateApprovals, Verdict
from gateway.domain.channel.errors import SendError
from gateway.domain.model.message_template import MessageTemplate
from gateway.messages.templates.approved import approvals_of, record_verdict
from gateway.runtime.runtime import Runtime, all_channels
from storage.engine.database import DatabaseError
from storage.templates import approved

log = logging.getLogger(__name__)

EVERY, POLL = timedelta(hours=6), timedelta(minutes=10)
"""How often a provider's list is fetched, and how often a worker checks whether that is due."""


class SyncRequest(Input):
    """Which account to sync; the channel's first one, if no account is given."""

    channel: Name
    account: Name | None = None


async def sync(runtime: Runtime, request: SyncRequest) -> int:
    """Update the stored templates by the provider's list. Returns its length. Raises RequestError, SendError."""
    channel, approvals = approvals_of(runtime, request.channel, request.account)
    began = runtime.clock()
    account = await approved.of_account(runtime.db, request.channel, channel.account)
    stored = {template.id: template for template in account}
    listed = await approvals.list_templates()  # after the stored ones, so that none submitted meanwhile seems missing
    for template, verdict in listed:
        await _update(runtime, stored.pop(template.id, None), template, verdict, began)
    for missing in stored.values():
        await _mark_missing(runtime, missing, began)
    return len(listed)


async def sync_regularly(runtime: Runtime, stop: asyncio.Event) -> None:
    """Sync every account when it is due, until `stop`: webhooks may be lost, or may never have been set up."""
    while not stop.is_set():
        for channel in all_channels(runtime.channels):
            if isinstance(channel, TemplateApprovals):
                await _sync_if_due(runtime, channel.facts.name, channel.account)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), POLL.total_seconds())


async def _sync_if_due(runtime: Runtime, channel: str, account: str) -> None:
    try:
        if await approved.due(runtime.db, channel, account, runtime.clock(), EVERY):
            await sync(runtime, SyncRequest(channel=channel, account=account))
    except (SendError, DatabaseError) as error:
        log.warning("%s:%s: the list of templates could not be had: %s", channel, account, error)


async def _update(
    runtime: Runtime, stored: MessageTemplate | None, listed: MessageTemplate, verdict: Verdict, at: datetime
) -> None:
    """Store the provider's version, except over a draft that changes it and is not submitted yet."""
    if stored and stored.state == "draft" and stored.provider_id == verdict.provider_id:
        return
    since = {"created_at": stored.created_at, "version": stored.version} if stored else {"created_at": at, "version": 0}
    changed = stored.changed_at if stored else at
    await approved.put(runtime.db, replace(listed, **since, changed_at=changed, provider_id=verdict.provider_id))
    await record_verdict(runtime, listed, verdict, at)


async def _mark_missing(runtime: Runtime, template: MessageTemplate, at: datetime) -> None:
    if template.provider_id and template.state != "deleted":
        words = "the provider does not list it any more"
        await record_verdict(runtime, template, Verdict("", "deleted", usable=False, reason=words), at)
    elif template.state == "pending":
        words = "it did not reach the provider"
        await record_verdict(runtime, template, Verdict("", "draft", usable=False, reason=words), at)
