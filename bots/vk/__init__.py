"""VK: the messages of a community of ours, reached by the Callback API and by VK's API.

https://dev.vk.com/ru/api/callback/getting-started, https://dev.vk.com/ru/method/messages.send. Nobody can be written
to before they have written to us or allowed it. VK asks communities to write within a day of the person's last
message, and later only for a reason that it knows (an intent). It reports nothing on our messages, but recognises a
message that is sent twice.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from bots.vk.account import INTENTS, Account, facts_of
from bots.vk.api import Api
from bots.vk.binding import Callbacks
from bots.vk.inbound import webhook
from bots.vk.inbound.events import NAME
from bots.vk.outbound import pieces
from bots.vk.outbound.sending import Sender
from bots.vk.outbound.uploads import Uploads
from bots.wire.downloads import download
from gateway.domain.channel.calls import Call, Parsed
from gateway.domain.channel.contract import Binding, Channel, Outside
from gateway.domain.channel.errors import Refused
from gateway.domain.channel.facts import Facts
from gateway.domain.model.event import Inbound
from gateway.domain.model.identifier import Identifier
from gateway.domain.model.nouns import Address, Content, Media, TemplateMessage

if TYPE_CHECKING:
    import aiohttp

__all__ = ["INTENTS", "Account", "Vk", "open_accounts"]


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
    files: "aiohttp.ClientSession"

    def verify(self, call: Call) -> None:
        webhook.verify(self.settings.group_id, self.settings.secret, call)

    def parse(self, call: Call) -> Parsed:
        return webhook.parse(self.account, self.settings.confirmation, call)

    def address_of(self, identifier: Identifier) -> Address | None:  # noqa: ARG002 - VK reaches nobody who has no chat
        return None

    def start_link(self, code: str) -> str | None:
        """Return the link that opens a chat; VK repeats `code` as `ref` in the person's first message. It names no
        limit.
        """
        name = self.settings.screen_name or f"club{self.settings.group_id}"
        return f"https://vk.me/{name}?ref={quote(code, safe='')}"

    split = staticmethod(pieces.split)

    async def send(self, address: Address, what: Content | TemplateMessage, *, key: str) -> str:
        return await self.sender.send(address, what, key)

    async def recall(self, address: Address, provider_id: str) -> None:  # noqa: ARG002 - the id names the peer too
        await self.sender.recall(provider_id)

    async def open_file(self, media: Media) -> AsyncGenerator[bytes, None]:
        """Return the bytes of a file. VK gives no address of a video."""
        if not media.url:
            raise Refused("VK gives no address of this file")
        return download(self.files, media.url)

    async def acknowledge(self, event: Inbound) -> None:
        await self.sender.acknowledge(event)

    async def bind(self, url: str) -> None:
        await self.callbacks.bind(url)

    async def binding(self) -> Binding:
        return await self.callbacks.binding(self.webhook_url)

    async def unbind(self) -> None:
        await self.callbacks.unbind(self.webhook_url)

    async def close(self) -> None:
        """Cancel the uploads that nobody waits for any more."""
        await self.uploads.close()


def open_accounts(accounts: Mapping[str, Account], outside: Outside) -> Mapping[str, Channel]:
    """Open and return every community."""
    return {name: _open_account(name, account, outside) for name, account in accounts.items()}


def _open_account(name: str, account: Account, outside: Outside) -> Vk:
    api = Api(outside.http, account.api_url, account.access_token, account.version)
    uploads = Uploads(api, outside.http, outside.files, outside.load)
    callbacks = Callbacks(api, account.group_id, account.secret, account.confirmation, account.version)
    url = outside.webhook_url(NAME, name)
    return Vk(name, account, facts_of(account), Sender(api, uploads), uploads, callbacks, url, outside.files)
