"""Telling callers: changes of their messages' statuses, and what happens in an account's conversations.

A change is written with the message itself, so that none is lost; from there it comes into a queue, from which it is
posted, in order for each message and for each conversation, until the receiver has said 2xx.
"""

import asyncio
import json
import random
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import aiohttp
import msgspec

from gateway.domain.api.formats import iso
from gateway.domain.api.signing import signed
from gateway.domain.model.change import Change
from gateway.domain.model.notification import Notification, Status
from gateway.domain.model.nouns import Address
from gateway.messages.callbacks.hosts import SOON, Host, Hosts
from gateway.runtime.loop import Item
from gateway.runtime.runtime import Runtime
from gateway.runtime.telemetry import metrics
from storage.messages import callbacks
from storage.messages.callbacks import Call

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (4, 15, 60, 300, 900, 3600, 10_800, 21_600, 43_200))
"""Before each further try; then it is a dead letter."""

TIMEOUT = aiohttp.ClientTimeout(total=10)
BATCH = 200
OK, GONE, LONGEST_PAUSE = range(200, 300), 410, 3600
FINAL = {Status.DELIVERED, Status.READ, Status.UNDELIVERED, Status.EXPIRED, Status.ERROR, Status.CANCELLED}
BAD = {Status.UNDELIVERED, Status.EXPIRED, Status.ERROR}


@dataclass(frozen=True)
class Failed:
    """A call that was not taken. after: when the receiver wants it again; `for_good`: it never does."""

    why: str
    after: timedelta = timedelta(0)
    for_good: bool = False


async def take(runtime: Runtime, room: int, own: Container[str], hosts: Hosts) -> Sequence[Item]:
    """Hand on the changes that messages carry, then take the calls that are due."""
    await hand_on(runtime)
    now = runtime.clock()
    calls = await runtime.callbacks.claim(now, runtime.settings.lease, room)
    return [
        Item(
            call.id,
            call.lane,
            call.lease or "",
            partial(_work, runtime, call, hosts.of(call.url)),
            partial(runtime.callbacks.reschedule, call, now),
        )
        for call in calls
        if call.id not in own
    ]


async def hand_on(runtime: Runtime) -> None:
    """What messages carry comes into the queue. It may be done twice: a call is named after its change."""
    while found := await callbacks.unqueued(runtime.db, BATCH):
        now = runtime.clock()
        await callbacks.add(runtime.db, [call for message in found for call in _calls(message, now)])
        await asyncio.gather(*(callbacks.mark_queued(runtime.db, message) for message in found))
        if len(found) < BATCH:
            return


def _calls(message: Notification, now: datetime) -> list[Call]:
    if message.callback is None:
        return []
    wanted = {"all": set(Status), "final": FINAL, "undelivered": BAD}[message.callback.wanted]
    return [
        Call(f"{message.id}:{change.sequence}", message.id, change.sequence, message.callback.url, body, now, now)
        for change in message.changes
        if change.new in wanted and (body := json.dumps(_told(message, change), ensure_ascii=False))
    ]


def _told(message: Notification, change: Change) -> dict[str, Any]:
    return {
        "eventId": f"{message.id}:{change.sequence}",
        "sequence": change.sequence,
        "id": message.id,
        "groupId": message.group_id,
        "bulkId": message.bulk_id,
        "externalId": message.recipient.external_id,
        "channel": change.channel,
        "oldStatus": change.old,
        "newStatus": change.new,
        "reason": change.reason or None,
        "partCount": change.parts,
        "price": msgspec.to_builtins(change.price),
        "at": iso(change.at),
        "callbackData": message.callback_data,
    }


async def tell_account(runtime: Runtime, kind: str, address: Address, event: str, told: Mapping[str, Any]) -> None:
    """Tell an account's own webhook, if it has one, of what happened in a conversation; `event` is the event's id."""
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
        **told,
    }
    await callbacks.add(
        runtime.db, [Call(key, address.key, number, url, json.dumps(body, ensure_ascii=False), now, now)]
    )
    runtime.callback_bell.set()


async def _work(runtime: Runtime, call: Call, host: Host) -> None:
    """Make a call, if it is its turn and its host can be called."""
    queue, now = runtime.callbacks, runtime.clock()
    if first := await queue.earlier(call):
        await queue.reschedule(call, max(first.due_at or now, now) + SOON)
        return
    if until := host.busy_until(now):
        await queue.reschedule(call, until + SOON * random.random())  # noqa: S311
        return
    host.under_way += 1
    try:
        failed = await _post(runtime, call)
    finally:
        host.under_way -= 1
    host.heard(runtime.clock(), well=failed is None or failed.for_good)
    await _ended(runtime, call, failed)


async def _ended(runtime: Runtime, call: Call, failed: Failed | None) -> None:
    now = runtime.clock()
    if failed is None:
        metrics.CALLBACKS.labels("told").inc()
        await runtime.callbacks.complete(call, now)
    elif failed.for_good or call.tries >= len(PAUSES):
        metrics.CALLBACKS.labels("given up").inc()
        metrics.DEAD.labels("callbacks").inc()
        await runtime.callbacks.complete(call, now, failed.why)
    else:
        metrics.CALLBACKS.labels("failed").inc()
        pause = max(PAUSES[call.tries] * random.uniform(1, 1.2), failed.after)  # noqa: S311
        await runtime.callbacks.reschedule(call, now + pause, failed.why, tried=True)
        return
    runtime.callback_bell.set()


async def _post(runtime: Runtime, call: Call) -> Failed | None:
    """None: it was taken. Redirects are not followed: they would lead around what was checked."""
    body = call.body.encode()
    secrets = [secret.reveal() for secret in runtime.settings.callback_secrets]
    headers = {"Content-Type": "application/json", **signed(secrets, call.id, body, runtime.clock())}
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
