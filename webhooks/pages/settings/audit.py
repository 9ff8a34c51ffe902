"""The audit: who did what, when, and from where."""

from urllib.parse import urlencode

from quart import Blueprint, render_template, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.domain.api.request import convert
from gateway.domain.model.act import Act
from gateway.people import audit
from gateway.people.audit import AuditQuery
from storage.access.audit import Entry
from webhooks.http.context import query, runtime
from webhooks.http.guard import allow
from webhooks.pages.settings.acts import act_word, change_words, door_word

blueprint = Blueprint("audit", __name__, url_prefix="/audit")

FILTERS = ("who", "act", "target")


@blueprint.get("")
@allow()
@hide
async def show_list() -> ResponseReturnValue:
    """Show a page of what people have done, the newest first."""
    given = {name: value for name, value in query().items() if value != ""}
    entries, cursor = await audit.page(runtime().db, convert(AuditQuery, given), runtime().clock())
    chosen = {name: str(given[name]) for name in FILTERS if name in given}
    return await render_template(
        "audit.html",
        entries=entries,
        older=_address({**chosen, "cursor": cursor}) if cursor else None,
        chosen=chosen,
        without={name: _address({key: value for key, value in chosen.items() if key != name}) for name in chosen},
        acts=sorted(((act.value, act_word(act)) for act in Act), key=lambda pair: pair[1]),
        act_word=act_word,
        door_word=door_word,
        changes=change_words,
        link=_link,
        with_target=lambda target: _address({"target": target}),
    )


def _link(entry: Entry) -> str | None:
    """Return the address of the page about what was acted upon; None where there is none."""
    kind = entry.act.partition(".")[0]
    if not entry.target or entry.act.endswith(".delete"):
        return None
    if kind == "messageTemplate" and entry.act.endswith(".sync"):
        return None
    return url_for(LINKS[kind], key=entry.target) if kind in LINKS else None


LINKS = {
    "message": "ui.messages.show",
    "job": "ui.jobs.show",
    "template": "ui.templates.show",
    "messageTemplate": "ui.provided.show",
    "user": "ui.settings.users.show",
}
"""The page of one thing, by the kind of thing that was acted upon."""


def _address(parameters: dict[str, str]) -> str:
    return url_for("ui.settings.audit.show_list") + (f"?{urlencode(parameters)}" if parameters else "")
