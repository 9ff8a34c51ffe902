"""Accepting: a caller's request becomes notifications, or mistakes that name their fields. One bad item fails alone."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import msgspec

from gateway import metrics
from gateway.attempt import Step
from gateway.notification import Notification
from gateway.outline import outlined
from gateway.recipients import recipient
from gateway.request import AskedBulk, AskedMessage, RequestError, convert, read
from gateway.runtime import Runtime
from gateway.terms import Terms, read_terms
from gateway.texts import filled
from gateway.words import iso
from storage import access, notifications

log = logging.getLogger(__name__)

MOST, MOST_OF_ONE = 10_000, 1000
"""Items that one request, and one message in it, may lead to."""


@dataclass(frozen=True)
class Plan:
    """One message for one destination: accepted, or refused. `warnings` say what we changed."""

    notification: Notification | None = None
    error: RequestError | None = None
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Request:
    """What one message has to know of the whole request: how many items it has, and how many of them come `before`.

    scope: the same for a repetition of the same request, so that its messages get the same ids; None: not repeatable.
    """

    bulk_id: str | None
    scope: str | None
    many: int
    before: int

    def key(self, item: str) -> str:
        return uuid5(NAMESPACE_URL, f"{self.scope}:{item}").hex if self.scope else uuid4().hex


@dataclass(frozen=True)
class Wanted:
    """One message of a request, as far as it is the same for all its destinations."""

    message: AskedMessage
    steps: Sequence[tuple[Step, list[str]]]
    terms: Terms
    path: str


async def submit(runtime: Runtime, body: bytes, caller: str, idempotency_key: str | None) -> Any:
    """Accept what can be accepted; the answer, one item for each message and destination, in order.

    Raises RequestError where the body as a whole cannot be read, storage.access.Conflict where the key was used with
    another body. The same key with the same body gives the same answer and sends once: the notifications' ids come
    from both, so a request that broke off half-way is completed by its repetition.
    """
    bulk = read(AskedBulk, body)
    many = sum(map(_items, bulk.messages))
    if many > MOST:
        raise RequestError("too_many", f"one request has at most {MOST} destinations in all its messages", "messages")
    request = access.digest(msgspec.json.encode((caller, idempotency_key))) if idempotency_key else None
    scope = f"{request}:{access.digest(body)}" if request else None
    plans: list[Plan] = []
    for index, asked in enumerate(bulk.messages):
        plans += await _plans(runtime, asked, f"messages[{index}]", Request(bulk.bulk_id, scope, many, len(plans)))
    answer: Any = {"bulkId": bulk.bulk_id, "messages": [_answer(plan) for plan in plans]}
    if request:
        answer = await access.remember(runtime.db, request, body, answer, runtime.clock())
    told = {item.get("id") for item in answer["messages"]}
    await notifications.add(runtime.db, [made for plan in plans if (made := plan.notification) and made.id in told])
    runtime.outbox_bell.set()
    _tell(plans, told)
    return answer


def _tell(plans: Sequence[Plan], accepted: set[str]) -> None:
    """One line for all of them, however many: each can be found by its id."""
    ids = [made.id for plan in plans if (made := plan.notification) and made.id in accepted]
    metrics.ASKED.labels("accepted").inc(len(ids))
    metrics.ASKED.labels("refused").inc(sum(plan.error is not None for plan in plans))
    if ids:
        log.info("accepted", extra={"message_ids": ids})


async def _plans(runtime: Runtime, asked: Any, path: str, request: Request) -> Sequence[Plan]:
    """One plan for each destination; a mistake in the message itself is each one's."""
    try:
        message = convert(AskedMessage, asked)
        steps = [outlined(runtime, step, index) for index, step in enumerate(message.channels)]
        terms = read_terms(message, request.many, runtime.settings.timezone, runtime.clock())
    except RequestError as error:
        return [Plan(error=error.within(path))] * _items(asked)
    wanted, places = Wanted(message, steps, terms, path), range(len(message.destinations))
    return await asyncio.gather(*(_plan(runtime, request, wanted, at, runtime.clock.ordinal()) for at in places))


async def _plan(runtime: Runtime, request: Request, wanted: Wanted, index: int, accepted: int) -> Plan:
    try:
        return await _accepted(runtime, request, wanted, index, accepted)
    except RequestError as error:
        return Plan(error=error.within(wanted.path))


async def _accepted(runtime: Runtime, request: Request, wanted: Wanted, index: int, accepted: int) -> Plan:
    message, terms, destination = wanted.message, wanted.terms, wanted.message.destinations[index]
    try:
        named, person = await recipient(runtime, destination)
        hours = terms.hours(destination)
    except RequestError as error:
        raise error.within(f"destinations[{index}]") from None
    steps = tuple(
        filled(step, asked, number, destination.variables)
        for number, ((step, _), asked) in enumerate(zip(wanted.steps, message.channels, strict=True))
    )
    made = Notification(
        request.key(f"{wanted.path}:{index}"),
        named,
        steps,
        created_at=terms.accepted_at,
        expires_at=terms.expires_at,
        accepted=accepted,
        person=person,
        repeats=message.ambiguous == "atLeastOnce",
        bulk_id=request.bulk_id,
        group_id=message.group_id,
        callback_data=message.callback_data,
    )
    warnings = [warning for _, told in wanted.steps for warning in told] + terms.told(hours)
    return Plan(terms.under(made, hours, request.before + index), warnings=warnings)


def _items(asked: Any) -> int:
    """How many items of the answer a message of this shape has, even if it cannot be read."""
    named = asked.get("destinations") if isinstance(asked, dict) else None
    return len(named) if isinstance(named, list) and 1 <= len(named) <= MOST_OF_ONE else 1


def _answer(plan: Plan) -> dict[str, Any]:
    if plan.error:
        return {"error": {"code": plan.error.code, "message": plan.error.message, "field": plan.error.field}}
    made = plan.notification
    if made is None:
        raise TypeError(plan)
    answer: dict[str, Any] = {
        "id": made.id,
        "groupId": made.group_id,
        "bulkId": made.bulk_id,
        "status": made.status,
        "sendAt": iso(made.due_at),
        "timezone": made.hours.zone if made.hours else None,
        "plan": [_told(step) for step in made.steps],
    }
    return answer | ({"warnings": plan.warnings} if plan.warnings else {})


def _told(step: Step) -> dict[str, Any]:
    wait = int(step.fallback_after.total_seconds())
    return {
        "channel": step.channel,
        "account": step.account,
        "success": step.success.name.lower(),
        "fallbackAfter": f"PT{wait}S",
    } | ({"required": True} if step.required else {})
