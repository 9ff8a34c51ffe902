"""SMS through Twilio, or any provider that speaks its HTTP API."""

from collections.abc import AsyncGenerator, Mapping
from urllib.parse import urlencode

from bots.sms import inbound, outbound
from bots.sms.numbers import is_phone, is_sender, is_service
from bots.sms.outbound import Account, Api
from gateway.domain.channel.calls import Call, Parsed
from gateway.domain.channel.contract import Binding, Channel, Outside
from gateway.domain.channel.errors import TemplateUnusable
from gateway.domain.channel.facts import Facts
from gateway.domain.channel.window import Window
from gateway.domain.model.event import Inbound
from gateway.domain.model.identifier import Identifier
from gateway.domain.model.nouns import Address, Content, Media, Progress, TemplateMessage

__all__ = ["FACTS", "Account", "Sms", "open_accounts"]

FACTS = Facts(
    name=inbound.NAME,
    title="SMS",
    colour="#97570c",
    window=Window(),
    receipts=Progress.DELIVERED,
    echoes_key=True,
    may_send_as=is_sender,
    reaches=("phone",),
    identifier_of=inbound.identifier_of,
    shared_ids=True,
    parts=outbound.segment_count,
    presses="numbered",
    max_body=64 * 1024,
)
"""No limits: Twilio queues for up to ten hours what a sender may not send yet (a US number sends one segment a second,
a short code a hundred), and refuses a message only where the queue is full. https://www.twilio.com/docs/api/errors/21611
"""


class Sms:
    """The channel, bound to one sender."""

    facts = FACTS

    def __init__(self, name: str, account: Account, outside: Outside) -> None:
        self.account = name
        self._settings = account
        self._api = Api(outside.http, account)
        self._files = outside.files
        self._webhook_url = outside.webhook_url(FACTS.name, name)

    def verify(self, call: Call) -> None:
        inbound.verify(self._settings.auth_token, call)

    def parse(self, call: Call) -> Parsed:
        return inbound.parse(self.account, call)

    def address_of(self, identifier: Identifier) -> Address | None:
        phone = identifier.partition("phone:")[2]
        return Address(FACTS.name, self.account, phone) if phone else None

    def start_link(self, code: str) -> str | None:  # noqa: ARG002 - a text message has no such links
        return None

    split = staticmethod(outbound.split)

    async def send(self, address: Address, what: Content | TemplateMessage, *, key: str) -> str:
        if isinstance(what, TemplateMessage):
            raise TemplateUnusable("text messages have no templates")
        # Twilio repeats nothing of ours but this address, so the key travels in it.
        callback = f"{self._webhook_url}?{urlencode({'key': key})}"
        form = outbound.render(self._settings.sender, address.user, what, callback)
        return await self._api.send(form, has_own_sender=bool(what.sender))

    async def recall(self, address: Address, provider_id: str) -> None:
        """Do nothing: a text that was sent stays sent.

        Twilio cancels only messages that wait for their SendAt, and deleting a Message only deletes it from Twilio's
        own log. Twilio docs: Messages resource.
        """

    async def open_file(self, media: Media) -> AsyncGenerator[bytes, None]:
        return self._api.open_file(media.url, self._files)

    async def acknowledge(self, event: Inbound) -> None:
        """Do nothing: nobody waits for an acknowledgement."""

    async def bind(self, url: str) -> None:
        if is_phone(self._settings.sender):
            await self._api.point(self._settings.sender, url)

    async def binding(self) -> Binding:
        sender = self._settings.sender
        if not is_phone(sender):
            await self._api.try_credentials()
            return Binding(None, note=_unbound_note(sender, self._webhook_url))
        number = await self._api.number(sender)
        capable = (number.get("capabilities") or {}).get("sms", True)
        return Binding(number.get("sms_url") or "", [] if capable else [f"{sender} cannot send messages"])

    async def unbind(self) -> None:
        if is_phone(self._settings.sender):
            await self._api.point(self._settings.sender, "")

    async def close(self) -> None:
        """Do nothing: the channel owns no connections."""


def open_accounts(accounts: Mapping[str, Account], outside: Outside) -> Mapping[str, Channel]:
    """Open and return every account of this channel, by name."""
    return {name: Sms(name, account, outside) for name, account in accounts.items()}


def _unbound_note(sender: str, url: str) -> str:
    if is_service(sender):
        return f"a messaging service keeps its own webhook: set it in the provider's console to {url}"
    return f"{sender} receives no messages; there is nothing to bind"
