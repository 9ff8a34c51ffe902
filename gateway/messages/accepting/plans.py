"""Planning: a caller's request becomes notifications, or mistakes that name their fields. Nothing is stored yet."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid4, uuid5

import msgspec
from msgspec.structs import replace

from gateway.domain.api.links import Link, Shortening
from gateway.domain.api.request import RESERVED, BulkRequest, Destination, MessageInput, RequestError, convert
from gateway.domain.model.attempt import Step
from gateway.domain.model.change import Callback
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Content
from gateway.messages.composing.lint import flattening
from gateway.messages.composing.steps import outline
from gateway.messages.composing.terms import Terms, read_callback, read_terms
from gateway.messages.composing.texts import fill
from gateway.messages.delivery.reachability import channel_of
from gateway.messages.templates.expansion import expand
from gateway.people.recipients import read_recipient
from gateway.runtime.runtime import Runtime, account_key
from storage.access import keys

MOST, MOST_OF_ONE = 10_000, 1000
"""Items that one request, and one message in it, may lead to."""


@dataclass(frozen=True)
class Plan:
    """One message for one destination, or why not. path: where it stands in the request.

    warnings: what we changed. links: what its texts lead to.
    """

    path: str
    notification: Notification | None = None
    error: RequestError | None = None
    warnings: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)


@dataclass(frozen=True)
class Request:
    """What one message has to know of the whole request: how many items it has, and how many of them come `before`.

    scope: the same for a repetition of the same request, so that its messages get the same ids; None: not repeatable.
    trial: nothing is to come of it, so nothing is written either.
    """

    caller: str
    bulk_id: str | None
    scope: str | None
    many: int
    before: int
    trial: bool

    def key(self, wanted: "Wanted", index: int) -> str:
        """The id of a message's destination: the caller's own, with a number where it goes to several."""
        if own := wanted.message.id:
            return own if len(wanted.message.destinations) == 1 else f"{own}:{index}"
        return key_of(self.scope, wanted.path, index) if self.scope else uuid4().hex


def key_of(scope: str, path: str, index: int) -> str:
    """The id of the message at `path` to its destination `index`, the same whenever the same is asked for."""
    return uuid5(NAMESPACE_URL, f"{scope}:{path}:{index}").hex


@dataclass(frozen=True)
class Wanted:
    """One message of a request, as far as it is the same for all its destinations. asked: the digest of its JSON."""

    message: MessageInput
    steps: Sequence[tuple[Step, list[str]]]
    terms: Terms
    path: str
    asked: str | None
    callback: Callback | None
    warnings: Sequence[str]


async def planned(
    runtime: Runtime, bulk: BulkRequest, caller: str, *, scope: str | None = None, trial: bool = False
) -> list[Plan]:
    """One plan for each message and destination, in order. Raises RequestError where there are too many."""
    many = sum(map(_items, bulk.messages))
    if many > MOST:
        raise RequestError("too_many", f"one request has at most {MOST} destinations in all its messages", "messages")
    plans: list[Plan] = []
    for index, asked in enumerate(bulk.messages):
        request = Request(caller, bulk.bulk_id, scope, many, len(plans), trial)
        plans += await _plans(runtime, asked, f"messages[{index}]", request)
    return plans


async def _plans(runtime: Runtime, asked: Any, path: str, request: Request) -> Sequence[Plan]:
    """One plan for each destination; a mistake in the message itself is each one's."""
    try:
        meant = _read(asked)
        message, ignored = await expand(runtime, meant)
        steps = [outline(runtime, step, index) for index, step in enumerate(message.channels)]
        terms = read_terms(message, request.many, runtime.settings.timezone, runtime.clock())
        callback = read_callback(message, runtime.settings)
    except RequestError as error:
        return [Plan(path, error=error.within(path))] * _items(asked)
    wanted, places = (
        Wanted(message, steps, terms, path, _digest(meant, request), callback, ignored),
        range(len(message.destinations)),
    )
    return await asyncio.gather(*(_plan(runtime, request, wanted, at, runtime.clock.ordinal()) for at in places))


def _read(asked: Any) -> MessageInput:
    message = convert(MessageInput, asked)
    if message.id in RESERVED:
        raise RequestError("invalid", f"no message can be called {message.id}", "id")
    return message


def _digest(message: MessageInput, request: Request) -> str | None:
    """By which a message under a caller's own id is known again."""
    if message.id is None:
        return None
    return keys.digest(msgspec.json.encode((request.caller, request.bulk_id, message), order="sorted"))


async def _plan(runtime: Runtime, request: Request, wanted: Wanted, index: int, accepted: int) -> Plan:
    try:
        return await _accepted(runtime, request, wanted, index, accepted)
    except RequestError as error:
        return Plan(wanted.path, error=error.within(wanted.path))


async def _accepted(runtime: Runtime, request: Request, wanted: Wanted, index: int, accepted: int) -> Plan:
    message, terms, destination = wanted.message, wanted.terms, wanted.message.destinations[index]
    try:
        _check_variables(destination)
        recipient, person = await read_recipient(runtime, destination, join=not request.trial)
        hours = terms.hours(destination)
    except RequestError as error:
        raise error.within(f"destinations[{index}]") from None
    key, links = request.key(wanted, index), list[Link]()
    shortening = Shortening(runtime.settings.link_base, key, terms.accepted_at, runtime.settings.links_kept, links)
    made = Notification(
        key,
        recipient,
        tuple(
            _finished(runtime, message, shortening, fill(step, asked, number, destination.variables))
            for number, ((step, _), asked) in enumerate(zip(wanted.steps, message.channels, strict=True))
        ),
        created_at=terms.accepted_at,
        expires_at=terms.expires_at,
        accepted=accepted,
        person=person,
        repeats=message.ambiguous == "atLeastOnce",
        marketing=message.category == "marketing",
        bulk_id=request.bulk_id,
        group_id=message.group_id,
        callback_data=message.callback_data,
        callback=wanted.callback,
        asked=wanted.asked,
    )
    warnings = [
        *wanted.warnings,
        *(warning for _, told in wanted.steps for warning in told),
        *terms.warnings_for(hours),
    ]
    warnings += [words for number, step in enumerate(made.steps) for words in flattening(runtime, step, number)]
    return Plan(wanted.path, terms.apply(made, hours, request.before + index), warnings=warnings, links=links)


def _check_variables(destination: Destination) -> None:
    for name, value in destination.variables.items():
        if not isinstance(value, str | int | float):
            raise RequestError("invalid", "a variable is a text, a number, true or false", f"variables.{name}")


def _finished(runtime: Runtime, message: MessageInput, shortening: Shortening, step: Step) -> Step:
    """The step with what it costs: with short links where they are wanted, and then the parts that it is charged as."""
    channel = channel_of(runtime, step)
    step = replace(step, price=runtime.settings.prices.get(account_key(channel)))
    if step.content is None:
        return step
    count, wanted = channel.facts.parts, message.use_short_links
    if wanted or (wanted is None and count and runtime.settings.shortens):
        step = replace(step, content=shortening.content(step.content))
    content = step.content or Content()
    return replace(step, parts=count(content) if count else len(channel.split(content)))


def _items(asked: Any) -> int:
    """How many items of the answer a message of this shape has, even if it cannot be read."""
    named = asked.get("destinations") if isinstance(asked, dict) else None
    return len(named) if isinstance(named, list) and 1 <= len(named) <= MOST_OF_ONE else 1
