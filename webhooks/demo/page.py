"""The demo's page: the customer's phones beside what the business sees. It is for this machine's own browser only."""

from datetime import timedelta
from secrets import token_hex
from urllib.parse import urlsplit

import msgspec
from quart import Blueprint, Quart, Response, render_template, request
from quart.typing import ResponseReturnValue

from gateway.domain.api.roles import Role
from gateway.people import page_access
from storage.access import users
from storage.access.users import User
from webhooks.demo import actions
from webhooks.demo.client import Client
from webhooks.demo.environment import Environment
from webhooks.demo.phones import phones
from webhooks.demo.state import OPERATOR, State, current_state, page_context
from webhooks.http.answers import Refusal, register_errors
from webhooks.pages import static
from webhooks.pages.door import signed_in
from webhooks.pages.looks import colours

LARGEST = 64 * 1024
"""The largest body of a request, in bytes."""

HOSTS = {"127.0.0.1", "localhost"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

blueprint = Blueprint("demo", __name__)


def create_page(environment: Environment, client: Client) -> Quart:
    """Create the app with the page and its routes. The gateway's API key never reaches the browser."""
    app = Quart(__name__, template_folder="pages", static_folder="pages/static")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST
    app.extensions["state"] = State(environment, client)
    app.extensions["runtime"] = environment.runtime
    app.register_blueprint(blueprint)
    app.register_blueprint(actions.blueprint)
    app.register_blueprint(static.blueprint, url_prefix="/ui/static")
    app.jinja_env.globals["asset"] = static.address
    app.before_request(_guard)
    app.after_request(_add_headers)
    register_errors(app)
    return app


async def _guard() -> None:
    """Refuse what does not come from the page itself.

    Other sites' pages can reach this port too: by a host name of theirs that resolves to it, or by blind posts.
    """
    if request.host.partition(":")[0] not in HOSTS:
        raise Refusal(403, "This page answers on 127.0.0.1 and localhost only.")
    if request.method not in {"GET", "HEAD"} and request.headers.get("Origin") != f"http://{request.host}":
        raise Refusal(403, "Only the page itself may do this.")


async def _add_headers(response: Response) -> Response:
    response.headers.update(HEADERS)
    return response


@blueprint.get("/")
async def page() -> str:
    """Show the page."""
    return await render_template("page.html", **page_context(current_state()))


@blueprint.get("/colours.css")
async def channel_colours() -> Response:
    """Return the channels' colours as a style sheet."""
    return Response(colours(), content_type="text/css")


@blueprint.get("/operator")
async def open_operators_pages() -> ResponseReturnValue:
    """Open the operators' pages, signed in as the demo's operator, under the host name that the browser uses."""
    runtime = current_state().environment.runtime
    operator = await users.get_user(runtime.db, OPERATOR) or User(OPERATOR, "", Role.ADMIN, runtime.clock())
    await users.add_user(runtime.db, operator)
    secret = await page_access.issue(runtime.db, operator, token_hex(16), runtime.clock())
    port = urlsplit(current_state().environment.url).port
    return signed_in(secret, f"http://{request.host.partition(':')[0]}:{port}/ui/")


@blueprint.get("/state")
async def poll() -> Response:
    """Return everything that changes; the page polls it a few times a second."""
    state = current_state()
    clock = state.environment.runtime.clock
    view = {
        "now": clock(),
        "hoursAhead": clock.ahead / timedelta(hours=1),
        "phones": await phones(state),
        "notifications": await state.client.stories(),
    }
    return Response(msgspec.json.encode(view), content_type="application/json")
