"""What the core asks of a messenger: one protocol, and what a channel is given to reach its provider."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from gateway.domain.channel.calls import Call, Parsed
from gateway.domain.channel.facts import Facts
from gateway.domain.channel.file import Load, load_nothing
from gateway.domain.model.event import Event, Inbound
from gateway.domain.model.identifier import Identifier
from gateway.domain.model.message_template import MessageTemplate
from gateway.domain.model.nouns import Address, Content, Media, TemplateMessage

if TYPE_CHECKING:
    import aiohttp


@dataclass(frozen=True)
class Binding:
    """How the provider's side of an account stands: where it sends webhooks, and what is wrong, in words.

    url: "" where none is set, None where this account can have none. note: what an operator should know although
    nothing is wrong. quality, tier: what the provider thinks of the account, and how many people it may write to, in
    the provider's own words, where it tells.
    """

    url: str | None = ""
    problems: Sequence[str] = ()
    note: str = ""
    quality: str = ""
    tier: str = ""


def webhook_url(public_url: str, channel: str, account: str) -> str:
    """Return the URL at which the provider of this account calls us."""
    return f"{public_url}/webhooks/{channel}/{account}"


async def _ignore(event: Event) -> None:
    """Do nothing with an event: what a channel reports to that is opened outside of a gateway."""


@dataclass(frozen=True)
class Outside:
    """What a channel is given to reach its provider, and by which the provider reaches us.

    files: for fetching what callers point at, see bots.wire.files; it does not reach into our own network.
    load: returns a file that was uploaded to us, for `Media.file`.
    report: takes an event that an answer of the provider's tells, as webhooks tell theirs; it never fails a send.
    """

    http: "aiohttp.ClientSession"
    public_url: str
    files: "aiohttp.ClientSession"
    report: Callable[[Event], Awaitable[None]] = _ignore
    load: Load = load_nothing

    def webhook_url(self, channel: str, account: str) -> str:
        return webhook_url(self.public_url, channel, account)


class Channel(Protocol):
    """One account of ours at one provider. The only interface between the core and the messengers."""

    @property
    def facts(self) -> Facts: ...

    @property
    def account(self) -> str: ...

    def verify(self, call: Call) -> None:
        """Raise Forged unless the provider made this call. Over the raw bytes, in constant time."""

    def parse(self, call: Call) -> Parsed:
        """Take a verified call apart. Raise Malformed only if nothing at all can be read from it."""

    def address_of(self, identifier: Identifier) -> Address | None:
        """Return where this account reaches a person by this identifier; None if it does not."""

    def start_link(self, code: str) -> str | None:
        """Return the deep link that opens a chat and hands us `code`; None where the messenger has no such links."""

    def split(self, content: Content) -> Sequence[Content]:
        """Cut content into pieces that the provider accepts, in order; mostly one."""

    async def send(self, address: Address, what: Content | TemplateMessage, *, key: str) -> str:
        """Send one piece through the provider. Returns the provider's id of the message, unique within the account.

        `key` is ours and names this piece for ever. Raises SendError, and nothing else whatever happens on the wire.
        """

    async def recall(self, address: Address, provider_id: str) -> None:
        """Take back a message of ours, where `facts.recalls` says that it can be. Raises SendError."""

    async def open_file(self, media: Media) -> AsyncGenerator[bytes, None]:
        """Return the bytes of a file that a person sent, in pieces; its first piece may raise SendError, too.

        Raises SendError: Refused where the file cannot be had any more, or never could.
        """

    async def acknowledge(self, event: Inbound) -> None:
        """Tell the provider that an event was seen (stops the button's spinner, marks as read). May be repeated."""

    async def bind(self, url: str) -> None:
        """Point the provider's webhook for this account at `url`. Raises SendError."""

    async def binding(self) -> Binding:
        """Ask the provider how this account stands. Raises SendError."""

    async def unbind(self) -> None:
        """Remove the provider's webhook for this account. Raises SendError."""

    async def close(self) -> None:
        """Close connections that the channel opened for itself."""


@dataclass(frozen=True)
class Verdict:
    """What a provider says of a template. state: its own word, in lower case. usable: messages can be sent by it."""

    provider_id: str
    state: str
    usable: bool
    reason: str = ""


@dataclass(frozen=True)
class TemplateBounds:
    """The largest number of characters that a provider allows in each part of a template, and of buttons."""

    header: int
    body: int
    footer: int
    button: int
    buttons: int


@runtime_checkable
class TemplateApprovals(Protocol):
    """What an account offers besides, where its provider approves templates over an API."""

    @property
    def template_bounds(self) -> TemplateBounds: ...

    def template_mistakes(self, template: MessageTemplate) -> Sequence[tuple[str, str]]:
        """Return what the provider would refuse, without asking it: pairs of a field and the reason."""

    async def submit_template(self, template: MessageTemplate) -> Verdict:
        """Submit a template for approval; one with a `provider_id` is changed there. Raises SendError."""

    async def list_templates(self) -> Sequence[tuple[MessageTemplate, Verdict]]:
        """Return all templates of the account at the provider. Raises SendError."""

    async def delete_template(self, template: MessageTemplate) -> None:
        """Delete a template at the provider. Raises SendError."""


class ChannelPackage(Protocol):
    """What a folder of `bots` offers."""

    @property
    def Account(self) -> type[Any]:  # noqa: N802 - a class
        """The msgspec.Struct of one account's settings."""

    def open_accounts(self, accounts: Mapping[str, Any], outside: Outside) -> Mapping[str, Channel]:
        """Open and return every account of this channel, by name."""
