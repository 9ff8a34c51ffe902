"""Callbacks to API clients: status changes of messages, and events of an account's conversations.

A change is stored with the message itself, so that none is lost. From there it is copied into a queue and posted, in
order for each message and each conversation, until the receiver answers 2xx.
"""

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import aiohttp
import msgspec

from gateway.domain.api.formats import STEP_STATUS, iso
from gateway.domain.api.signing import sign
from gateway.domain.model.change import Change, Wanted
from gateway.domain.model.identifier import find
from gateway.domain.model.notification import Notification, Status
from gateway.domain.model.nouns import Address
from gateway.messages.callbacks.hosts import SOON, Host, Hosts
from gateway.runtime.loop import Item, Own
from gateway.runtime.runtime import Runtime
from gateway.runtime.telemetry import metrics
from storage.messages import callbacks
from storage.messages.callbacks import Call

TIMEOUT = aiohttp.ClientTimeout(total=10)
BATCH = 200
OK, GONE, LONGEST_PAUSE = range(200, 300), 410, 3600
BAD = {Status.UNDELIVERED, Status.EXPIRED, Status.ERROR}


@dataclass(frozen=True)
class Failed:
    """A callback that was not accepted.

    after: how long the receiver asks to wait. for_good: it must not be tried again.
    """

    why: str
    after: timedelta = timedelta(0)
    for_good: bool = False


async def take(runtime: Runtime, room: int, own: Own, hosts: Hosts) -> Sequence[Item]:
    """Enqueue the changes that messages carry, then take the calls that are due."""
    await enqueue_changes(runtime)
    now = runtime.clock()
    calls = await runtime.callbacks.claim(now, runtime.settings.lease, room, own())
    return [
        Item(
            call.id,
            call.lane,
            call.lease or "",
            partial(_work, runtime, call, hosts.of(call.url)),
            partial(runtime.callbacks.reschedule, call, now),
        )
        for call in calls
    ]


async def enqueue_changes(runtime: Runtime) -> None:
    """Copy changes from messages into the queue. It may be repeated: a call's id is that of its change."""
    while messages := await callbacks.unqueued(runtime.db, BATCH):
        now = runtime.clock()
        await callbacks.add(runtime.db, [call for message in messages for call in _calls(message, now)])
        await asyncio.gather(*(callbacks.mark_queued(runtime.db, message) for message in messages))
        if len(messages) < BATCH:
            return


def _calls(message: Notification, now: datetime) -> list[Call]:
    if message.callback is None:
        return []
    return [
        Call(f"{message.id}:{change.sequence}", message.id, change.sequence, message.callback.url, body, now, now)
        for change in message.changes
        if is_wanted(message.callback.wanted, change)
        and (body := json.dumps(_body(message, change), ensure_ascii=False))
    ]


def is_wanted(wanted: Wanted, change: Change) -> bool:
    """Return whether a caller who wants these changes is told of this one. Pure."""
    match wanted:
        case "all":
            return True
        case "final":
            return change.finished_at is not None
        case "undelivered":
            return change.new in BAD and change.new != change.old


def _body(message: Notification, change: Change) -> dict[str, Any]:
    return {
        "eventId": f"{message.id}:{change.sequence}",
        "sequence": change.sequence,
        "id": message.id,
        "groupId": message.group_id,
        "bulkId": message.bulk_id,
        "externalId": find(message.recipient.identifiers, "externalId"),
        "channel": change.channel,
        "oldStatus": change.old,
        "newStatus": change.new,
        "stepStatus": STEP_STATUS[change.progress] if change.progress is not None else None,
        "reason": change.reason or None,
        "partCount": change.parts,
        "price": msgspec.to_builtins(change.price),
        "at": iso(change.at),
        "finishedAt": iso(change.finished_at),
        "callbackData": message.callback_data,
    }


async def notify_account(runtime: Runtime, kind: str, address: Address, event: str, fields: Mapping[str, Any]) -> None:
    """Enqueue a callback to the account's own webhook, if it has one.

    kind: what happened in the conversation. event: the event's id. fields: what the body has besides.
    """
    url = runtime.settings.callbacks.get(f"{address.channel}:{address.account}")
    if not url:
        return
    key, now = f"{event}:{kind}", runtime.clock()
    number = runtime.clock.ordinal()
    body = {
        "eventId": key,
        "sequence": number,
        "event": kind,
        "session": address.key,
        "channel": address.channel,
        "account": address.account,
        "user": address.user,
        **fields,
    }
    await callbacks.add(
        runtime.db, [Call(key, address.key, number, url, json.dumps(body, ensure_ascii=False), now, now)]
    )
    runtime.callback_bell.set()


async def _work(runtime: Runtime, call: Call, host: Host) -> None:
    """Make a call if it is its turn and its host may be called; else put it back."""
    queue, now = runtime.callbacks, runtime.clock()
    if earlier := await queue.earlier(call):
        await queue.reschedule(call, max(earlier.due_at or now, now) + SOON)
        return
    if until := host.busy_until(now):
        await queue.reschedule(call, until + SOON * random.random())  # noqa: S311
        return
    host.under_way += 1
    try:
        failed = await post(runtime, call)
    finally:
        host.under_way -= 1
    host.record(runtime.clock(), well=failed is None or failed.for_good, most=runtime.settings.tuning.host_failures)
    await _record(runtime, call, failed)


async def _record(runtime: Runtime, call: Call, failed: Failed | None) -> None:
    now, pauses = runtime.clock(), runtime.settings.tuning.callback_pauses
    if failed is None:
        metrics.CALLBACKS.labels("delivered").inc()
        await runtime.callbacks.complete(call, now)
    elif failed.for_good or call.tries >= len(pauses):
        metrics.CALLBACKS.labels("abandoned").inc()
        metrics.DEAD_LETTERS.labels("callbacks").inc()
        await runtime.callbacks.complete(call, now, failed.why)
    else:
        metrics.CALLBACKS.labels("failed").inc()
        pause = max(pauses[call.tries] * random.uniform(1, 1.2), failed.after)  # noqa: S311
        await runtime.callbacks.reschedule(call, now + pause, failed.why, tried=True)
        return
    runtime.callback_bell.set()


async def post(runtime: Runtime, call: Call) -> Failed | None:
    """Post a call. Returns None if it was accepted.

    Redirects are not followed, since they would lead around the check of the address.
    """
    body = call.body.encode()
    secrets = [secret.reveal() for secret in runtime.settings.callback_secrets]
    headers = {"Content-Type": "application/json", **sign(secrets, call.id, body, runtime.clock())}
    try:
        async with runtime.outward.post(
            call.url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False
        ) as response:
            status, after = response.status, response.headers.get("Retry-After", "")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Failed(f"it could not be reached: {type(error).__name__}")
    if status in OK:
        return None
    wait = min(int(after), LONGEST_PAUSE) if after.isascii() and after.isdigit() and len(after) < 10 else 0  # noqa: PLR2004
    return Failed(f"it answers {status}", timedelta(seconds=wait), for_good=status == GONE)
