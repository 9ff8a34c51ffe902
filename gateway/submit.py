"""Accepting: a caller's request becomes notifications, or mistakes that name their fields. One bad item fails alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import msgspec
import phonenumbers

from gateway.attempt import Step
from gateway.channel import Channel
from gateway.model import Contact, Progress
from gateway.notification import Notification, Recipient
from gateway.request import (
    AskedBulk,
    AskedContact,
    AskedMessage,
    AskedStep,
    Destination,
    RequestError,
    convert,
    read,
)
from gateway.runtime import Runtime
from gateway.texts import filled
from gateway.web import is_address
from storage import access, notifications, sessions

SHORTEST, LONGEST = timedelta(seconds=10), timedelta(hours=48)
"""The bounds of fallbackAfter."""

MOST, MOST_OF_ONE = 10_000, 1000
"""Items that one request, and one message in it, may lead to."""


@dataclass(frozen=True)
class Plan:
    """One message for one destination: accepted, or refused. `warnings` say what we changed."""

    notification: Notification | None = None
    error: RequestError | None = None
    warnings: list[str] = field(default_factory=list)


async def submit(runtime: Runtime, body: bytes, caller: str, idempotency_key: str | None) -> Any:
    """Accept what can be accepted; the answer, one item for each message and destination, in order.

    Raises RequestError where the body as a whole cannot be read, storage.access.Conflict where the key was used with
    another body. The same key with the same body gives the same answer and sends once: the notifications' ids come
    from both, so a request that broke off half-way is completed by its repetition.
    """
    bulk = read(AskedBulk, body)
    if sum(map(_items, bulk.messages)) > MOST:
        raise RequestError("too_many", f"one request has at most {MOST} destinations in all its messages", "messages")
    request = access.digest(msgspec.json.encode((caller, idempotency_key))) if idempotency_key else None
    scope = f"{request}:{access.digest(body)}" if request else None
    plans: list[Plan] = []
    for index, asked in enumerate(bulk.messages):
        plans += await _plans(runtime, asked, f"messages[{index}]", bulk.bulk_id, scope)
    answer: Any = {"bulkId": bulk.bulk_id, "messages": [_answer(plan) for plan in plans]}
    if request:
        answer = await access.remember(runtime.db, request, body, answer, runtime.clock())
    told = {item.get("id") for item in answer["messages"]}
    await notifications.add(runtime.db, [made for plan in plans if (made := plan.notification) and made.id in told])
    runtime.outbox_bell.set()
    return answer


async def join_contact(runtime: Runtime, body: bytes) -> Contact:
    """The person with these names, made if there is none. Raises RequestError."""
    asked = read(AskedContact, body)
    if not (asked.phone or asked.external_id):
        raise RequestError("invalid", "give a phone, an externalId, or both")
    phone = normal_phone(asked.phone, runtime.settings.default_region) if asked.phone else None
    return await _joined(runtime, phone, asked.external_id)


def normal_phone(phone: str, region: str) -> str:
    """A phone number as E.164. Raises RequestError."""
    try:
        number = phonenumbers.parse(phone, region)
    except phonenumbers.NumberParseException:
        raise RequestError("bad_phone", "this is not a phone number", "phone") from None
    if not phonenumbers.is_valid_number(number):
        raise RequestError("bad_phone", "no such phone number can exist", "phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


async def _plans(runtime: Runtime, asked: Any, path: str, bulk: str | None, scope: str | None) -> list[Plan]:
    """One plan for each destination; a mistake in the message itself is each one's."""
    try:
        message = convert(AskedMessage, asked)
        steps = [_outline(runtime, step, index) for index, step in enumerate(message.channels)]
    except RequestError as error:
        return [Plan(error=error.within(path))] * _items(asked)
    plans = []
    for index, destination in enumerate(message.destinations):
        key = uuid5(NAMESPACE_URL, f"{scope}:{path}:{index}").hex if scope else uuid4().hex
        try:
            plans.append(await _plan(runtime, message, destination, index, steps, key, bulk))
        except RequestError as error:
            plans.append(Plan(error=error.within(path)))
    return plans


def _items(asked: Any) -> int:
    """How many items of the answer a message of this shape has, even if it cannot be read."""
    named = asked.get("destinations") if isinstance(asked, dict) else None
    return len(named) if isinstance(named, list) and 1 <= len(named) <= MOST_OF_ONE else 1


async def _plan(
    runtime: Runtime,
    message: AskedMessage,
    destination: Destination,
    index: int,
    outline: Sequence[tuple[Step, list[str]]],
    key: str,
    bulk: str | None,
) -> Plan:
    now = runtime.clock()
    try:
        recipient = await _recipient(runtime, destination)
    except RequestError as error:
        raise error.within(f"destinations[{index}]") from None
    steps = tuple(
        filled(step, asked, number, destination.variables)
        for number, ((step, _), asked) in enumerate(zip(outline, message.channels, strict=True))
    )
    notification = Notification(
        key,
        recipient,
        steps,
        created_at=now,
        expires_at=now + timedelta(minutes=message.validity_period),
        due_at=now,
        bulk_id=bulk,
        group_id=message.group_id,
        callback_data=message.callback_data,
    )
    return Plan(notification, warnings=[warning for _, warnings in outline for warning in warnings])


async def _recipient(runtime: Runtime, asked: Destination) -> Recipient:
    """Names that come together belong to one person from now on."""
    for name, value in asked.variables.items():
        if not isinstance(value, str | int | float):
            raise RequestError("invalid", "a variable is a text, a number, true or false", f"variables.{name}")
    if not (asked.phone or asked.contact_id or asked.external_id or asked.chat_session_id):
        raise RequestError("no_recipient", "give one of phone, contactId, externalId, chatSessionId")
    phone = normal_phone(asked.phone, runtime.settings.default_region) if asked.phone else None
    if phone and asked.external_id:
        await _joined(runtime, phone, asked.external_id)
    if asked.contact_id and not await sessions.contact(runtime.db, id=asked.contact_id):
        raise RequestError("unknown_contact", "there is no such contact", "contactId")
    if asked.chat_session_id and not await sessions.get(runtime.db, asked.chat_session_id):
        raise RequestError("unknown_session", "there is no such session", "chatSessionId")
    return Recipient(phone, asked.contact_id, asked.external_id, asked.chat_session_id)


async def _joined(runtime: Runtime, phone: str | None, external_id: str | None) -> Contact:
    person = await sessions.join(runtime.db, runtime.clock(), phone=phone, external_id=external_id)
    if person is None:
        raise RequestError(
            "two_people", "this phone and this externalId belong to two different contacts", "externalId"
        )
    return person


def _outline(runtime: Runtime, asked: AskedStep, index: int) -> tuple[Step, list[str]]:
    """A step without its texts, and what we changed in it. Raises RequestError."""
    try:
        way = runtime.channel(asked.channel, asked.account)
        if way is None:
            raise _no_way(runtime, asked)
        _check_parts(way, asked)
        success, warnings = _success(way, asked)
    except RequestError as error:
        raise error.within(f"channels[{index}]") from None
    intent = asked.intent or next(iter(way.facts.intents), "")
    step = Step(asked.channel, way.account, intent=intent, success=success, fallback_after=asked.fallback_after)
    return step, [f"channels[{index}]: {warning}" for warning in warnings]


def _no_way(runtime: Runtime, asked: AskedStep) -> RequestError:
    if asked.channel not in runtime.channels:
        known = ", ".join(runtime.channels) or "none"
        return RequestError("unknown_channel", f"no account of this channel is set up; there are: {known}", "channel")
    return RequestError("unknown_account", "this channel has no such account", "account")


def _check_parts(way: Channel, asked: AskedStep) -> None:
    if not (asked.text or asked.media or asked.template):
        raise RequestError("empty", "give a text, a media or a template", "text")
    if asked.template and not way.facts.templates:
        raise RequestError("no_templates", f"{asked.channel} has no approved templates", "template")
    if asked.intent and asked.intent not in way.facts.intents:
        known = ", ".join(way.facts.intents) or "none"
        raise RequestError("unknown_intent", f"this account may write under the intents: {known}", "intent")
    _check_addresses(asked)
    if asked.buttons and not (asked.text or asked.media):
        raise RequestError("empty", "buttons need a text", "buttons")
    if not SHORTEST <= asked.fallback_after <= LONGEST:
        raise RequestError("invalid", "from 10 seconds (PT10S) to 48 hours (PT48H)", "fallbackAfter")


def _check_addresses(asked: AskedStep) -> None:
    """Raises RequestError for what looks like a web address, and is none."""
    named = {f"buttons[{index}].url": button.url for index, button in enumerate(asked.buttons)}
    if asked.media:
        named["media.url"] = asked.media.url
    for path, url in named.items():
        if url and not is_address(url):
            raise RequestError("bad_url", "this is no web address", path)


def _success(way: Channel, asked: AskedStep) -> tuple[Progress, list[str]]:
    """What to wait for: no more than the channel can ever report, or everyone would be messaged twice."""
    wanted, most = Progress[(asked.success or "delivered").upper()], way.facts.receipts
    if wanted <= most or not asked.success:
        return min(wanted, most), []
    if wanted is Progress.READ:
        raise RequestError("no_receipts", f"{asked.channel} does not report reading", "success")
    return most, [f"{asked.channel} reports no more than {most.name.lower()}, so that is what counts as success"]


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
    }
