"""VK: the messages of a community of ours, reached by the Callback API and by VK's API.

https://dev.vk.com/ru/api/callback/getting-started, https://dev.vk.com/ru/method/messages.send. Nobody can be written
to before they have written to us or allowed it. VK asks communities to write within a day of the person's last
message, and later only for a reason that it knows (an intent); it reports nothing on our messages, but knows a message
again that comes twice.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from msgspec import Struct

from bots.vk import inbound, pieces
from bots.vk.api import Api
from bots.vk.binding import Callbacks
from bots.vk.outbound import Sender
from bots.vk.uploads import Uploads
from gateway.channel import Binding, Call, Channel, Facts, Outside, Parsed
from gateway.model import Address, Content, Inbound, Progress, TemplateMessage
from gateway.settings import OwnSecret, Secret
from gateway.window import Mode, Window

INTENTS = (
    "promo_newsletter",
    "non_promo_newsletter",
    "confirmed_notification",
    "purchase_update",
    "account_update",
    "customer_support",
    "finance_notification",
    "game_notification",
    "moderated_newsletter",
    "bot_ad_promo",
    "bot_ad_invite",
)
"""VK API: messages.send, `intent`."""

IDEMPOTENT = timedelta(minutes=30)
"""VK knows a random_id again for an hour; half of it leaves room for messages that were long on their way."""

SECRET = re.compile(r"[A-Za-z0-9]{1,50}")
CONFIRMATION = re.compile(r"[A-Za-z0-9]+")
VERSION = re.compile(r"5\.\d{1,3}")
SCREEN_NAME = re.compile(r"[A-Za-z0-9_.]*")
MAX_HOURS = 24 * 365


class Account(Struct, frozen=True, forbid_unknown_fields=True):
    """One community.

    access_token: a key of the community's, with the rights to its messages, photos, documents and management.
    secret: ours; VK repeats it in every call. confirmation: "String to be returned", which VK wants to hear from us.
    screen_name: the community's, for links that start a chat with it. intents: those that VK has granted.
    window_hours: for how long after a person's message VK's rules let us write freely; 0 for no end.
    """

    group_id: int
    access_token: Secret
    secret: OwnSecret
    confirmation: str
    api_url: str = "https://api.vk.ru"
    version: str = "5.199"
    screen_name: str = ""
    intents: tuple[str, ...] = ()
    window_hours: int = 24

    def __post_init__(self) -> None:
        if self.group_id <= 0:
            raise ValueError("group_id: the community's number is needed, without a minus")
        if not SECRET.fullmatch(self.secret.reveal()):
            raise ValueError("secret: VK takes up to 50 characters A-Z, a-z and 0-9, nothing else")
        if not CONFIRMATION.fullmatch(self.confirmation):
            raise ValueError("confirmation: the string is needed that VK wants to have returned, of letters and digits")
        if not VERSION.fullmatch(self.version):
            raise ValueError("version: a version of VK's API is needed, as in 5.199")
        if not SCREEN_NAME.fullmatch(self.screen_name):
            raise ValueError("screen_name: only the name is needed, as in vk.com/<name>")
        if unknown := [intent for intent in self.intents if intent not in INTENTS]:
            raise ValueError(f"intents: VK has no {', '.join(unknown)}; it has {', '.join(INTENTS)}")
        if not 0 <= self.window_hours <= MAX_HOURS:
            raise ValueError(f"window_hours: a number of hours up to {MAX_HOURS} is needed, or 0 for no window")


@dataclass(frozen=True)
class Vk:
    """The channel, bound to one community."""

    account: str
    settings: Account
    facts: Facts
    sender: Sender
    uploads: Uploads
    callbacks: Callbacks
    webhook_url: str

    def verify(self, call: Call) -> None:
        inbound.verify(self.settings.group_id, self.settings.secret, call)

    def parse(self, call: Call) -> Parsed:
        return inbound.parse(self.account, self.settings.confirmation, call)

    def at_phone(self, phone: str) -> Address | None:  # noqa: ARG002 - VK does not reach people by number
        return None

    def start_link(self, code: str) -> str | None:
        """VK hands us `ref` with the person's first message after the link; it names no limit to its length."""
        name = self.settings.screen_name or f"club{self.settings.group_id}"
        return f"https://vk.me/{name}?ref={quote(code, safe='')}"

    def split(self, content: Content) -> Sequence[Content]:
        return pieces.split(content)

    async def send(self, address: Address, what: Content | TemplateMessage, *, key: str) -> str:
        return await self.sender.send(address, what, key)

    async def acknowledge(self, event: Inbound) -> None:
        await self.sender.acknowledge(event)

    async def bind(self, url: str) -> None:
        await self.callbacks.bind(url)

    async def binding(self) -> Binding:
        return await self.callbacks.binding(self.webhook_url)

    async def unbind(self) -> None:
        await self.callbacks.unbind(self.webhook_url)

    async def close(self) -> None:
        """Uploads that nobody waits for any more are given up."""
        await self.uploads.close()


def facts_of(account: Account) -> Facts:
    window = Window(Mode.POLICY, timedelta(hours=account.window_hours)) if account.window_hours else Window()
    return Facts(
        name=inbound.NAME,
        window=window,
        receipts=Progress.SENT,
        needs_start=True,
        intents=account.intents,
        idempotent=IDEMPOTENT,
    )


def open_accounts(accounts: Mapping[str, Account], outside: Outside) -> Mapping[str, Channel]:
    """Open every community."""
    return {name: _opened(name, account, outside) for name, account in accounts.items()}


def _opened(name: str, account: Account, outside: Outside) -> Vk:
    api = Api(outside.http, account.api_url, account.access_token, account.version)
    uploads = Uploads(api, outside.http, outside.files)
    callbacks = Callbacks(api, account.group_id, account.secret, account.confirmation, account.version)
    url = outside.webhook_url(inbound.NAME, name)
    return Vk(name, account, facts_of(account), Sender(api, uploads), uploads, callbacks, url)
