"""Opt-outs over HTTP: who does not want to hear from us, said by the business for them."""

from typing import Annotated, Literal

from msgspec import Meta
from quart import Blueprint, g
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request, document_response

from gateway.domain.api.formats import iso
from gateway.domain.api.request import PersonInput, convert, read
from gateway.domain.api.response import View
from gateway.domain.api.roles import Role
from gateway.messages.delivery.reachability import find_recipient
from gateway.people import optouts as consent
from gateway.people.optouts import KINDS, Kind
from gateway.people.recipients import known_recipient
from gateway.runtime.paging import Cursor, Limit, cursor, place
from storage.people import optouts
from storage.people.optouts import OptOut
from webhooks.http.answers import answer
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("optouts", __name__, url_prefix="/api/v1/optOuts")


class OptOutRequest(PersonInput):
    """kind: marketing, or all messages but answers to their own. reason: for the log."""

    kind: Kind = "marketing"
    reason: Annotated[str, Meta(max_length=1000)] = ""


class OptInRequest(PersonInput):
    """kind: what they want again; if not given, everything."""

    kind: Kind | None = None


class OptOutsQuery(PersonInput):
    """Those of one person, or a page of all."""

    limit: Limit = 50
    cursor: Cursor | None = None


class OptOutWordView(View):
    """said: out or back. by: a word of the person's own, the provider, or the name of an API key."""

    at: str | None
    said: Literal["out", "back"]
    by: str
    reason: str | None


class OptOutView(View):
    """person: phone:…, email:…, contact:… or session:…; holds: whether it does; log: who has said so, and when."""

    person: str
    kind: str
    holds: bool
    since: str | None
    log: list[OptOutWordView]


class OptOutsResponse(View):
    """A page, the newest first; `cursor` is null on the last one."""

    opt_outs: list[OptOutView]
    cursor: str | None


@blueprint.post("")
@allow(Role.SENDER, Role.OPERATOR)
@document_request(OptOutRequest)
@document_response(OptOutsResponse)
async def leave() -> ResponseReturnValue:
    """Opt a person out: of marketing, or of all messages."""
    asked = read(OptOutRequest, await body())
    person = await _person(asked)
    await consent.leave(runtime().db, person, asked.kind, runtime().clock(), f"API key {g.caller}", asked.reason)
    return await _told(person)


@blueprint.delete("")
@allow(Role.SENDER, Role.OPERATOR)
@document_request(OptInRequest)
@document_response(OptOutsResponse)
async def come_back() -> ResponseReturnValue:
    """Take a person's opt-out back, because they have asked for it; the log stays."""
    asked = read(OptInRequest, await body())
    person = await _person(asked)
    kinds = [asked.kind] if asked.kind else KINDS
    await consent.come_back(runtime().db, person, kinds, runtime().clock(), f"API key {g.caller}")
    return await _told(person)


@blueprint.get("")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(OptOutsQuery)
@document_response(OptOutsResponse)
async def rows() -> ResponseReturnValue:
    """Tell of a person's opt-outs, or list all, the newest first."""
    asked = convert(OptOutsQuery, query())
    if any(getattr(asked, field) for field in PersonInput.__struct_fields__):
        return await _told(await _person(asked))
    found = await optouts.page(runtime().db, place(asked.cursor), runtime().clock(), asked.limit)
    more = cursor(found[-1].at, found[-1].id) if len(found) == asked.limit else None
    return answer(OptOutsResponse(opt_outs=list(map(_row, found)), cursor=more))


async def _person(request: PersonInput) -> list[str]:
    """Return all names of the person. Raises RequestError."""
    return (await find_recipient(runtime(), await known_recipient(runtime(), request))).names


async def _told(person: list[str]) -> ResponseReturnValue:
    keys = [consent.key(kind, name) for kind in KINDS for name in person]
    found = await optouts.all_of(runtime().db, keys)
    return answer(OptOutsResponse(opt_outs=list(map(_row, found)), cursor=None))


def _row(one: OptOut) -> OptOutView:
    log = [
        OptOutWordView(at=iso(word.at), said="out" if word.out else "back", by=word.by, reason=word.reason or None)
        for word in one.log
    ]
    return OptOutView(person=one.name, kind=one.kind, holds=one.out, since=iso(one.at) if one.out else None, log=log)
