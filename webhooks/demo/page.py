"""The demo's page: people's phones beside what the business sees. It is for this machine's own browser only."""

from datetime import timedelta

import msgspec
from quart import Blueprint, Quart, Response, render_template, request

from webhooks.demo import actions
from webhooks.demo.client import Client
from webhooks.demo.environment import Environment
from webhooks.demo.phones import phones
from webhooks.demo.state import State, setting, state
from webhooks.http.answers import Refusal, register_errors

LARGEST = 64 * 1024
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
    """The page and its routes; the key to the gateway stays on this side of them."""
    app = Quart(__name__, template_folder="pages", static_folder="pages/static")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST
    app.extensions["scene"] = State(environment, client)
    app.register_blueprint(blueprint)
    app.register_blueprint(actions.blueprint)
    app.before_request(_guard)
    app.after_request(_with_headers)
    register_errors(app)
    return app


async def _guard() -> None:
    """Other sites' pages can reach this port too: under a name of theirs that leads here, or by posting blindly."""
    if request.host.partition(":")[0] not in HOSTS:
        raise Refusal(403, "This page answers on 127.0.0.1 and localhost only.")
    if request.method not in {"GET", "HEAD"} and request.headers.get("Origin") != f"http://{request.host}":
        raise Refusal(403, "Only the page itself may do this.")


async def _with_headers(response: Response) -> Response:
    response.headers.update(HEADERS)
    return response


@blueprint.get("/")
async def page() -> str:
    return await render_template("page.html", **setting(state()))


@blueprint.get("/state")
async def current() -> Response:
    """Everything that moves; the page asks a few times a second."""
    on, now = state(), state().environment.runtime.clock
    told = {
        "now": now(),
        "hoursAhead": now.ahead / timedelta(hours=1),
        "phones": await phones(on),
        "notifications": await on.client.stories(),
    }
    return Response(msgspec.json.encode(told), content_type="application/json")
