"""The stand-in for Twilio: takes messages, and signs and posts their statuses and people's answers."""

import hmac
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from urllib.parse import urlencode
from uuid import uuid4

from quart import Blueprint, Response, jsonify, request
from werkzeug.datastructures import MultiDict

from bots.simulation.simulation import Accepted, Bubble, Clock, Simulator, utcnow
from bots.sms.errors import CODES
from bots.sms.inbound import signature
from bots.sms.numbers import is_phone, is_service
from bots.sms.outbound import MAX_BODY, Account
from bots.sms.segments import segments
from bots.wire.cutting import units
from gateway.domain.channel.calls import Call
from gateway.domain.channel.secret import Secret

OPT_OUT_KEYWORDS = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"}
OPT_IN_KEYWORDS = {"START", "YES", "UNSTOP"}
"""The keywords by which people opt out and in. Twilio docs: Advanced Opt-Out, default keywords."""

FIRST_LATE_CODE = 30000
"""This and higher codes come in a status callback, after the message was taken."""

STATUSES = {20003: 401, 20404: 404, 20429: 429}

NAME = "Shop"
"""A name that the account may send under, too."""


class Server(Simulator):
    """Twilio for one account and its one sender. `blocked` phones have opted out."""

    name = "sms"
    title = "SMS"
    errors: Mapping[str, str] = {str(code): words for code, (_, words) in CODES.items()} | {
        "500": "a fault of the server, after which nobody knows"
    }
    too_many = "20429"

    def __init__(self, account: Account, webhook_url: str, clock: Clock = utcnow) -> None:
        super().__init__(webhook_url, clock)
        self.account = account
        self._held_callbacks: deque[Callable[[], None]] | None = None

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint(self.name, __name__)
        account = "/2010-04-01/Accounts/<sid>"
        blueprint.post(f"{account}/Messages.json")(self._create)
        blueprint.get(f"{account}/IncomingPhoneNumbers.json")(self._numbers)
        blueprint.post(f"{account}/IncomingPhoneNumbers/<number>.json")(self._point)
        return blueprint

    async def say(self, user: str, text: str) -> None:
        """Send a text as this person. An opt-out keyword such as STOP opts them out, START opts them in again."""
        sid, at = f"SM{uuid4().hex}", self.clock()
        phone = self.phone(user)
        phone.last_wrote_at = at
        phone.screen.append(Bubble(id=sid, mine=True, at=at, text=text, state="sent"))
        form = {"MessageSid": sid, "AccountSid": self.account.account_sid, "From": user, "To": self.account.sender}
        form |= {"Body": text, "NumMedia": "0", "NumSegments": str(segments(text)[1]), "SmsStatus": "received"}
        keyword = text.strip().upper()
        if keyword in OPT_OUT_KEYWORDS | OPT_IN_KEYWORDS:
            phone.blocked = keyword in OPT_OUT_KEYWORDS
            form["OptOutType"] = "STOP" if phone.blocked else "START"
        if self.webhook_url:
            self._post_form(self.webhook_url, form)

    async def press(self, user: str, bubble: str, button: str) -> None:  # noqa: ARG002 - a text has no buttons
        """Type the button's text: a text message has no buttons, so people type what they read."""
        await self.say(user, button)

    def user_of(self, phone: str) -> str:
        return phone

    def hold_receipts(self) -> None:
        """Keep status callbacks back until `release_receipts`."""
        self._held_callbacks = self._held_callbacks or deque()

    def release_receipts(self) -> None:
        """Send the status callbacks that were held back, and hold back no more."""
        callbacks, self._held_callbacks = self._held_callbacks or (), None
        for send in callbacks:
            send()

    async def _create(self, sid: str) -> Response:
        fault = await self.faults.next_error()
        if refusal := self._check_caller(sid):
            return refusal
        if fault and int(fault) < FIRST_LATE_CODE:
            return _error_response(int(fault))
        form = await request.form
        if code := self._first_mistake(form):
            return _error_response(code)
        accepted = self._accept(form, late_code=int(fault or 0))
        if self.faults.loses_this_answer():
            return Response("<html>Bad Gateway</html>", 502, content_type="text/html")
        return _created_response(accepted)

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
        checks = (
            (not user, 21604),
            (not is_phone(user), 21211),
            (not origin, 21603),
            (origin not in {sender, NAME}, 21606),
            (not body, 21602),
            (units(body) > MAX_BODY, 21617),
            (self.phone(user).blocked, 21610),
        )
        return next((code for is_wrong, code in checks if is_wrong), None)

    def _accept(self, form: MultiDict[str, str], late_code: int) -> Accepted:
        sid, user, at = f"SM{uuid4().hex}", form["To"], self.clock()
        accepted = Accepted(id=sid, user=user, at=at, text=form["Body"], request=form.to_dict())
        self.accepted.append(accepted)
        bubble = Bubble(id=sid, mine=False, at=at, text=form["Body"], state="queued")
        phone = self.phone(user)
        phone.screen.append(bubble)
        self._report(form, bubble, "sent")
        code = late_code or (0 if phone.reachable else 30003)
        self._report(form, bubble, "undelivered" if code else "delivered", code)
        return accepted

    def _report(self, form: MultiDict[str, str], bubble: Bubble, status: str, code: int = 0) -> None:
        """Post a status callback, now or once receipts are released."""
        report = {"MessageSid": bubble.id, "MessageStatus": status, "SmsStatus": status, "SmsSid": bubble.id}
        report |= {"AccountSid": self.account.account_sid, "To": form["To"], "From": self.account.sender}
        report |= {"ErrorCode": str(code)} if code else {}

        def send() -> None:
            bubble.state = "failed" if code else status
            if url := form.get("StatusCallback"):
                self._post_form(url, report)

        if self._held_callbacks is None:
            send()
        else:
            self._held_callbacks.append(send)

    def _post_form(self, url: str, form: Mapping[str, str]) -> None:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signature(self.account.auth_token, url, list(form.items())),
        }
        self.deliver(Call("POST", url, headers, urlencode(form).encode(), self.clock()))

    async def _numbers(self, sid: str) -> Response:
        if refusal := self._check_caller(sid):
            return refusal
        query = request.args.get("PhoneNumber", self.account.sender)
        is_ours = is_phone(self.account.sender) and query in self.account.sender
        return jsonify(incoming_phone_numbers=[self._number()] if is_ours else [])

    async def _point(self, sid: str, number: str) -> Response:
        if refusal := self._check_caller(sid):
            return refusal
        if number != self._number()["sid"]:
            return _error_response(20404)
        self.webhook_url = (await request.form).get("SmsUrl", self.webhook_url)
        return jsonify(self._number())

    def _number(self) -> dict[str, object]:
        return {
            "sid": f"PN{'0' * 32}",
            "phone_number": self.account.sender,
            "sms_url": self.webhook_url,
            "sms_method": "POST",
            "capabilities": {"sms": True, "mms": False, "voice": False},
        }


def demo_account(api_url: str) -> Account:
    """Return an account that lives on the stand-in at `api_url`, with a fresh token."""
    token = Secret(secrets.token_hex(16))
    return Account(account_sid=f"AC{uuid4().hex}", auth_token=token, sender="+79990000009", api_url=api_url)


def _created_response(accepted: Accepted) -> Response:
    response = jsonify(
        sid=accepted.id,
        status="queued",
        to=accepted.user,
        body=accepted.text,
        num_segments=str(segments(accepted.text)[1]),
        error_code=None,
    )
    response.status_code = 201
    return response


def _error_response(code: int) -> Response:
    """Return an error as Twilio words it; a code below 600 is a bare HTTP status."""
    status = code if code < 600 else STATUSES.get(code, 400)  # noqa: PLR2004 - the end of HTTP's statuses
    response = jsonify(code=code, message=CODES.get(code, (None, "simulated"))[1], status=status)
    response.status_code = status
    if status == 429:  # noqa: PLR2004 - too many requests
        response.headers["Retry-After"] = "1"
    return response
