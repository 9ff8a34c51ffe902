"""Own message templates: channels and terms stored under an id, so that a request needs only recipients and values."""

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
from gateway.messages.composing.steps import outline
from gateway.messages.composing.terms import read_terms
from gateway.runtime.paging import Cursor, PageQuery, cursor, place
from gateway.runtime.runtime import Runtime
from storage.templates import own
from storage.templates.own import TemplateVersion

TERMS = (*TermsInput.__struct_fields__, "priority", "ambiguous")
"""The fields for when and how a message may leave; a template has them as a message does."""

SLUG = "up to 64 English letters, digits, '.', '_' and '-' are needed, of which the first is a letter or a digit"
Slug = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z", extra={"form": SLUG})]
"""A template's id, which stands in addresses."""


class Structure(TermsInput, kw_only=True):
    """A message without its recipients and values; the fields are those of a message."""

    name: Name
    channels: Annotated[list[StepInput], Meta(min_length=1, max_length=10)]
    priority: Literal["urgent", "normal", "bulk"] | None = None
    ambiguous: Literal["atMostOnce", "atLeastOnce"] = "atMostOnce"


class NewTemplateRequest(Structure):
    """A template to create. id: a random one, if it is not given."""

    id: Slug | None = None


class NewVersionRequest(Structure, kw_only=True):
    """A template's next version. version: the one that was read, which must still be the newest."""

    version: Version


class VersionQuery(Input):
    """Which version is requested; the newest, if none is named."""

    version: Version | None = None


@dataclass(frozen=True)
class OwnTemplate:
    """One version of a template, decoded."""

    entry: TemplateVersion
    structure: Structure

    @property
    def variables(self) -> list[str]:
        """Return the variables that a request has to give values for, sorted."""
        return sorted(frozenset[str]().union(*lint.variables_of(self.structure.channels)))


@dataclass(frozen=True)
class Page:
    """A page of templates. cursor: that of the next page; None on the last one."""

    templates: list[OwnTemplate]
    cursor: str | None


async def create(runtime: Runtime, request: NewTemplateRequest) -> OwnTemplate:
    """Create a template and return it. Raises RequestError, and Conflict if the id is or was in use."""
    await check(runtime, request)
    now, key = runtime.clock(), request.id or uuid4().hex
    entry = TemplateVersion(key, 1, _encode(request), now, now, listed_at=now)
    if not await own.create(runtime.db, entry):
        raise Conflict(f"There is, or was, a template {key}.")
    return _decode(entry)


async def change(runtime: Runtime, key: str, request: NewVersionRequest) -> OwnTemplate | None:
    """Store a new version. Returns it, or None if there is no such template.

    Raises RequestError, and Conflict if the version that was read is not the newest.
    """
    await check(runtime, request)
    old = await _live(runtime, key)
    if old is None:
        return None
    new = replace(old, version=old.version + 1, body=_encode(request), changed_at=runtime.clock())
    if old.version != request.version or not await own.change(runtime.db, old, new):
        raise Conflict("Somebody has changed this template meanwhile: read it again.")
    return _decode(new)


async def delete(runtime: Runtime, key: str) -> bool:
    """Delete a template; its versions can still be read. Returns False if there is no such template."""
    while old := await _live(runtime, key):
        now = runtime.clock()
        tombstone = replace(old, version=old.version + 1, body="", changed_at=now, listed_at=None, deleted=True)
        if await own.change(runtime.db, old, tombstone):
            return True
    return False


async def find(runtime: Runtime, key: str, version: int | None = None) -> OwnTemplate | None:
    """Return the newest version of a template that is not deleted, or the named version, also of a deleted one."""
    newest = await own.newest_version(runtime.db, key)
    if newest is None or version in {None, newest.version}:
        return _decode(newest) if newest and not newest.deleted else None
    return next(iter(map(_decode, await own.older_versions(runtime.db, key, [version or 0]))), None)


async def page(runtime: Runtime, query: PageQuery) -> Page:
    """Return a page of templates that are not deleted, the newest first. Raises RequestError."""
    entries = await own.page(runtime.db, place(query.cursor), runtime.clock(), query.limit)
    last = entries[-1] if len(entries) == query.limit else None
    return Page([_decode(entry) for entry in entries], cursor(last.created_at, last.id) if last else None)


async def versions(runtime: Runtime, key: str, limit: int, after: Cursor | None) -> Page | None:
    """Return a page of versions, the newest first; None if there is no such template. Raises RequestError."""
    newest = await own.newest_version(runtime.db, key)
    if newest is None:
        return None
    first = newest.version if after is None else _version(after)
    numbers = range(min(first, newest.version), max(first - limit, 0), -1)
    entries = [newest, *await own.older_versions(runtime.db, key, numbers)]
    readable = [entry for entry in entries if entry.version in numbers and not entry.deleted]
    readable.sort(key=lambda entry: -entry.version)
    return Page([_decode(entry) for entry in readable], str(first - limit) if first > limit else None)


async def check(runtime: Runtime, structure: Structure | MessageInput) -> list[str]:
    """Return warnings for the author. Raises RequestError for what could never be sent to anybody."""
    message = MessageInput(destinations=[Destination()], **{name: getattr(structure, name) for name in TERMS})
    for index, step in enumerate(structure.channels):
        outline(runtime, step, index)
    read_terms(message, 1, runtime.settings.timezone, runtime.clock())
    return await lint.warnings(runtime, structure.channels)


async def _live(runtime: Runtime, key: str) -> TemplateVersion | None:
    entry = await own.newest_version(runtime.db, key)
    return entry if entry and not entry.deleted else None


def _decode(entry: TemplateVersion) -> OwnTemplate:
    return OwnTemplate(entry, msgspec.json.decode(entry.body, type=Structure))


def _encode(structure: Structure) -> str:
    """Encode the fields of a Structure alone, without those of a request."""
    fields = {name: getattr(structure, name) for name in Structure.__struct_fields__}
    return msgspec.json.encode(Structure(**fields)).decode()


def _version(after: str) -> int:
    if not (after.isascii() and after.isdigit() and len(after) < 10):  # noqa: PLR2004 - more than any version
        raise RequestError("invalid", "this is no cursor that a page gave", "cursor")
    return int(after)
