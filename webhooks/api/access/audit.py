"""The audit over HTTP, for admins."""

from quart import Blueprint
from quart.typing import ResponseReturnValue
from quart_schema import document_querystring, document_response

from gateway.domain.api.formats import iso
from gateway.domain.api.request import convert
from gateway.domain.api.response import View
from gateway.people import audit
from gateway.people.audit import AuditQuery
from storage.access.audit import Entry
from webhooks.http.answers import answer
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow

blueprint = Blueprint("audit", __name__, url_prefix="/api/v1/audit")


class AuditEntryView(View):
    """An act. who: a user's e-mail, a key's name, or an account in the shell. door: page, api or shell.

    address: from where they called; of the shell, the machine. target: the id of what was acted upon, name: what people
    call it. before, after: what has changed, by field.
    """

    at: str | None
    who: str
    door: str
    address: str
    act: str
    target: str
    name: str
    before: dict[str, str]
    after: dict[str, str]


class AuditResponse(View):
    """A page, the newest first; `cursor` is null on the last one."""

    entries: list[AuditEntryView]
    cursor: str | None


@blueprint.get("")
@allow()
@document_querystring(AuditQuery)
@document_response(AuditResponse)
async def list_entries() -> ResponseReturnValue:
    """List what people have done, the newest first. It is kept for 400 days."""
    entries, cursor = await audit.page(runtime().db, convert(AuditQuery, query()), runtime().clock())
    return answer(AuditResponse(entries=list(map(_view, entries)), cursor=cursor))


def _view(entry: Entry) -> AuditEntryView:
    return AuditEntryView(
        at=iso(entry.at),
        who=entry.who,
        door=entry.door,
        address=entry.address,
        act=entry.act,
        target=entry.target,
        name=entry.name,
        before=entry.before,
        after=entry.after,
    )
