"""Verifies and reads Twilio's calls: status callbacks and incoming messages, both as signed forms."""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

import msgspec

from bots.sms.errors import delivery_failure
from bots.sms.numbers import is_phone, number_behind
from gateway.domain.channel.calls import Answer, Call, Forged, Malformed, Parsed
from gateway.domain.channel.secret import Secret
from gateway.domain.model.event import Event, Inbound, Person, Receipt, Subscription, Unrecognised
from gateway.domain.model.identifier import Identifier, identifier, identifiers
from gateway.domain.model.nouns import Address, Content, Media, Progress

NAME = "sms"
SILENT = Answer(body="<Response/>", content_type="text/xml")
"""Empty TwiML: any other answer to an incoming message would be sent to the person as a message."""

NOT_YET = {"accepted", "scheduled", "queued", "sending"}
REPORTED = {
    "sent": Progress.SENT,
    "delivered": Progress.DELIVERED,
    "read": Progress.READ,
    "undelivered": Progress.FAILED,
    "failed": Progress.FAILED,
    "canceled": Progress.FAILED,
}
OPTED = {"STOP": False, "START": True}
"""OptOutType of a messaging service: whether the person is subscribed now."""

HANDLED = {"STOP": "stop", "START": "start", "HELP": "help"}
"""OptOutType of a messaging service: the command for which Twilio took the text, whatever its words, and answered it.

Twilio docs: Advanced Opt-Out.
"""


MAX_MEDIA = 10


def signature(token: Secret, url: str, form: list[tuple[str, str]]) -> str:
    """Return Twilio's proof of a call. Twilio docs: Secure webhooks, X-Twilio-Signature."""
    signed = url + "".join(f"{name}{value}" for name, value in sorted(set(form)))
    return b64encode(hmac.digest(token.reveal().encode(), signed.encode(errors="replace"), "sha1")).decode()


def verify(token: Secret, call: Call) -> None:
    """Raise Forged unless the signature covers exactly this URL and this form."""
    proof = signature(token, _signed_url(call), _decode_form(call))
    if not hmac.compare_digest(proof.encode(), call.headers.get("x-twilio-signature", "").encode()):
        raise Forged("X-Twilio-Signature is missing or wrong")


def parse(account: str, call: Call) -> Parsed:
    """Read the events in a verified call. Raises Malformed where it names no message."""
    form = dict(_decode_form(call))
    if not form.get("MessageSid"):
        raise Malformed("not a form with a MessageSid")
    reader = _FormReader(account, form, call)
    if form.get("MessageStatus", "received") == "received":
        return Parsed(reader.message(), SILENT)
    return Parsed(reader.status())


@dataclass(frozen=True)
class _FormReader:
    """Reads one form. Twilio sends no time, so the time of the call stands in."""

    account: str
    form: Mapping[str, str]
    call: Call

    def status(self) -> list[Event]:
        """Read a status callback. Returns no event for a status before "sent".

        Twilio docs: Track outbound message status.
        """
        word, code = self.form["MessageStatus"], self.form.get("ErrorCode", "")
        progress = REPORTED.get(word)
        if progress is None:
            return [] if word in NOT_YET else [self._unrecognised(word)]
        cause, reason = delivery_failure(code) if progress is Progress.FAILED else (None, "")
        return [
            Receipt(
                channel=NAME,
                account=self.account,
                id=f"{self.form['MessageSid']}:{word}",
                provider_id=self.form["MessageSid"],
                progress=progress,
                at=self.call.received_at,
                reason=reason,
                cause=cause,
                key=self.call.query.get("key", ""),
                raw=self._raw(),
            )
        ]

    def message(self) -> list[Event]:
        """Read an incoming message, and the opt-out or opt-in in it.

        Twilio docs: TwiML for Programmable Messaging, Twilio's request to your application.
        """
        user, id_ = number_behind(self.form.get("From", "")), self.form["MessageSid"]
        if not user:
            return [self._unrecognised("message")]
        address, at = Address(NAME, self.account, user), self.call.received_at
        inbound = Inbound(
            address=address,
            id=id_,
            provider_id=id_,
            content=self._content(),
            at=at,
            kind=self.form.get("MediaContentType0", "text"),
            person=Person(identifiers=identifiers(phone=user if is_phone(user) else None)),
            handled=HANDLED.get(self.form.get("OptOutType", ""), ""),
            raw=self._raw(),
        )
        subscribed = OPTED.get(self.form.get("OptOutType", ""))
        if subscribed is None:
            return [inbound]
        return [inbound, Subscription(address, f"{id_}:opt", active=subscribed, at=at, raw=self._raw())]

    def _content(self) -> Content:
        """Return the text and the files."""
        numbers = [number for number in range(MAX_MEDIA) if f"MediaUrl{number}" in self.form]
        files = [Media(self._media_type(number), self.form[f"MediaUrl{number}"]) for number in numbers]
        return Content(self.form.get("Body", ""), next(iter(files), None), others=tuple(files[1:]))

    def _media_type(self, number: int) -> str:
        kind = self.form.get(f"MediaContentType{number}", "").partition("/")[0]
        return kind if kind in {"image", "video", "audio"} else "document"

    def _unrecognised(self, kind: str) -> Unrecognised:
        id_ = f"{self.form['MessageSid']}:{kind}"
        return Unrecognised(NAME, self.account, id_, kind, self.call.received_at, self._raw())

    def _raw(self) -> str:
        return msgspec.json.encode(self.form).decode()


def _decode_form(call: Call) -> list[tuple[str, str]]:
    return parse_qsl(call.body.decode(errors="replace"), keep_blank_values=True)


def _signed_url(call: Call) -> str:
    """Return the URL that Twilio signed, with the query encoded as we encoded it for Twilio.

    Servers and proxies on the way may have decoded some of it.
    """
    return f"{call.url.partition('?')[0]}?{urlencode(call.query)}" if call.query else call.url


def identifier_of(user: str) -> Identifier | None:
    """Return the phone number that an address is; None for a short code or a name."""
    return identifier("phone", user) if is_phone(user) else None
