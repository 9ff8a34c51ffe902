"""Viber: a bot of ours, reached by its webhook and by the REST Bot API.

REST Bot API: https://developers.viber.com/docs/api/rest-bot-api. Only subscribers can be written to, and people
subscribe by writing first. A session of 24 hours from their first message is free; later messages are charged.
"""

import re
from collections.abc import AsyncGenerator, Mapping
from datetime import timedelta
from urllib.parse import quote

import msgspec
from msgspec import Struct

from bots.viber import binding
from bots.viber.api import Api
from bots.viber.inbound import webhook
from bots.viber.outbound import messages, pieces
from bots.viber.outbound.broadcast import Outbox
from bots.viber.outbound.media import look_at
from bots.wire.cutting import units
from bots.wire.downloads import download
from gateway.domain.channel.calls import Answer, Call, Parsed
from gateway.domain.channel.contract import Binding, Channel, Outside
from gateway.domain.channel.errors import Refused
from gateway.domain.channel.facts import Facts
from gateway.domain.channel.secret import Secret
from gateway.domain.channel.web import is_address
from gateway.domain.channel.window import Mode, Window
from gateway.domain.model.event import Inbound
from gateway.domain.model.identifier import Identifier
from gateway.domain.model.nouns import Address, Content, Media, Progress, TemplateMessage

MAX_NAME = 28
"""Characters of a sender's name. REST Bot API: General send message parameters."""

FACTS = Facts(
    name=webhook.NAME,
    title="Viber",
    colour="#6a4cc0",
    window=Window(Mode.BILLING, timedelta(hours=24), rolling=False),
    receipts=Progress.READ,
    needs_start=True,
    may_send_as=lambda name: bool(name.strip()) and len(name) <= MAX_NAME,
    presses="typed",
)
"""No limits, because Viber's are not rates of messages: it counts broadcast calls (500 in ten seconds, each of up to
300 people), and 100 messages to one person in an hour without a reply. REST Bot API: Send Message, Broadcast.
"""

TOKEN = re.compile(r"[A-Za-z0-9-]+")
URI = re.compile(r"[^\s/?&=@]*")
WELCOME = "Hello! Press Start to talk to us."


class Account(Struct, frozen=True, forbid_unknown_fields=True):
    """One bot. `auth_token` is Viber's; `name` (28 characters) and `avatar` (a URL) are shown as the sender.

    uri: the bot's chat URI, for links that open a chat with it; without it there are no such links.
    welcome: the text for people who open the chat and are not subscribed; a Start button is shown under it.
    broadcast: whether the same message to many people may go out as one call; Viber allows it account by account.
    """

    auth_token: Secret
    name: str
    avatar: str = ""
    uri: str = ""
    api_url: str = "https://chatapi.viber.com/pa"
    welcome: str = WELCOME
    broadcast: bool = True

    def __post_init__(self) -> None:
        if not TOKEN.fullmatch(self.auth_token.reveal()):
            raise ValueError("auth_token: Viber's consist of letters, digits and dashes")
        if not URI.fullmatch(self.uri):
            raise ValueError("uri: only the bot's own name is needed, without viber:// around it")
        if not self.name.strip() or len(self.name) > MAX_NAME:
            raise ValueError(f"name: the sender's name has 1 to {MAX_NAME} characters")
        if self.avatar and not is_address(self.avatar):
            raise ValueError("avatar: the address of a picture is needed, as in https://shop.ru/logo.png")
        if not self.welcome.strip() or units(self.welcome) > pieces.MAX_TEXT:
            raise ValueError(f"welcome: a text of 1 to {pieces.MAX_TEXT} characters is needed")

    @property
    def sender(self) -> messages.Json:
        """Return the sender's fields of a message. REST Bot API: General send message parameters."""
        return {"name": self.name} | ({"avatar": self.avatar} if self.avatar else {})


class Viber:
    """The channel, bound to one bot."""

    facts = FACTS

    def __init__(self, account: str, settings: Account, outside: Outside) -> None:
        self.account = account
        self._settings = settings
        self._api = Api(outside.http, settings.api_url, settings.auth_token)
        self._files = outside.files
        self._outbox = Outbox(self._api, self._build_message, broadcast=settings.broadcast)

    def verify(self, call: Call) -> None:
        webhook.verify(self._settings.auth_token, call)

    def parse(self, call: Call) -> Parsed:
        return webhook.parse(self.account, call, self._welcome)

    def address_of(self, identifier: Identifier) -> Address | None:  # noqa: ARG002 - Viber reaches nobody who has no chat
        return None

    def start_link(self, code: str) -> str | None:
        """Return the link that opens a chat; Viber repeats `code` in `conversation_started`. Viber docs: Deep Links.

        Returns None where the account has no uri.
        """
        uri = self._settings.uri
        return f"viber://pa?chatURI={quote(uri, safe='')}&context={quote(code, safe='')}" if uri else None

    split = staticmethod(pieces.split)

    async def send(self, address: Address, what: Content | TemplateMessage, *, key: str) -> str:
        if isinstance(what, TemplateMessage):
            raise Refused("Viber has no templates")
        return await self._outbox.send(address.user, what, key)

    async def recall(self, address: Address, provider_id: str) -> None:
        """Do nothing: the REST Bot API has no call that deletes a message."""

    async def open_file(self, media: Media) -> AsyncGenerator[bytes, None]:
        """Return the bytes of a file. A sticker has only a number."""
        if not media.url:
            raise Refused("Viber gives no address of this file")
        return download(self._files, media.url)

    async def acknowledge(self, event: Inbound) -> None:
        """Do nothing: nobody waits for an acknowledgement."""

    async def bind(self, url: str) -> None:
        """Set the webhook. Viber calls `url` before it answers, so the gateway has to be running."""
        await self._api.call("set_webhook", binding.request(url))

    async def binding(self) -> Binding:
        return binding.read(await self._api.call("get_account_info", {}), self._settings.uri)

    async def unbind(self) -> None:
        await self._api.call("set_webhook", {"url": ""})

    async def close(self) -> None:
        await self._outbox.close()

    async def _build_message(self, content: Content) -> messages.Json:
        """Return the message in Viber's format, without its receiver. Raises Refused."""
        file = await look_at(self._files, content.media) if content.media else None
        return messages.render(self._settings.sender, content, file)

    def _welcome(self, context: str) -> Answer:
        message = messages.welcome(self._settings.sender, self._settings.welcome, context)
        return Answer(body=msgspec.json.encode(message).decode(), content_type="application/json")


def open_accounts(accounts: Mapping[str, Account], outside: Outside) -> Mapping[str, Channel]:
    """Open and return every bot."""
    return {name: Viber(name, account, outside) for name, account in accounts.items()}
