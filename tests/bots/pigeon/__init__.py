"""Pigeon post: a made-up provider, and the smallest channel there can be. Start a new one from it.

It takes `POST <api_url>/letters {"to", "text", "ref"}` under the header X-Loft-Secret and answers `{"id"}`. Under the
same header it calls us with a list of events: `{"kind": "letter", "id", "from", "text"}` when a person writes, and
`{"kind": "report", "id", "ref", "arrived"}` on a letter of ours.
"""

import hmac
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

import msgspec
from msgspec import Struct

from bots.wire import wire
from gateway.domain.channel.calls import Call, Forged, Malformed, Parsed
from gateway.domain.channel.contract import Binding, Channel, Outside
from gateway.domain.channel.errors import Ambiguous, Misconfigured, Refused, TemplateUnusable, Throttled
from gateway.domain.channel.facts import Facts
from gateway.domain.channel.secret import Secret
from gateway.domain.channel.window import Window
from gateway.domain.model.event import Event, Inbound, Person, Receipt, Unrecognised
from gateway.domain.model.identifier import Identifier, find, identifier
from gateway.domain.model.nouns import Address, Content, Media, Progress, TemplateMessage

LOFT = "loft"
"""The kind of identifier by which pigeons find people: no other channel and nothing of the core has heard of it."""

FACTS = Facts(
    name="pigeon",
    title="Pigeon post",
    colour="#5d6472",
    window=Window(),
    receipts=Progress.DELIVERED,
    echoes_key=True,
    reaches=(LOFT,),
    identifier_of=lambda user: identifier(LOFT, user),
    shows=("subject",),
)


class Account(Struct, frozen=True, forbid_unknown_fields=True):
    """One loft of ours. `secret`: goes with every call, in both directions."""

    secret: Secret
    api_url: str


class Letter(Struct, tag="letter", tag_field="kind"):
    id: str
    sender: str = msgspec.field(name="from")
    text: str = ""


class Report(Struct, tag="report", tag_field="kind"):
    id: str
    arrived: bool
    ref: str = ""


@dataclass(frozen=True)
class Pigeon:
    """The channel, bound to one loft."""

    account: str
    settings: Account
    outside: Outside
    facts: Facts = FACTS

    def verify(self, call: Call) -> None:
        secret, own_secret = call.headers.get("x-loft-secret", ""), self.settings.secret.reveal()
        if not hmac.compare_digest(secret.encode(), own_secret.encode()):
            raise Forged("X-Loft-Secret is missing or wrong")

    def parse(self, call: Call) -> Parsed:
        try:
            items = msgspec.json.decode(call.body, type=list[msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Malformed(str(error)) from None
        return Parsed([self._event(bytes(item), call) for item in items])

    def _event(self, raw: bytes, call: Call) -> Event:
        """Read one item. What cannot be read is kept raw, and does not lose its neighbours."""
        name, at, text = FACTS.name, call.received_at, raw.decode(errors="replace")
        try:
            item = msgspec.json.decode(raw, type=Letter | Report)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Unrecognised(name, self.account, sha256(raw).hexdigest(), "unreadable", at, text)
        if isinstance(item, Report):
            reached = Progress.DELIVERED if item.arrived else Progress.FAILED
            reason = "" if item.arrived else "the pigeon came back with the letter"
            return Receipt(
                name, self.account, f"{item.id}:{reached.name}", item.id, reached, at, reason, key=item.ref, raw=text
            )
        address, person = Address(name, self.account, item.sender), Person(identifiers=(identifier(LOFT, item.sender),))
        return Inbound(address, item.id, item.id, Content(item.text), at, person=person, raw=text)

    def address_of(self, identifier: Identifier) -> Address | None:
        loft = find([identifier], LOFT)
        return Address(FACTS.name, self.account, loft) if loft else None

    def start_link(self, code: str) -> str | None:
        """Return None: pigeons carry no links."""

    def split(self, content: Content) -> Sequence[Content]:
        return [content]

    async def send(self, address: Address, what: Content | TemplateMessage, *, key: str) -> str:
        if isinstance(what, TemplateMessage):
            raise TemplateUnusable("pigeons carry no templates")
        reply = await self._call("POST", "letters", {"to": address.user, "text": _body_of(what), "ref": key})
        return str(reply.json["id"])

    async def recall(self, address: Address, provider_id: str) -> None:
        """Do nothing: a pigeon under way cannot be called back."""

    async def open_file(self, media: Media) -> AsyncGenerator[bytes, None]:  # noqa: ARG002 - there are none
        raise Refused("pigeons carry no files")

    async def acknowledge(self, event: Inbound) -> None:
        """Do nothing: nobody waits for an acknowledgement."""

    async def bind(self, url: str) -> None:
        await self._call("PUT", "webhook", {"url": url})

    async def binding(self) -> Binding:
        return Binding((await self._call("GET", "webhook")).json["url"])

    async def unbind(self) -> None:
        await self.bind("")

    async def close(self) -> None:
        """Do nothing: the HTTP session is shared."""

    async def _call(self, method: str, path: str, json: Mapping[str, str] | None = None) -> wire.Reply:
        """Return the provider's response. Raises the SendError that says what has to happen next."""
        headers = {"X-Loft-Secret": self.settings.secret.reveal()}
        reply = await wire.call(
            self.outside.http, method, f"{self.settings.api_url}/{path}", json=json, headers=headers
        )
        match reply.status:
            case 200 if isinstance(reply.json, dict):
                return reply
            case 401:
                raise Misconfigured("the loft does not know our secret")
            case 422:
                raise Refused("no pigeon flies there")
            case 503:
                raise Throttled("all pigeons are out", reply.retry_after or timedelta(seconds=1))
        raise Ambiguous(f"the loft answered {reply.status}; the pigeon may have left")


def _body_of(content: Content) -> str:
    """Return everything in a message as plain text."""
    media = content.media.url if content.media else ""
    buttons = (f"{button.text} {button.url}".strip() for button in content.buttons)
    return "\n".join(filter(None, [content.subject, content.text, media, *buttons]))


def open_accounts(accounts: Mapping[str, Account], outside: Outside) -> Mapping[str, Channel]:
    return {name: Pigeon(name, account, outside) for name, account in accounts.items()}
