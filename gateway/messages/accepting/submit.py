"""Accepting: stores what can be accepted, and then responds to the caller. One bad item fails alone."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from gateway.domain.api.formats import iso
from gateway.domain.api.request import RequestError, UnreadBulk, read
from gateway.domain.api.response import BulkResponse, ErrorView, ItemView, StepView
from gateway.domain.cascade import rule
from gateway.domain.cascade.moves import Send
from gateway.domain.cascade.step import explain
from gateway.domain.model.attempt import Step
from gateway.domain.model.notification import Notification, Priority, Status
from gateway.domain.terms.hours import opens_at
from gateway.messages.accepting.plans import Plan, key_of, plan_bulk
from gateway.messages.delivery import recording
from gateway.messages.delivery.reachability import look
from gateway.runtime.runtime import Runtime
from gateway.runtime.telemetry import metrics
from gateway.runtime.turns import in_turns
from storage.access import keys
from storage.documents.documents import in_portions
from storage.messages import links, notifications

log = logging.getLogger(__name__)


AT_ONCE = 25
"""Items that are looked up together."""


async def submit(runtime: Runtime, body: bytes, caller: str, idempotency_key: str | None, operator: str = "") -> bytes:
    """Accept what can be accepted. Returns the JSON of a BulkResponse: one item for each message and destination.

    Raises RequestError where the body as a whole cannot be read, storage.access.keys.KeyConflict where the key was used
    with another body. The same key with the same body gives the same response and sends once: the notifications' ids
    derive from both, so that its repetition completes a request that broke off half-way. The response is built when all
    is stored, so that it is true whatever another request did at the same moment. operator: who writes it in a
    conversation.
    """
    bulk = read(UnreadBulk, body)
    request = _request(caller, idempotency_key) if idempotency_key else None
    earlier = await keys.claim_request(runtime.db, request, body, runtime.clock()) if request else None
    if earlier and earlier.answer:
        return earlier.answer
    scope = f"{request}:{keys.digest(body)}" if request else None
    plans = await _resolve_own_ids(runtime, await plan_bulk(runtime, bulk, caller, scope=scope, operator=operator))
    if earlier and scope:
        plans = await _restore_stored(runtime, plans, scope)
    if shortened := [link for plan in plans for link in plan.links]:
        await links.add(runtime.db, shortened)
    await recording.add(runtime.db, [new for plan in plans if (new := plan.notification)])
    runtime.outbox_bell.set()
    plans = await _resolve_own_ids(runtime, plans)
    _log_accepted(plans)
    response = await _encode(bulk, map(_item_view, plans))
    if request is None:
        return response
    return await keys.remember_answer(runtime.db, request, response, runtime.clock())


async def find_answer(runtime: Runtime, body: bytes, caller: str, idempotency_key: str) -> BulkResponse | None:
    """Return the response to an earlier request with this key, or None. Raises storage.access.keys.KeyConflict."""
    stored = await keys.find_request(runtime.db, _request(caller, idempotency_key), body)
    return msgspec.json.decode(stored.answer, type=BulkResponse) if stored and stored.answer else None


def _request(caller: str, idempotency_key: str) -> str:
    """Return the id under which a caller's request with this key is stored."""
    return keys.digest(msgspec.json.encode((caller, idempotency_key)))


async def _restore_stored(runtime: Runtime, plans: Sequence[Plan], scope: str) -> list[Plan]:
    """Return the plans; of a request that broke off, a stored message counts even if it would be refused now."""
    places, restored = Counter[str](), list[Plan]()
    for plan in plans:
        key = key_of(scope, plan.path, places[plan.path])
        places[plan.path] += 1
        stored = await notifications.get(runtime.db, key) if plan.error else None
        restored.append(Plan(plan.path, stored) if stored else plan)
    return restored


async def validate(runtime: Runtime, body: bytes, caller: str) -> bytes:
    """Return the response that `submit` would give, with each step explained as things stand; store and send nothing.

    A message for later is judged as of its time, as far as that is known now. Raises RequestError.
    """
    bulk = read(UnreadBulk, body)
    plans = await _resolve_own_ids(runtime, await plan_bulk(runtime, bulk, caller, trial=True))
    items: list[ItemView] = []
    for some in in_portions(plans, AT_ONCE):
        items += await asyncio.gather(*(_explain_item(runtime, plan) for plan in some))  # their reads share trips
    return await _encode(bulk, items)


async def _resolve_own_ids(runtime: Runtime, plans: Sequence[Plan]) -> list[Plan]:
    """Return the plans; where a caller's own id is in use, with the stored message, or an error if it differs."""
    named = {index: plan for index, plan in enumerate(plans) if plan.notification and plan.notification.asked}
    resolved: list[Plan] = []
    for some in in_portions(list(named.values()), AT_ONCE):
        resolved += await asyncio.gather(*(_resolve_own_id(runtime, plan) for plan in some))
    return list((dict(enumerate(plans)) | dict(zip(named, resolved, strict=True))).values())


async def _resolve_own_id(runtime: Runtime, plan: Plan) -> Plan:
    notification = plan.notification
    if notification is None:
        return plan
    stored = await notifications.get(runtime.db, notification.id)
    if stored and stored.asked == notification.asked:
        return Plan(plan.path, stored, warnings=plan.warnings)
    if stored or await notifications.get(runtime.db, _sibling(notification.id)):
        words = "another message was accepted under this id"
        return Plan(plan.path, error=RequestError("id_taken", words, f"{plan.path}.id"))
    return plan


def _sibling(key: str) -> str:
    """Return the id that a message under this own id would have with several destinations, and the other way round."""
    own, numbered, _ = key.partition(":")
    return own if numbered else f"{own}:0"


def _log_accepted(plans: Sequence[Plan]) -> None:
    """Write one line for all messages, however many: each can be found by its id."""
    ids = [plan.notification.id for plan in plans if plan.notification]
    metrics.MESSAGES.labels("accepted").inc(len(ids))
    metrics.MESSAGES.labels("refused").inc(len(plans) - len(ids))
    if ids:
        log.info("accepted", extra={"message_ids": ids})


async def _encode(bulk: UnreadBulk, items: Iterable[ItemView]) -> bytes:
    """Return the JSON of a BulkResponse with these items; others have their turn in between."""
    frame = msgspec.json.encode(BulkResponse(bulk_id=bulk.bulk_id, messages=[]))
    encoded = [item async for item in in_turns(msgspec.json.encode, items)]
    return frame.removesuffix(b"]}") + b",".join(encoded) + b"]}"


def _item_view(plan: Plan) -> ItemView:
    notification, error = plan.notification, plan.error
    if error or notification is None:
        error = error or RequestError("invalid", "it cannot be read", plan.path)
        return ItemView(error=ErrorView(code=error.code, message=error.message, field=error.field))
    status, send_at = _beginning(notification)
    item = ItemView(
        id=notification.id,
        group_id=notification.group_id,
        bulk_id=notification.bulk_id,
        status=status,
        send_at=iso(send_at),
        timezone=notification.hours.zone if notification.hours else None,
        plan=[_step_view(step) for step in notification.steps],
    )
    if plan.warnings:
        item.warnings = plan.warnings
    return item


def _beginning(notification: Notification) -> tuple[Status, datetime]:
    """Return a message's status and when it leaves first: DELAYED, if its hours will hold it."""
    send_at = notification.send_at or notification.created_at
    if notification.status not in {Status.NEW, Status.SCHEDULED} or notification.priority is Priority.URGENT:
        return notification.status, send_at
    opens = opens_at(notification.hours, send_at) if notification.hours else send_at
    held = send_at < opens < notification.expires_at
    return (Status.DELAYED, opens) if held else (notification.status, send_at)


def _step_view(step: Step) -> StepView:
    view = StepView(
        channel=step.channel,
        account=step.account,
        success=step.success.name.lower(),
        fallback_after=f"PT{int(step.fallback_after.total_seconds())}S",
        parts=step.parts,
    )
    if step.required:
        view.required = True
    if step.price:
        view.price = step.costs(template=step.content is None)
    return view


async def _explain_item(runtime: Runtime, plan: Plan) -> ItemView:
    item, notification = _item_view(plan), plan.notification
    if notification is None or not item.plan:
        return item
    context = await look(runtime, notification, notification.send_at)
    for number, (view, step) in enumerate(zip(item.plan, notification.steps, strict=True)):
        view.explanation = _with_parts(explain(notification, number, context), step)
        view.text = step.content.text if step.content else None
    item.channel = _first_channel(notification, rule.advance(notification, context)[1])
    return item


def _with_parts(words: str, step: Step) -> str:
    return f"{words}; {step.parts} parts" if step.parts > 1 else words


def _first_channel(notification: Notification, action: object) -> str | None:
    """Return the channel of the first send, or None if nothing would be sent now."""
    return notification.steps[action.step].channel if isinstance(action, Send) else None
