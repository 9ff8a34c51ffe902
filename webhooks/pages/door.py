"""Signing in to the pages and out again, and the choice of a language."""

from datetime import timedelta
from urllib.parse import urlsplit

from quart import Blueprint, g, redirect, render_template, request, url_for
from quart.typing import ResponseReturnValue
from quart_schema import hide
from werkzeug.wrappers import Response as BaseResponse

from gateway.domain.api.roles import Role
from gateway.people import page_access
from gateway.people.access import WINDOW, Denied, SignIn, TooMany
from storage.access import users
from webhooks.http.context import API_BODY, client_address, runtime
from webhooks.http.cookie import check_origin, cookie_name
from webhooks.http.guard import allow
from webhooks.pages.address import own_address
from webhooks.pages.words import CHOICE, LANGUAGES, duration, gettext

blueprint = Blueprint("door", __name__)

LONGEST_EMAIL, LONGEST_PASSWORD = 254, 1024


@blueprint.get("/login")
@hide
async def show_login() -> ResponseReturnValue:
    """Show the form to sign in."""
    return await _form("")


@blueprint.post("/login")
@hide
async def login() -> ResponseReturnValue:
    """Sign in, and go to the page that was asked for."""
    check_origin()
    request.max_content_length = API_BODY
    form, gateway = await request.form, runtime()
    email, password = form.get("email", "")[:LONGEST_EMAIL], form.get("password", "")[:LONGEST_PASSWORD]
    who = SignIn(email, password, client_address(), gateway.settings.tuning.login_tries)
    try:
        secret = await page_access.sign_in(gateway.db, who, gateway.clock())
    except Denied:
        return await _form(gettext("The e-mail or the password is wrong."), email), 403
    except TooMany:
        wait = duration(WINDOW)
        return await _form(gettext("Too many tries; again in %(wait)s.") % {"wait": wait}, email), 429
    return signed_in(secret, _local(form.get("next", "")))


def signed_in(secret: str, to: str) -> BaseResponse:
    """Return the answer that gives a browser its page token and sends it to a page."""
    response = redirect(to, 303)
    name = cookie_name()
    age = page_access.LONGEST
    response.set_cookie(
        name, secret, max_age=age, path="/", secure=name.startswith("__Host-"), httponly=True, samesite="Lax"
    )
    return response


@blueprint.post("/logout")
@allow(Role.OPERATOR)
@hide
async def logout() -> ResponseReturnValue:
    """Sign out: end the token, and with it every page that is open."""
    await users.end_family(runtime().db, g.caller_family)
    response, name = redirect(url_for("ui.door.show_login"), 303), cookie_name()
    response.delete_cookie(name, path="/", secure=name.startswith("__Host-"), httponly=True, samesite="Lax")
    return response


@blueprint.post("/language")
@hide
async def choose_language() -> ResponseReturnValue:
    """Keep the reader's choice of a language."""
    check_origin()
    request.max_content_length = API_BODY
    form = await request.form
    response = redirect(_local(form.get("next", "")), 303)
    if form.get("language") in LANGUAGES:
        response.set_cookie(CHOICE, form["language"], max_age=timedelta(days=400), path="/ui", samesite="Lax")
    return response


def send_to_login() -> BaseResponse:
    """Return the answer for a browser that is not signed in. An open page says so itself, and keeps what is typed."""
    if request.headers.get("HX-Request"):
        return BaseResponse("", 401)
    return redirect(url_for("ui.door.show_login", next=own_address()), 303)


async def _form(wrong: str, email: str = "") -> str:
    to = _local((await request.form).get("next", "") if request.method == "POST" else request.args.get("next", ""))
    return await render_template("login.html", wrong=wrong, email=email, next=to)


def _local(address: str) -> str:
    """Return a page's address that a browser brought, or the front page: a link may name any other site."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/ui/"
    ours = not parts.scheme and not parts.netloc and parts.path.startswith("/ui/") and "\\" not in address
    return address if ours and address.isprintable() and not parts.path.startswith("/ui/log") else "/ui/"
