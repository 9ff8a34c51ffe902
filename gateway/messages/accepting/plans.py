"""Planning: turns a caller's request into notifications, or into errors that name their fields. Stores no message."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, uuid4, uuid5

import msgspec
from msgspec.structs import replace

from gateway.domain.api.links import Link, Shortening
from gateway.domain.api.request import (
    RESERVED,
    Destination,
    MessageInput,
    RequestError,
    UnreadBulk,
    UnreadMessage,
    read,
)
from gateway.domain.channel.contract import Channel
from gateway.domain.model.attempt import Step
from gateway.domain.model.change import Callback
from gateway.domain.model.notification import Notification, Recipient
from gateway.domain.model.nouns import Content
from gateway.messages.composing.lint import check_size, flattening
from gateway.messages.composing.steps import Outline, outline
from gateway.messages.composing.terms import Terms, read_callback, read_terms
from gateway.messages.composing.texts import fill
from gateway.messages.composing.values import MOST_BYTES as MOST_OF_MESSAGE
from gateway.messages.composing.values import Values
from gateway.messages.media.attaching import attach
from gateway.messages.templates.expansion import expand
from gateway.people.recipients import read_recipient
from gateway.runtime.runtime import Runtime
from gateway.runtime.turns import Turns, in_turns
from storage.access import keys

MOST, MOST_OF_ONE = 10_000, 1000
"""The most items of one request, and of one message in it."""

MOST_BYTES, MOST_SHOWN = 32 * 1024 * 1024, 4 * 1024 * 1024
"""Bytes of all texts of one request once they are filled in, and of those that `validate` shows.

A job's batch of the largest messages has no more.
"""

AT_ONCE = 100
"""Recipients that are looked up together."""


@dataclass(frozen=True)
class Plan:
    """One message for one destination, or the error. path: where it stands in the request.

    warnings: what we changed. links: the short links in its texts.
    """

    path: str
    notification: Notification | None = None
    error: RequestError | None = None
    warnings: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)


@dataclass
class Room:
    """How many bytes the texts of a request may still become."""

    left: int

    def take(self, size: int) -> None:
        """Count so many bytes in. Raises RequestError if there is no room for them."""
        self.left -= size
        if self.left < 0:
            words = "the texts of all messages are too long together: send the rest in another request"
            raise RequestError("too_long", words, "messages")


@dataclass(frozen=True)
class Request:
    """What one message has to know of the whole request: how many items it has, and how many of them come `before`.

    scope: equal for a repetition of the same request, so that its messages get the same ids; None: not repeatable.
    trial: only validate, and write nothing. room: what is left for its texts.
    """

    caller: str
    bulk_id: str | None
    scope: str | None
    many: int
    before: int
    trial: bool
    room: Room
    turns: Turns
    operator: str

    def key(self, draft: "Draft", index: int) -> str:
        """Return the id of a message's destination: the caller's own, with a number where it goes to several."""
        if own := draft.message.id:
            return own if len(draft.message.destinations) == 1 else f"{own}:{index}"
        return key_of(self.scope, draft.path, index) if self.scope else uuid4().hex


def key_of(scope: str, path: str, index: int) -> str:
    """Return the id of the message at `path` to its destination `index`: the same for the same request."""
    return uuid5(NAMESPACE_URL, f"{scope}:{path}:{index}").hex


@dataclass(frozen=True)
class Draft:
    """One message of a request, as far as it is equal for all its destinations. digest: of its JSON."""

    message: MessageInput
    outlines: Sequence[Outline]
    terms: Terms
    path: str
    digest: str | None
    callback: Callback | None
    warnings: Sequence[str]


async def plan_bulk(
    runtime: Runtime,
    bulk: UnreadBulk,
    caller: str,
    *,
    scope: str | None = None,
    trial: bool = False,
    operator: str = "",
) -> list[Plan]:
    """Return one plan for each message and destination, in order. Raises RequestError where it is too much together.

    operator: who writes it in a conversation, if somebody does.
    """
    counts = [count async for count in in_turns(_count_destinations, bulk.messages)]
    many = sum(map(_items, counts))
    if many > MOST:
        raise RequestError("too_many", f"one request has at most {MOST} destinations in all its messages", "messages")
    plans: list[Plan] = []
    room, turns = Room(MOST_SHOWN if trial else MOST_BYTES), Turns()
    for index, (message, count) in enumerate(zip(bulk.messages, counts, strict=True)):
        request = Request(caller, bulk.bulk_id, scope, many, len(plans), trial, room, turns, operator)
        plans += await _plan_message(runtime, message, count, f"messages[{index}]", request)
    return plans


async def _plan_message(runtime: Runtime, raw: msgspec.Raw, count: int, path: str, request: Request) -> Sequence[Plan]:
    """Return one plan for each of `count` destinations; an error in the message itself is in each of them."""
    await request.turns.offer()
    if count > MOST_OF_ONE:  # before as many objects are made of them
        too_many = RequestError("invalid", f"a message has at most {MOST_OF_ONE} destinations", "destinations")
        return [Plan(path, error=too_many.within(path))]
    try:
        draft = await _draft(runtime, raw, path, request)
    except RequestError as error:
        return [Plan(path, error=error.within(path))] * _items(count)
    plans: list[Plan] = []
    people: dict[str, int] = {}
    for start in range(0, len(draft.message.destinations), AT_ONCE):
        destinations = draft.message.destinations[start : start + AT_ONCE]
        readings = await asyncio.gather(*(_read(runtime, request, destination) for destination in destinations))
        for index, reading in enumerate(readings, start):
            plans.append(await _plan_one(runtime, request, draft, index, reading))
            plans[-1].warnings.extend(_repetition(people, index, reading))
            await request.turns.offer()
    return plans


def _repetition(people: dict[str, int], index: int, reading: "Reading | RequestError") -> Sequence[str]:
    """Return a warning if a destination before is the same person. people: whom those are, by person."""
    if isinstance(reading, RequestError) or (before := people.setdefault(reading.person, index)) == index:
        return []
    return [f"destinations[{before}] is the same person: each of them gets a message"]


async def _draft(runtime: Runtime, raw: msgspec.Raw, path: str, request: Request) -> Draft:
    """Read a message, put its own template in its place, and check its steps and terms. Raises RequestError."""
    original = read(UnreadMessage, bytes(raw))
    if original.id in RESERVED:
        raise RequestError("invalid", f"no message can be called {original.id}", "id")
    message, warnings = await expand(runtime, original)
    outlines = [outline(runtime, step, index) for index, step in enumerate(message.channels)]
    check_size(message.channels)
    terms = read_terms(message, request.many, runtime.settings.timezone, runtime.clock())
    message = await attach(runtime, message, terms.expires_at)
    callback = read_callback(message, runtime.settings) if message.callback_url else None
    return Draft(message, outlines, terms, path, _digest(original, request), callback, warnings)


def _digest(message: MessageInput, request: Request) -> str | None:
    """Return the digest by which a message under a caller's own id is recognised; None without such an id."""
    if message.id is None:
        return None
    return keys.digest(msgspec.json.encode((request.caller, request.bulk_id, message), order="sorted"))


@dataclass(frozen=True)
class Reading:
    """A destination as it was read: the recipient, the person under whose name they are ordered, and their values."""

    recipient: Recipient
    person: str
    values: Values


async def _read(runtime: Runtime, request: Request, destination: Destination) -> Reading | RequestError:
    """Return who a destination is, or what is wrong with it."""
    try:
        values = Values(destination.variables)
        recipient, person = await read_recipient(runtime, destination, join=not request.trial)
    except RequestError as error:
        return error
    return Reading(recipient, person, values)


async def _plan_one(
    runtime: Runtime, request: Request, draft: Draft, index: int, reading: Reading | RequestError
) -> Plan:
    """Return the plan of one destination. Raises RequestError if its texts find no room in the request."""
    if isinstance(reading, RequestError):
        return Plan(draft.path, error=reading.within(f"destinations[{index}]").within(draft.path))
    try:
        plan = await _plan(runtime, request, draft, index, reading)
    except RequestError as error:
        plan = Plan(draft.path, error=error.within(draft.path))
    request.room.take(MOST_OF_MESSAGE - reading.values.room)
    return plan


async def _plan(runtime: Runtime, request: Request, draft: Draft, index: int, reading: Reading) -> Plan:
    """Return the plan of one destination. Raises RequestError."""
    message, terms, destination = draft.message, draft.terms, draft.message.destinations[index]
    try:
        hours = terms.hours(destination)
    except RequestError as error:
        raise error.within(f"destinations[{index}]") from None
    key, links = request.key(draft, index), list[Link]()
    shortening = Shortening(runtime.settings.link_base, key, terms.accepted_at, runtime.settings.links_kept, links)
    steps: list[Step] = []
    for number, (sketch, asked) in enumerate(zip(draft.outlines, message.channels, strict=True)):
        filled = fill(sketch.step, asked, number, reading.values)
        steps.append(_finish(runtime, message, shortening, sketch.channel, filled))
        await request.turns.offer()
    notification = Notification(
        key,
        reading.recipient,
        tuple(steps),
        created_at=terms.accepted_at,
        expires_at=terms.expires_at,
        accepted=runtime.clock.ordinal(),
        person=reading.person,
        repeats=message.ambiguous == "atLeastOnce",
        marketing=message.category == "marketing",
        bulk_id=request.bulk_id,
        group_id=message.group_id,
        callback_data=message.callback_data,
        callback=draft.callback,
        operator=request.operator,
        asked=draft.digest,
    )
    warnings = [*draft.warnings, *(warning for sketch in draft.outlines for warning in sketch.warnings)]
    warnings += terms.warnings_for(hours)
    for number, (sketch, step) in enumerate(zip(draft.outlines, steps, strict=True)):
        warnings += flattening(sketch.channel, step, number)
    return Plan(draft.path, terms.apply(notification, hours, request.before + index), warnings=warnings, links=links)


def _finish(runtime: Runtime, message: MessageInput, shortening: Shortening, channel: Channel, step: Step) -> Step:
    """Return the step with its price and parts. Links are shortened first, if requested, since parts depend on them."""
    step = replace(step, price=runtime.settings.prices.get(f"{step.channel}:{step.account}"))
    if step.content is None:
        return step
    count, shorten = channel.facts.parts, message.use_short_links
    if shorten or (shorten is None and count and runtime.settings.shortens):
        step = replace(step, content=shortening.content(step.content))
    content = step.content or Content()
    return replace(step, parts=count(content) if count else len(channel.split(content)))


class _Shape(msgspec.Struct):
    destinations: list[msgspec.Raw]


def _items(count: int) -> int:
    """Return how many items the response has for a message of so many destinations, even if it is invalid."""
    return count if 1 <= count <= MOST_OF_ONE else 1


def _count_destinations(raw: msgspec.Raw) -> int:
    """Count the destinations of a message, also of an invalid one; 0 where it has no list of them."""
    try:
        return len(msgspec.json.decode(raw, type=_Shape).destinations)
    except (ValueError, RecursionError):
        return 0
