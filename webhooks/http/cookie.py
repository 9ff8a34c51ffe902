"""The door of the operators' pages: a cookie that opens them and nothing else, and the proof that a form is ours.

An API key opens no page, and no cookie opens the API. A form counts only if the browser says that it comes from these
pages, and if it carries what only they know.
"""

import hmac
from hashlib import sha256
from urllib.parse import urlsplit

from quart import g, request

from gateway.people import page_access
from gateway.people.access import Caller, Denied
from webhooks.http.answers import Refusal
from webhooks.http.context import API_BODY, runtime

PAGES = "ui"
"""The blueprint whose routes this door guards."""

READING = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
FOREIGN = "This form does not come from these pages."


def cookie_name() -> str:
    """Return the name of the cookie. The prefix makes browsers insist on HTTPS, and on this very host.

    Raises Refusal where it would travel readable for everybody on the way.
    """
    if urlsplit(runtime().settings.public_url).scheme == "https":
        return "__Host-gateway"
    if request.host.rpartition(":")[0] in LOOPBACK or request.host in LOOPBACK:
        return "gateway"
    raise Refusal(403, "These pages answer over HTTPS, or on this machine: set GATEWAY_PUBLIC_URL to an https address.")


async def caller_by_cookie() -> Caller:
    """Return who is signed in. Raises Denied, or Refusal (403) for a form that is not ours."""
    gateway, secret = runtime(), request.cookies.get(cookie_name(), "")
    if not secret:
        raise Denied("Sign in.")
    caller = await page_access.identify(gateway.db, secret, gateway.clock())
    g.form_token = _form_token(secret)
    if request.method not in READING:
        check_origin()
        await _check_form(g.form_token)
    return caller


def check_origin() -> None:
    """Check that a browser sends this from one of our pages. Raises Refusal (403).

    See Fetch Metadata Request Headers, W3C. Browsers without them tell the origin of a post.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), urlsplit(request.headers.get("Origin", ""))
    if site != "same-origin" if site else origin.netloc != request.host:
        raise Refusal(403, FOREIGN)


async def _check_form(expected: str) -> None:
    given = request.headers.get("X-Form-Token")
    if given is None:
        if request.mimetype != "multipart/form-data":  # a file goes to the disk while it is read
            request.max_content_length = min(request.max_content_length or API_BODY, API_BODY)
        given = (await request.form).get("form_token", "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise Refusal(403, FOREIGN)


def _form_token(secret: str) -> str:
    """Return what the forms of this sign-in carry: nobody can tell the cookie from it."""
    return hmac.new(secret.encode(), b"form", sha256).hexdigest()
