"""Calls Twilio. Twilio docs: Messages resource, IncomingPhoneNumber resource."""

from base64 import b64encode
from collections.abc import Mapping
from itertools import count
from typing import Any
from urllib.parse import quote

import aiohttp
from msgspec import Struct
from msgspec.structs import replace

from bots.sms.errors import failure
from bots.sms.numbers import is_sender, is_service
from bots.sms.segments import segments
from bots.wire import wire
from bots.wire.cutting import cut, units
from bots.wire.downloads import Pieces, download
from gateway.domain.channel.errors import Ambiguous, Misconfigured
from gateway.domain.channel.secret import Secret
from gateway.domain.model.nouns import Content

MAX_BODY = 1600
"""Characters of a Body, counted in UTF-16, the strictest way to count. Twilio docs: Messages resource."""

OK = range(200, 300)


class Account(Struct, frozen=True, forbid_unknown_fields=True):
    """One sender at Twilio. `account_sid` and `auth_token` are the account's credentials.

    sender: a number in E.164, a short code, a name of up to 11 characters, or the SID of a messaging service.
    """

    account_sid: str
    auth_token: Secret
    sender: str
    api_url: str = "https://api.twilio.com"

    def __post_init__(self) -> None:
        if not is_sender(self.sender):
            raise ValueError("sender is a +number, a short code, a name of up to 11 letters and digits, or MG…")


def body_of(content: Content) -> str:
    """Return everything in a message as plain text: the text, the file's address, and a line for each button."""
    media = content.media.url if content.media else ""
    numbers = count(1)  # as `choices` counts: a button that opens an address has none
    lines = (
        f"{button.text}: {button.url}" if button.url else f"{next(numbers)}. {button.text}"
        for button in content.buttons
    )
    return "\n".join(filter(None, [content.text, media, *lines]))


def split(content: Content) -> list[Content]:
    """Cut a text that is longer than a Body may be, at a space or line end where there is one."""
    body = body_of(content)
    if units(body) <= MAX_BODY:
        return [content]
    return [replace(content, text=piece, media=None, buttons=()) for piece in cut(body, MAX_BODY)]


def segment_count(content: Content) -> int:
    """Return how many short messages the carrier charges for this content."""
    return sum(segments(body_of(piece))[1] for piece in split(content))


def render(sender: str, user: str, content: Content, status_callback: str) -> dict[str, str]:
    """Return the form of a message. `sender` is the account's, used where the content names none."""
    sender = content.sender or sender
    origin = "MessagingServiceSid" if is_service(sender) else "From"
    return {"To": user, origin: sender, "Body": body_of(content), "StatusCallback": status_callback}


class Api:
    """Twilio's HTTP API as one account sees it. Every call raises SendError."""

    def __init__(self, http: aiohttp.ClientSession, account: Account) -> None:
        self._http = http
        self._root = f"{account.api_url.rstrip('/')}/2010-04-01/Accounts/{quote(account.account_sid, safe='')}"
        credentials = f"{account.account_sid}:{account.auth_token.reveal()}"
        self._headers = {"Authorization": f"Basic {b64encode(credentials.encode()).decode()}"}

    async def send(self, form: Mapping[str, str], *, has_own_sender: bool = False) -> str:
        """Post a message and return its SID. has_own_sender: its sender is not the account's own."""
        answer = await self._call("POST", "Messages.json", form, has_own_sender=has_own_sender)
        sid = answer.get("sid")
        if not isinstance(sid, str) or not sid:
            raise Ambiguous("the provider took the message but named no id for it")
        return sid

    async def number(self, phone: str) -> Mapping[str, Any]:
        """Return our own number as Twilio has it. Raises Misconfigured where the account has no such number."""
        # The filter also finds longer numbers that hold this one.
        answer = await self._call("GET", f"IncomingPhoneNumbers.json?PhoneNumber={quote(phone, safe='')}")
        numbers: list[Mapping[str, Any]] = answer.get("incoming_phone_numbers") or []
        own_number = next((number for number in numbers if number.get("phone_number") == phone), None)
        if own_number is None:
            raise Misconfigured(f"the account has no number {phone}")
        return own_number

    async def try_credentials(self) -> None:
        """Make a small call that only the account's owner may make. Raises Misconfigured where the credentials are
        wrong.
        """
        await self._call("GET", "IncomingPhoneNumbers.json?PageSize=1")

    async def point(self, phone: str, url: str) -> None:
        """Point incoming messages of our number to `url`; an empty `url` turns them off."""
        number = await self.number(phone)
        # An application set on a number would win over its SmsUrl.
        form = {"SmsUrl": url, "SmsMethod": "POST", "SmsApplicationSid": ""}
        await self._call("POST", f"IncomingPhoneNumbers/{number['sid']}.json", form)

    def open_file(self, url: str, files: aiohttp.ClientSession) -> Pieces:
        """Return the bytes of a person's file. Only Twilio's own address gets the credentials, and leads on to another.

        Twilio docs: Media subresource.
        """
        if url.startswith(f"{self._root}/"):
            return download(self._http, url, self._headers, onward=files)
        return download(files, url)

    async def _call(
        self, method: str, path: str, form: Mapping[str, str] | None = None, *, has_own_sender: bool = False
    ) -> Mapping[str, Any]:
        reply = await wire.call(self._http, method, f"{self._root}/{path}", form=form, headers=self._headers)
        if reply.status not in OK:
            raise failure(reply, has_own_sender=has_own_sender)
        return reply.json if isinstance(reply.json, dict) else {}
