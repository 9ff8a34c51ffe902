"""Own templates: a message's whole structure under a name, so that a call names no more than people and values."""

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import uuid4

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import (
    Destination,
    Input,
    MessageInput,
    Name,
    RequestError,
    StepInput,
    TermsInput,
    Version,
)
from gateway.messages.composing import lint
from gateway.messages.composing.steps import outlined
from gateway.messages.composing.terms import read_terms
from gateway.runtime.paging import Cursor, PageQuery, cursor, place
from gateway.runtime.runtime import Runtime
from storage.templates import own as catalogue
from storage.templates.own import TemplateVersion

TERMS = (*TermsInput.__struct_fields__, "priority", "ambiguous")
"""The fields that say when and how a message may leave; they stand in a template as in a message."""

Slug = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")]
"""A template's id, which stands in addresses."""


class Structure(TermsInput, kw_only=True):
    """All of a message but its recipients and values; the fields are those of a message."""

    name: Name
    channels: Annotated[list[StepInput], Meta(min_length=1, max_length=10)]
    priority: Literal["urgent", "normal", "bulk"] | None = None
    ambiguous: Literal["atMostOnce", "atLeastOnce"] = "atMostOnce"


class NewTemplateRequest(Structure):
    """A template to be made. Without an `id` it gets one."""

    id: Slug | None = None


class NewVersionRequest(Structure, kw_only=True):
    """All of a template anew. `version` is the one that was read, which has to be the newest still."""

    version: Version


class VersionQuery(Input):
    """Which version is wanted; the newest, if none is named."""

    version: Version | None = None


@dataclass(frozen=True)
class Own:
    """One version of a template, taken apart."""

    entry: TemplateVersion
    structure: Structure

    @property
    def variables(self) -> list[str]:
        """What a call has to give values for, in the order of the alphabet."""
        return sorted(frozenset[str]().union(*lint.used(self.structure.channels)))


@dataclass(frozen=True)
class Page:
    """`cursor` leads to the next page; None: this is the last."""

    found: list[Own]
    cursor: str | None


async def create(runtime: Runtime, asked: NewTemplateRequest) -> Own:
    """Raises RequestError, and Clash where the id is or was somebody's."""
    await check(runtime, asked)
    now, key = runtime.clock(), asked.id or uuid4().hex
    entry = TemplateVersion(key, 1, _body(asked), now, now, listed_at=now)
    if not await catalogue.create(runtime.db, entry):
        raise Conflict(f"There is, or was, a template {key}.")
    return _own(entry)


async def change(runtime: Runtime, key: str, asked: NewVersionRequest) -> Own | None:
    """The new version; None if there is no such template. Raises RequestError, and Clash where another is newest."""
    await check(runtime, asked)
    old = await _live(runtime, key)
    if old is None:
        return None
    new = replace(old, version=old.version + 1, body=_body(asked), changed_at=runtime.clock())
    if old.version != asked.version or not await catalogue.change(runtime.db, old, new):
        raise Conflict("Somebody has changed this template meanwhile: read it again.")
    return _own(new)


async def delete(runtime: Runtime, key: str) -> bool:
    """Take it out of use; its versions can be read on. False if there is no such template."""
    while old := await _live(runtime, key):
        now = runtime.clock()
        gone = replace(old, version=old.version + 1, body="", changed_at=now, listed_at=None, deleted=True)
        if await catalogue.change(runtime.db, old, gone):
            return True
    return False


async def find(runtime: Runtime, key: str, version: int | None = None) -> Own | None:
    """The newest version of what is there, or the named one, also of what was deleted."""
    newest = await catalogue.newest_version(runtime.db, key)
    if newest is None or version in {None, newest.version}:
        return _own(newest) if newest and not newest.deleted else None
    return next(iter(map(_own, await catalogue.older_versions(runtime.db, key, [version or 0]))), None)


async def listed(runtime: Runtime, asked: PageQuery) -> Page:
    """Those that are there, the newest first. Raises RequestError."""
    found = await catalogue.page(runtime.db, place(asked.cursor), runtime.clock(), asked.limit)
    last = found[-1] if len(found) == asked.limit else None
    return Page([_own(entry) for entry in found], cursor(last.created_at, last.id) if last else None)


async def versions(runtime: Runtime, key: str, limit: int, after: Cursor | None) -> Page | None:
    """All versions, the newest first; None if there is no such template. Raises RequestError."""
    newest = await catalogue.newest_version(runtime.db, key)
    if newest is None:
        return None
    first = newest.version if after is None else _number(after)
    numbers = range(min(first, newest.version), max(first - limit, 0), -1)
    found = [newest, *await catalogue.older_versions(runtime.db, key, numbers)]
    kept = sorted((one for one in found if one.version in numbers and not one.deleted), key=lambda one: -one.version)
    return Page([_own(entry) for entry in kept], str(first - limit) if first > limit else None)


async def check(runtime: Runtime, asked: Structure | MessageInput) -> list[str]:
    """What its author should know. Raises RequestError for what could never be sent, whoever it is for."""
    message = MessageInput(destinations=[Destination()], **{name: getattr(asked, name) for name in TERMS})
    for index, step in enumerate(asked.channels):
        outlined(runtime, step, index)
    read_terms(message, 1, runtime.settings.timezone, runtime.clock())
    return await lint.warnings(runtime, asked.channels)


async def _live(runtime: Runtime, key: str) -> TemplateVersion | None:
    found = await catalogue.newest_version(runtime.db, key)
    return found if found and not found.deleted else None


def _own(entry: TemplateVersion) -> Own:
    return Own(entry, msgspec.json.decode(entry.body, type=Structure))


def _body(asked: Structure) -> str:
    own = {name: getattr(asked, name) for name in Structure.__struct_fields__}
    return msgspec.json.encode(Structure(**own)).decode()


def _number(after: str) -> int:
    if not (after.isascii() and after.isdigit() and len(after) < 10):  # noqa: PLR2004 - more than any version
        raise RequestError("invalid", "this is no cursor that a page gave", "cursor")
    return int(after)
