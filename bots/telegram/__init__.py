"""Telegram: a bot of ours, reached by its webhook and by the Bot API.

Bot API: https://core.telegram.org/bots/api. We can write to nobody before they have pressed Start. There is no reply
window, no template, no receipt, and nothing that makes a repeated send harmless.
"""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

from bots.telegram.inbound import webhook
from bots.telegram.outbound import pieces
from gateway.domain.channel.calls import Call, Parsed
from gateway.domain.channel.contract import Binding, Channel, Outside
from gateway.domain.channel.errors import Throttled, Unavailable
from gateway.domain.channel.facts import Facts
from gateway.domain.channel.rates import Limits, Rate
from gateway.domain.channel.secret import OwnSecret, Secret
from gateway.domain.channel.window import Window
from gateway.domain.model.event import Event, Inbound, Moved
from gateway.domain.model.identifier import Identifier
from gateway.domain.model.nouns import Address, Content, Media, Progress, TemplateMessage

if TYPE_CHECKING:
    from bots.telegram.outbound.sending import Sender

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LIMITS = Limits(account=Rate(30, SECOND), person=Rate(1, SECOND, burst=3), group=Rate(20, MINUTE, burst=3))
"""https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this.

It says that short bursts to one chat are let through, but not how short: an answer of three messages passes.
"""


def is_group(chat: str) -> bool:
    """Tell whether a chat id is that of a group or a channel: these are negative. Bot API: Chat."""
    return chat.startswith("-")


FACTS = Facts(
    name="telegram",
    title="Telegram",
    colour="#1d6fb3",
    window=Window(),
    receipts=Progress.SENT,
    needs_start=True,
    limits=LIMITS,
    is_group=is_group,
    shared_ids=True,
    # Bot API: deleteMessage.
    recalls=timedelta(hours=48),
    takes_reply=pieces.takes_reply,
    takes_uploads=True,
)

TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]{35}")
WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


class Account(Struct, frozen=True, forbid_unknown_fields=True):
    """One bot. `token` is BotFather's; `webhook_secret` is ours, and Telegram repeats it in every call.

    username: the bot's, for links that start a chat with it; without it there are no such links.
    """

    token: Secret
    webhook_secret: OwnSecret
    api_url: str = "https://api.telegram.org"
    username: str = ""

    def __post_init__(self) -> None:
        if not TOKEN.fullmatch(self.token.reveal()):
            raise ValueError("token: BotFather gives digits, a colon and 35 characters A-Z, a-z, 0-9, _ and -")
        if not WEBHOOK_SECRET.fullmatch(self.webhook_secret.reveal()):
            raise ValueError("webhook_secret: Telegram takes 1 to 256 characters A-Z, a-z, 0-9, _ and -")


@dataclass(frozen=True)
class Telegram:
    """The channel, bound to one bot."""

    account: str
    settings: Account
    sender: "Sender"
    report: Callable[[Event], Awaitable[None]]
    facts: Facts = FACTS

    def verify(self, call: Call) -> None:
        webhook.verify(self.settings.webhook_secret, call)

    def parse(self, call: Call) -> Parsed:
        return webhook.parse(self.account, call, self.settings.username.removeprefix("@"))

    def address_of(self, identifier: Identifier) -> Address | None:  # noqa: ARG002 - Telegram reaches nobody who has no chat
        return None

    def start_link(self, code: str) -> str | None:
        """Return the link that starts a chat with the bot and passes `code` on. Bot API: Deep linking.

        `code` has at most 64 characters A-Z, a-z, 0-9, _ and -. Returns None where the account has no username.
        """
        username = self.settings.username.removeprefix("@")
        return f"https://t.me/{username}?start={code}" if username else None

    split = staticmethod(pieces.split)

    async def send(self, address: Address, what: Content | TemplateMessage, *, key: str) -> str:  # noqa: ARG002
        """Send one piece and return its id. `key` is unused: Telegram cannot recognise a message that is sent twice.

        Too many messages to a group, which may have 20 in a minute, make that group wait and not the whole bot. A
        group is followed to the new id that it got as a supergroup, and the move is reported.
        """
        try:
            provider_id = await self.sender.send(address.user, what)
        except Throttled as error:
            if is_group(address.user):
                raise Unavailable(str(error), error.retry_after) from None
            raise
        if (chat := provider_id.partition("/")[0]) != address.user:
            await self.report(Moved(address, f"moved:{address.user}:{chat}", chat, datetime.now(UTC)))
        return provider_id

    async def recall(self, address: Address, provider_id: str) -> None:  # noqa: ARG002 - the id names the chat too
        await self.sender.recall(provider_id)

    async def open_file(self, media: Media) -> AsyncGenerator[bytes, None]:
        return await self.sender.open_file(media.id)

    async def acknowledge(self, event: Inbound) -> None:
        if event.callback_id is not None:
            await self.sender.answer(event.callback_id)

    async def bind(self, url: str) -> None:
        await self.sender.set_webhook(url, self.settings.webhook_secret)

    async def binding(self) -> Binding:
        return await self.sender.binding()

    async def unbind(self) -> None:
        await self.sender.delete_webhook()

    async def close(self) -> None:
        """Do nothing: the connections belong to the process."""


def open_accounts(accounts: Mapping[str, Account], outside: Outside) -> Mapping[str, Channel]:
    """Open every bot. Imports aiogram, which takes seconds and 170 MB, only where there is a bot."""
    if not accounts:
        return {}
    from bots.telegram.outbound.sending import Sender  # noqa: PLC0415 - see above

    def sender(account: Account) -> Sender:
        return Sender(account.token, account.api_url, outside.http, outside.files, load=outside.load)

    return {name: Telegram(name, account, sender(account), outside.report) for name, account in accounts.items()}
