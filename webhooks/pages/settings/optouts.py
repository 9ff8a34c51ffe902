"""Who wants no messages: the list, with what was said and by whom; opting a person out, and in again."""

from quart import Blueprint, g, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.request import RequestError, convert
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.people import optouts as consent
from gateway.people.optouts import KINDS
from gateway.runtime.paging import PageQuery, cursor, place
from storage.people import optouts
from webhooks.api.people.optouts import OptInRequest, OptOutRequest, names_of
from webhooks.http.audit import note, records
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow
from webhooks.pages.forms.mistakes import Mistake, told
from webhooks.pages.settings.said import person_of, together
from webhooks.pages.words import gettext

blueprint = Blueprint("optouts", __name__, url_prefix="/optouts")

ROWS = 50
LONGEST_NAME = 300


@blueprint.get("")
@allow(Role.OPERATOR)
@hide
async def show_list() -> ResponseReturnValue:
    """Show a page of opt-outs, the newest first, and the form that adds one."""
    return await _page({})


@blueprint.post("")
@allow(Role.OPERATOR)
@records(Act.OPT_OUT_ADD)
@hide
async def add() -> ResponseReturnValue:
    """Opt a person out, for a reason that is kept."""
    form = await request.form
    reason = form.get("reason", "").strip()
    if not reason:
        return await _page({"reason": gettext("Say why, for those who look later.")}), 400
    try:
        opt_out = convert(OptOutRequest, {"kind": form.get("kind", ""), "reason": reason, **_person(form.get("who"))})
        names = await names_of(opt_out)
    except RequestError as error:
        return await _page({"reason" if error.field == "reason" else "who": told(error, named=False)}), 400
    await consent.opt_out(runtime().db, names, opt_out.kind, runtime().clock(), _speaker(), reason)
    note(names[0], after={"kind": opt_out.kind})
    return redirect(url_for(".show_list"), 303)


@blueprint.post("/lift")
@allow(Role.OPERATOR)
@records(Act.OPT_OUT_LIFT)
@hide
async def lift() -> ResponseReturnValue:
    """Take an opt-out back, because the person has asked for it."""
    form = await request.form
    fields = {"kind": form.get("kind", ""), "reason": form.get("reason", "").strip(), **person_of(form.get("name", ""))}
    opt_in = convert(OptInRequest, fields)
    names = await names_of(opt_in)
    kinds = [opt_in.kind] if opt_in.kind else KINDS
    await consent.opt_in(runtime().db, names, kinds, runtime().clock(), _speaker(), opt_in.reason)
    note(names[0], after={"kind": opt_in.kind or ""})
    return redirect(url_for(".show_list"), 303)


async def _page(mistakes: dict[str, str]) -> str:
    page_query = convert(PageQuery, query())
    page = await optouts.page(runtime().db, place(page_query.cursor), runtime().clock(), ROWS)
    older = url_for(".show_list", cursor=cursor(page[-1].at, page[-1].id)) if len(page) == ROWS else None
    return await render_template(
        "optouts.html",
        optouts=await together(page),
        older=older,
        mistakes=mistakes,
        given=await request.form,
        kind_words={"marketing": gettext("advertising"), "all": gettext("everything")},
    )


def _speaker() -> str:
    """Return by whom it is said, as the log keeps it."""
    return f"user {g.caller}"


def _person(who: str | None) -> dict[str, str]:
    """Return who is meant by what an operator has typed: a number, an e-mail, or an identifier."""
    text = (who or "").strip()[:LONGEST_NAME]
    if not text:
        raise Mistake(gettext("Say whom."), "who")
    return person_of(text) if ":" in text else {"email" if "@" in text else "phone": text}
