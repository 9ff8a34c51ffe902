"""Accepting: what can be accepted is stored, and then the caller hears so. One bad item fails alone."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence

import msgspec

from gateway.domain.api.formats import iso
from gateway.domain.api.request import BulkRequest, RequestError, read
from gateway.domain.api.response import BulkResponse, ErrorView, ItemView, StepView
from gateway.domain.cascade import rule
from gateway.domain.cascade.moves import Send
from gateway.domain.cascade.step import explain
from gateway.domain.model.attempt import Step
from gateway.domain.model.notification import Notification
from gateway.messages.accepting.plans import Plan, key_of, plan_bulk
from gateway.messages.delivery import recording
from gateway.messages.delivery.reachability import look
from gateway.runtime.runtime import Runtime
from gateway.runtime.telemetry import metrics
from storage.access import keys
from storage.messages import links, notifications

log = logging.getLogger(__name__)


async def submit(runtime: Runtime, body: bytes, caller: str, idempotency_key: str | None) -> BulkResponse:
    """Accept what can be accepted; the answer, one item for each message and destination, in order.

    Raises RequestError where the body as a whole cannot be read, storage.access.keys.KeyConflict where the key was used
    with another body. The same key with the same body gives the same answer and sends once: the notifications' ids come
    from both, so a request that broke off half-way is completed by its repetition. The answer is made when all is
    stored, so that it is true whatever became of another request at the same moment.
    """
    bulk = read(BulkRequest, body)
    request = _request(caller, idempotency_key) if idempotency_key else None
    before = await keys.claim_request(runtime.db, request, body, runtime.clock()) if request else None
    if before and before.answer:
        return msgspec.convert(before.answer, BulkResponse)
    scope = f"{request}:{keys.digest(body)}" if request else None
    plans = await _known(runtime, await plan_bulk(runtime, bulk, caller, scope=scope))
    if before and scope:
        plans = await _completed(runtime, plans, scope)
    if shortened := [link for plan in plans for link in plan.links]:
        await links.add(runtime.db, shortened)
    await recording.add(runtime.db, [made for plan in plans if (made := plan.notification)])
    runtime.outbox_bell.set()
    answer = _answer(bulk, await _known(runtime, plans))
    _tell(answer)
    if request is None:
        return answer
    return msgspec.convert(await keys.remember_answer(runtime.db, request, msgspec.to_builtins(answer)), BulkResponse)


async def recalled(runtime: Runtime, body: bytes, caller: str, idempotency_key: str) -> BulkResponse | None:
    """What was answered to this request, if it came before. Raises storage.access.keys.KeyConflict."""
    known = await keys.find_request(runtime.db, _request(caller, idempotency_key), body)
    return msgspec.convert(known.answer, BulkResponse) if known and known.answer else None


def _request(caller: str, idempotency_key: str) -> str:
    return keys.digest(msgspec.json.encode((caller, idempotency_key)))


async def _completed(runtime: Runtime, plans: Sequence[Plan], scope: str) -> list[Plan]:
    """Of a request that broke off, what was stored then counts, even if it could not be accepted any more."""
    places, found = Counter[str](), list[Plan]()
    for plan in plans:
        key = key_of(scope, plan.path, places[plan.path])
        places[plan.path] += 1
        stored = await notifications.get(runtime.db, key) if plan.error else None
        found.append(Plan(plan.path, stored) if stored else plan)
    return found


async def validate(runtime: Runtime, body: bytes, caller: str) -> BulkResponse:
    """The answer that `submit` would give, with each step explained as things stand; nothing is stored or sent.

    A message for later is judged at its time, as far as that can be known now. Raises RequestError.
    """
    bulk = read(BulkRequest, body)
    plans = await _known(runtime, await plan_bulk(runtime, bulk, caller, trial=True))
    explained = await asyncio.gather(*(_explained(runtime, plan) for plan in plans))  # their looks share trips
    return BulkResponse(bulk_id=bulk.bulk_id, messages=explained)


async def _known(runtime: Runtime, plans: Sequence[Plan]) -> list[Plan]:
    """Return the plans; where an own id stands for a message already, that message, or a mistake if it is another."""
    named = {index: plan for index, plan in enumerate(plans) if plan.notification and plan.notification.asked}
    found = await asyncio.gather(*(_known_one(runtime, plan) for plan in named.values()))
    return list((dict(enumerate(plans)) | dict(zip(named, found, strict=True))).values())


async def _known_one(runtime: Runtime, plan: Plan) -> Plan:
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
    """What a message under this own id would be called if it had several destinations, and the other way round."""
    own, numbered, _ = key.partition(":")
    return own if numbered else f"{own}:0"


def _tell(answer: BulkResponse) -> None:
    """One line for all of them, however many: each can be found by its id."""
    ids = [item.id for item in answer.messages if item.id]
    metrics.MESSAGES.labels("accepted").inc(len(ids))
    metrics.MESSAGES.labels("refused").inc(len(answer.messages) - len(ids))
    if ids:
        log.info("accepted", extra={"message_ids": ids})


def _answer(bulk: BulkRequest, plans: Sequence[Plan]) -> BulkResponse:
    return BulkResponse(bulk_id=bulk.bulk_id, messages=[_item(plan) for plan in plans])


def _item(plan: Plan) -> ItemView:
    made, error = plan.notification, plan.error
    if error or made is None:
        error = error or RequestError("invalid", "it cannot be read", plan.path)
        return ItemView(error=ErrorView(code=error.code, message=error.message, field=error.field))
    item = ItemView(
        id=made.id,
        group_id=made.group_id,
        bulk_id=made.bulk_id,
        status=made.status,
        send_at=iso(made.send_at or made.created_at),
        timezone=made.hours.zone if made.hours else None,
        plan=[_step(step) for step in made.steps],
    )
    if plan.warnings:
        item.warnings = plan.warnings
    return item


def _step(step: Step) -> StepView:
    told = StepView(
        channel=step.channel,
        account=step.account,
        success=step.success.name.lower(),
        fallback_after=f"PT{int(step.fallback_after.total_seconds())}S",
        parts=step.parts,
    )
    if step.required:
        told.required = True
    if step.price:
        told.price = step.costs(template=step.content is None)
    return told


async def _explained(runtime: Runtime, plan: Plan) -> ItemView:
    item, made = _item(plan), plan.notification
    if made is None or not item.plan:
        return item
    context = await look(runtime, made, made.send_at)
    for number, (told, step) in enumerate(zip(item.plan, made.steps, strict=True)):
        told.explanation = _with_parts(explain(made, number, context), step)
        told.text = step.content.text if step.content else None
    item.channel = _first(made, rule.advance(made, context)[1])
    return item


def _with_parts(words: str, step: Step) -> str:
    return f"{words}; {step.parts} parts" if step.parts > 1 else words


def _first(made: Notification, action: object) -> str | None:
    """Where it would go first, if it would go anywhere now."""
    return made.steps[action.step].channel if isinstance(action, Send) else None
