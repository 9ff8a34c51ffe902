"""The stand-in for Twilio's API. Twilio docs: Message resource, IncomingPhoneNumber resource, Errors."""

import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

from quart import Blueprint, Response, jsonify, request
from werkzeug.datastructures import MultiDict

from bots.simulation.simulation import Clock, utcnow
from bots.sms.errors import CODES
from bots.sms.numbers import is_phone, is_service
from bots.sms.outbound import MAX_BODY, Account
from bots.sms.simulator.people import People
from bots.sms.simulator.views import API_VERSION, Message, account_view, message_view, number_view, page
from bots.wire.cutting import units
from gateway.domain.channel.secret import Secret

FIRST_LATE_CODE = 30000
"""This and higher codes come in a status callback, after the message was taken."""

STATUSES = {20003: 401, 20404: 404, 20429: 429}
MAX_MEDIA = 10
ADDRESSES_LIVE = timedelta(hours=4)

NAME = "Shop"
"""A name that the account may send under, too."""

NO_CONTENT = 204
View = Callable[..., Awaitable[Response]]


def demo_account(api_url: str) -> Account:
    """Return an account that lives on the stand-in at `api_url`, with a fresh token."""
    token = Secret(secrets.token_hex(16))
    return Account(account_sid=f"AC{uuid4().hex}", auth_token=token, sender="+79990000009", api_url=api_url)


class Server(People):
    """Twilio for one account and its one sender."""

    name = "sms"
    errors: Mapping[str, str] = {str(code): words for code, (_, words) in CODES.items()} | {
        "500": "a fault of the server, after which nobody knows"
    }
    too_many = "20429"

    def __init__(self, account: Account, webhook_url: str, clock: Clock = utcnow) -> None:
        super().__init__(account, webhook_url, clock)

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint(self.name, __name__)
        for path, methods in (
            ("<sid>/Messages.json", {"POST": self._create, "GET": self._list}),
            ("<sid>/Messages/<key>.json", {"GET": self._fetch, "POST": self._change, "DELETE": self._delete}),
            ("<sid>/Messages/<key>/Media/<media>", {"GET": self._media}),
            ("<sid>/IncomingPhoneNumbers.json", {"GET": self._numbers}),
            ("<sid>/IncomingPhoneNumbers/<number>.json", {"GET": self._number, "POST": self._point}),
            ("<sid>.json", {"GET": self._account}),
        ):
            for method, view in methods.items():
                name = f"{method} {path}".replace(".", " ")
                rule = f"/{API_VERSION}/Accounts/{path}"
                blueprint.add_url_rule(rule, name, self._of_the_account(view), methods=[method])
        blueprint.add_url_rule("/mms/<media>", "mms", self._stored_media, methods=["GET"])
        return blueprint

    def _of_the_account(self, view: View) -> View:
        """Wrap a view so that it serves our account only."""

        async def checked(sid: str, **names: str) -> Response:
            return self._check_caller(sid) or await view(**names)

        return checked

    async def _create(self) -> Response:
        fault = await self.faults.next_error()
        if fault and int(fault) < FIRST_LATE_CODE:
            return _error_response(int(fault))
        form = await request.form
        if code := self._first_mistake(form):
            return _error_response(code)
        message = Message(
            sid=f"SM{uuid4().hex}",
            user=form["To"],
            sender=form.get("From", self.account.sender),
            at=self.clock(),
            body=form.get("Body", ""),
            service=form.get("MessagingServiceSid"),
            media=len(form.getlist("MediaUrl")),
        )
        answer = self._view(message)
        self.accept(message, form.to_dict(), late_code=int(fault or 0))
        if self.faults.loses_this_answer():
            return Response("<html>Bad Gateway</html>", 502, content_type="text/html")
        answer.status_code = 201
        return answer

    def _check_caller(self, sid: str) -> Response | None:
        """Return the refusal of a caller that is not our account; None for our account."""
        credentials = request.authorization
        expected = f"{self.account.account_sid}:{self.account.auth_token.reveal()}"
        if not credentials or not hmac.compare_digest(
            f"{credentials.username}:{credentials.password}".encode(), expected.encode()
        ):
            return _error_response(20003)
        return None if sid == self.account.account_sid else _error_response(20404)

    def _first_mistake(self, form: MultiDict[str, str]) -> int | None:
        """Return the code of the first fault in a message; None where there is none."""
        user, sender, body = form.get("To", ""), self.account.sender, form.get("Body", "")
        origin = form.get("MessagingServiceSid") if is_service(sender) else form.get("From")
        media = form.getlist("MediaUrl")
        checks = (
            (not user, 21604),
            (not is_phone(user), 21211),
            (not origin, 21603),
            (user == origin, 21266),
            (origin not in {sender, NAME}, 21606),
            (not body and not media, 21602),
            (units(body) > MAX_BODY, 21617),
            (len(media) > MAX_MEDIA, 21623),
            (not all(map(_is_address, media)), 21620),
            (not _is_address(form.get("StatusCallback", "http://x")), 21609),
            (self.phone(user).blocked, 21610),
        )
        return next((code for is_wrong, code in checks if is_wrong), None)

    async def _list(self) -> Response:
        """List the messages, the latest first, as their sender, recipient and day are asked for."""
        views = [message_view(message, self.account.account_sid) for message in reversed(self.messages.values())]
        for name, field in (("To", "to"), ("From", "from")):
            views = [view for view in views if request.args.get(name, view[field]) == view[field]]
        if day := request.args.get("DateSent"):
            days = {message.sid: f"{message.at.astimezone(UTC):%Y-%m-%d}" for message in self.messages.values()}
            views = [view for view in views if days[view["sid"]] == day]
        return jsonify(page("messages", views, request.args, request.path.partition("/sms")[2]))

    async def _fetch(self, key: str) -> Response:
        return self._view(self.messages[key]) if key in self.messages else _error_response(20404)

    async def _change(self, key: str) -> Response:
        """Remove a message's text: that is all that can be changed of one that has left."""
        if key not in self.messages:
            return _error_response(20404)
        form = await request.form
        if form.get("Status"):
            return _error_response(30409)
        self.messages[key].body = form.get("Body", self.messages[key].body)
        return self._view(self.messages[key])

    async def _delete(self, key: str) -> Response:
        return Response("", NO_CONTENT) if self.messages.pop(key, None) else _error_response(20404)

    async def _media(self, key: str, media: str) -> Response:  # noqa: ARG002 - a file's id says which it is
        """Lead to where the bytes are for the next four hours. Twilio docs: Media subresource."""
        if media not in self.media:
            return _error_response(20404)
        until = int((self.clock() + ADDRESSES_LIVE).timestamp())
        return Response("", 307, {"Location": f"{self.account.api_url}/mms/{media}?Expires={until}"})

    async def _stored_media(self, media: str) -> Response:
        """Serve a file to whoever has the address, as long as that holds; it knows no credentials."""
        if media not in self.media or int(request.args.get("Expires", "0")) < self.clock().timestamp():
            return Response("", 403)
        if request.authorization:
            return Response("", 400)
        content_type, body = self.media[media]
        return Response(body, content_type=content_type)

    async def _numbers(self) -> Response:
        query = request.args.get("PhoneNumber", self.account.sender)
        is_ours = is_phone(self.account.sender) and query in self.account.sender
        numbers = [self._number_view()] if is_ours else []
        return jsonify(page("incoming_phone_numbers", numbers, request.args, request.path.partition("/sms")[2]))

    async def _number(self, number: str) -> Response:
        view = self._number_view()
        return jsonify(view) if number == view["sid"] else _error_response(20404)

    async def _point(self, number: str) -> Response:
        if number != self._number_view()["sid"]:
            return _error_response(20404)
        self.webhook_url = (await request.form).get("SmsUrl", self.webhook_url)
        return jsonify(self._number_view())

    async def _account(self) -> Response:
        return jsonify(account_view(self.account.account_sid))

    def _view(self, message: Message) -> Response:
        return jsonify(message_view(message, self.account.account_sid))

    def _number_view(self) -> dict[str, object]:
        return number_view(self.account.account_sid, self.account.sender, self.webhook_url)


def _is_address(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _error_response(code: int) -> Response:
    """Return an error as Twilio words it; a code below 600 is a bare HTTP status."""
    status = code if code < 600 else STATUSES.get(code, 400)  # noqa: PLR2004 - the end of HTTP's statuses
    words = CODES.get(code, (None, "simulated"))[1]
    more = f"https://www.twilio.com/docs/errors/{code}"
    response = jsonify(code=code, message=words, more_info=more, status=status)
    response.status_code = status
    if status == 429:  # noqa: PLR2004 - too many requests
        response.headers["Retry-After"] = "1"
    return response
