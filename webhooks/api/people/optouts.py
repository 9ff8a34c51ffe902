"""Opt-outs over HTTP: the business opts people out and in again, and lists opt-outs."""

from typing import Annotated, Literal

from msgspec import Meta
from quart import Blueprint, g
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_request, document_response

from gateway.domain.api.formats import iso
from gateway.domain.api.request import PersonInput, convert, read
from gateway.domain.api.response import View
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.messages.delivery.reachability import find_recipient
from gateway.people import optouts as consent
from gateway.people.optouts import KINDS, Kind
from gateway.people.recipients import known_recipient
from gateway.runtime.paging import Cursor, Limit, cursor, place
from storage.people import optouts
from storage.people.optouts import OptOut
from webhooks.http.answers import answer
from webhooks.http.audit import note, records
from webhooks.http.context import body, query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("optouts", __name__, url_prefix="/api/v1/optOuts")


Reason = Annotated[str, Meta(max_length=1000)]


class OptOutRequest(PersonInput):
    """kind: marketing, or all messages but answers to their own. reason: for the log."""

    kind: Kind = "marketing"
    reason: Reason = ""


class OptInRequest(PersonInput):
    """kind: what they want again; if not given, everything. reason: for the log."""

    kind: Kind | None = None
    reason: Reason = ""


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
    """A page, the newest first; `cursor` is null on the last optout."""

    opt_outs: list[OptOutView]
    cursor: str | None


@blueprint.post("")
@allow(Role.SENDER, Role.OPERATOR)
@records(Act.OPT_OUT_ADD)
@document_request(OptOutRequest)
@document_response(OptOutsResponse)
async def opt_out() -> ResponseReturnValue:
    """Opt a person out: of marketing, or of all messages."""
    request = read(OptOutRequest, await body())
    person = await names_of(request)
    await consent.opt_out(runtime().db, person, request.kind, runtime().clock(), f"API key {g.caller}", request.reason)
    note(person[0], after={"kind": request.kind})
    return await _answer(person)


@blueprint.delete("")
@allow(Role.SENDER, Role.OPERATOR)
@records(Act.OPT_OUT_LIFT)
@document_request(OptInRequest)
@document_response(OptOutsResponse)
async def opt_in() -> ResponseReturnValue:
    """Take a person's opt-out back, because they have asked for it; the log stays."""
    request = read(OptInRequest, await body())
    person = await names_of(request)
    kinds = [request.kind] if request.kind else KINDS
    await consent.opt_in(runtime().db, person, kinds, runtime().clock(), f"API key {g.caller}", request.reason)
    note(person[0], after={"kind": request.kind or "everything"})
    return await _answer(person)


@blueprint.get("")
@allow(Role.SENDER, Role.OPERATOR)
@document_querystring(OptOutsQuery)
@document_response(OptOutsResponse)
async def list_opt_outs() -> ResponseReturnValue:
    """Tell of a person's opt-outs, or list all, the newest first."""
    page_query = convert(OptOutsQuery, query())
    if any(getattr(page_query, field) for field in PersonInput.__struct_fields__):
        return await _answer(await names_of(page_query))
    page = await optouts.page(runtime().db, place(page_query.cursor), runtime().clock(), page_query.limit)
    next_cursor = cursor(page[-1].at, page[-1].id) if len(page) == page_query.limit else None
    return answer(OptOutsResponse(opt_outs=list(map(_view, page)), cursor=next_cursor))


async def names_of(request: PersonInput) -> list[str]:
    """Return all names of the person. Raises RequestError."""
    return (await find_recipient(runtime(), await known_recipient(runtime(), request))).names


async def _answer(person: list[str]) -> ResponseReturnValue:
    """Return the response with all opt-outs of the person."""
    keys = [consent.key(kind, name) for kind in KINDS for name in person]
    stored = await optouts.several(runtime().db, keys)
    return answer(OptOutsResponse(opt_outs=list(map(_view, stored)), cursor=None))


def _view(optout: OptOut) -> OptOutView:

    log = [
        OptOutWordView(at=iso(word.at), said="out" if word.out else "back", by=word.by, reason=word.reason or None)
        for word in optout.log
    ]
    return OptOutView(
        person=optout.name, kind=optout.kind, holds=optout.out, since=iso(optout.at) if optout.out else None, log=log
    )
