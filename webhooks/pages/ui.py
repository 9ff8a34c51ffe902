"""The operators' pages: one blueprint for all of them, with their headers, their errors and what each page shows."""

import logging
from datetime import datetime
from typing import Any, NamedTuple

from jinja2 import ChainableUndefined
from quart import Blueprint, Quart, Response, g, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide

from gateway.conversations.listing import count_unread
from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import RequestError
from gateway.domain.api.roles import Role
from webhooks.http.answers import Refusal, status_of
from webhooks.http.context import runtime
from webhooks.http.cookie import PAGES
from webhooks.http.guard import allow
from webhooks.pages import door, media, static
from webhooks.pages.accounts import accounts
from webhooks.pages.address import LOOK_AT, own_address
from webhooks.pages.conversations import conversations
from webhooks.pages.dead import dead
from webhooks.pages.drawing import draw_in_turns
from webhooks.pages.forms.mistakes import told, told_of
from webhooks.pages.jobs import jobs, wizard
from webhooks.pages.live import live
from webhooks.pages.looks import channel_title, colours, message_status, priority, role_word, step_status
from webhooks.pages.messages import messages, new
from webhooks.pages.overview import overview
from webhooks.pages.own import own
from webhooks.pages.provided import provided
from webhooks.pages.settings import settings
from webhooks.pages.words import LANGUAGES, choose_language, gettext, install_words, language

log = logging.getLogger(__name__)

blueprint = Blueprint(PAGES, __name__, url_prefix="/ui", template_folder="templates")
jobs.blueprint.register_blueprint(wizard.blueprint)
messages.blueprint.register_blueprint(new.blueprint)
for _area in (
    static,
    door,
    live,
    media,
    overview,
    conversations,
    messages,
    jobs,
    own,
    provided,
    accounts,
    dead,
    settings,
):
    blueprint.register_blueprint(_area.blueprint)
blueprint.before_request(choose_language)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def register_pages(app: Quart) -> None:
    """Add the pages to the app."""
    install_words(app)
    draw_in_turns(app.jinja_env)
    app.jinja_env.undefined = ChainableUndefined  # what a stored thing has no field for is left out; it is no error
    app.jinja_env.globals.update(
        asset=static.address,
        told=told,
        told_of=told_of,
        channel_title=channel_title,
        message_status=message_status,
        step_status=step_status,
        priority=priority,
    )
    app.jinja_env.filters["parsed"] = datetime.fromisoformat
    app.register_blueprint(blueprint)


@blueprint.get("/")
@blueprint.get("")
@allow(Role.OPERATOR)
@hide
async def front() -> ResponseReturnValue:
    """Go to the first page."""
    return redirect(url_for("ui.overview.show"), 303)


@blueprint.get("/colours.css")
@allow(Role.OPERATOR)
@hide
async def colour_sheet() -> ResponseReturnValue:
    """Return the channels' colours as a style sheet."""
    return Response(colours(), content_type="text/css", headers={"Cache-Control": "private, max-age=300"})


@blueprint.route("/<path:rest>", methods=["GET", "POST"])
@allow(Role.OPERATOR)
@hide
async def nothing(rest: str) -> ResponseReturnValue:
    """Say that there is no such page."""
    raise Refusal(404, gettext("There is no such page."), {"path": rest})


@blueprint.after_request
async def add_headers(response: Response) -> Response:
    """Add the policy under which pages run, and keep them from being stored. A file has a stricter policy already."""
    for name, value in {**HEADERS, "Cache-Control": "no-store"}.items():
        response.headers.setdefault(name, value)
    return response


class Page(NamedTuple):
    """An entry of the navigation. section: the blueprint whose pages it stands for. waiting: how much is new there."""

    word: str
    icon: str
    section: str
    endpoint: str
    waiting: str = ""

    @property
    def letter(self) -> str:
        """Return the letter that leads there after a "g"."""
        return self.section[0]


PARTS = {"provided": "templates"}
"""Blueprints whose pages belong to the entry of another in the navigation."""


def listed_pages(unread: str = "") -> list[Page]:
    """Return the entries of the navigation. unread: how many conversations are."""
    return [
        Page(gettext("Overview"), "activity", "overview", "ui.overview.show"),
        Page(gettext("Conversations"), "message-circle", "conversations", "ui.conversations.show_list", unread),
        Page(gettext("Messages"), "send", "messages", "ui.messages.show_list"),
        Page(gettext("Jobs"), "list-checks", "jobs", "ui.jobs.show_list"),
        Page(gettext("Templates"), "layout-template", "templates", "ui.templates.show_list"),
        Page(gettext("Accounts"), "radio", "accounts", "ui.accounts.show_list"),
        Page(gettext("Dead letters"), "inbox", "dead", "ui.dead.show_list"),
        Page(gettext("Settings"), "settings", "settings", "ui.settings.optouts.show_list"),
    ]


@blueprint.context_processor
async def frame() -> dict[str, Any]:
    """Return what the frame of every page shows."""
    return {
        "caller": g.get("caller"),
        "role": role_word(g.get("caller_role")),
        "is_admin": g.get("caller_role") is Role.ADMIN,
        "pages": listed_pages(await _unread() if g.get("caller") and not g.get("failing") else ""),
        "form_token": g.get("form_token"),
        "language": language(),
        "languages": LANGUAGES,
        "here": own_address(),
        "section": [PARTS.get(name, name) for name in (request.endpoint or "").split(".")[1:2]],
    }


MOST_UNREAD = 100
"""Unread conversations are counted up to this many."""


async def _unread() -> str:
    """Return how many conversations are unread, as the navigation says it; "" for none."""
    count = await count_unread(runtime(), MOST_UNREAD)
    return f"{MOST_UNREAD - 1}+" if count >= MOST_UNREAD else str(count or "")


@blueprint.errorhandler(Exception)
async def error_page(error: Exception) -> ResponseReturnValue:
    """Show an error as a page; whoever is not signed in is sent to where they can be."""
    status = status_of(error)
    if status == 401:  # noqa: PLR2004
        return door.send_to_login()
    if status >= 500:  # noqa: PLR2004
        log.error("a page failed", exc_info=error)
        g.failing = True  # the database may be why, so the frame asks it for nothing
    look_at = error.details.get(LOOK_AT) if isinstance(error, Refusal) and isinstance(error.details, dict) else None
    return await render_template(
        "error.html", status=status, sentence=_sentence(error, status), look_at=look_at, again=status in MAY_PASS
    ), status


MAY_PASS = frozenset({408, 409, 413, 429, *range(500, 600)})
"""Errors after which it is worth to try again. What is not there, or not for somebody, stays so."""


def _sentence(error: Exception, status: int) -> str:
    match error:
        case Refusal() | Conflict():
            return str(error)
        case RequestError():
            return told(error)
    if status == 404:  # noqa: PLR2004
        return gettext("There is no such page.")
    if status == 413:  # noqa: PLR2004
        return gettext("This is too large to be taken.")
    if status == 503:  # noqa: PLR2004
        return gettext("The database does not answer. Nothing was changed.")
    return gettext("Something went wrong on our side.")
