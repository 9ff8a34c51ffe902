"""What the core asks of a messenger: one protocol, the facts that a channel declares, and how sending can fail."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from gateway.event import Event, Inbound
from gateway.message_template import MessageTemplate
from gateway.model import Address, Cause, Content, Progress, TemplateMessage
from gateway.window import Window

if TYPE_CHECKING:
    import aiohttp


@dataclass(frozen=True)
class Rate:
    """At most `count` sends in `per`, evenly spread; after a quiet spell up to `burst` may leave at once."""

    count: int
    per: timedelta
    burst: int = 1

    @property
    def interval(self) -> timedelta:
        """From one send to the next, in the long run."""
        return self.per / self.count


@dataclass(frozen=True)
class Limits:
    """How often a provider lets us send: from one account in all, to one person, to one group, as one template.

    None: it names no limit.
    """

    account: Rate | None = None
    person: Rate | None = None
    group: Rate | None = None
    template: Rate | None = None


def _no_group(_: str) -> bool:
    return False


@dataclass(frozen=True)
class Facts:
    """What a provider can do. The core decides by these, never by a channel's name.

    receipts: the furthest that the provider ever reports on a message (SENT = it reports nothing).
    needs_start: nobody can be written to before they have written to us.
    templates: the channel has provider-approved templates. intents: the provider's words for why we write although the
    window is shut, as far as this account may use them; the first is its default.
    idempotent: how long the provider knows our key again, so that the same message twice arrives once.
    echoes_key: its receipts carry our key, so that a message is recognised even if the answer to it was lost.
    limits: as the provider's documentation states them; an account's settings may change them.
    is_group: whether an address (its `user`) is a group chat and not a person.
    recalls: for how long after its sending a message can be taken back.
    may_send_as: whether a name or number may stand as the sender; None: people always see the account's own.
    parts: the short messages that a content is charged as, where that is more than its pieces.
    flat_values: what fills a template is on one line: line breaks, tabs and runs of spaces become one space.
    markup: the messenger itself shows *bold*, _italic_, ~struck~ and ```mono``` in any text.
    max_body: the largest webhook body in bytes.
    """

    name: str
    window: Window
    receipts: Progress
    needs_start: bool = False
    templates: bool = False
    intents: Sequence[str] = ()
    idempotent: timedelta = timedelta(0)
    echoes_key: bool = False
    limits: Limits = Limits()
    is_group: Callable[[str], bool] = _no_group
    recalls: timedelta = timedelta(0)
    may_send_as: Callable[[str], bool] | None = None
    parts: Callable[[Content], int] | None = None
    flat_values: bool = False
    markup: bool = False
    max_body: int = 1024 * 1024


@dataclass(frozen=True)
class Call:
    """A provider's HTTP request. `url` is the public one, as the provider saw it; header names in lower case.

    `received_at` stands in where a provider gives no time of its own.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What the provider wants to hear."""

    status: int = 200
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Parsed:
    """A call, taken apart: the events in it, and the answer once they are stored."""

    events: Sequence[Event] = ()
    answer: Answer = Answer()


@dataclass(frozen=True)
class Binding:
    """How the provider's side of an account stands: where it sends webhooks, and what is wrong, in words.

    url: "" where none is set, None where this account can have none. note: what an operator should know although
    nothing is wrong.
    """

    url: str | None = ""
    problems: Sequence[str] = ()
    note: str = ""


def webhook_url(public_url: str, channel: str, account: str) -> str:
    """Where the provider of this account calls us."""
    return f"{public_url}/webhooks/{channel}/{account}"


@dataclass(frozen=True)
class Outside:
    """What a channel is given to reach its provider, and by which the provider reaches us.

    files: for fetching what callers point at, see bots.files; it does not reach into our own network.
    """

    http: "aiohttp.ClientSession"
    public_url: str
    files: "aiohttp.ClientSession"

    def webhook_url(self, channel: str, account: str) -> str:
        return webhook_url(self.public_url, channel, account)


class Forged(Exception):
    """The proof is missing or wrong. 401, or 403 where the provider's documentation says so."""

    def __init__(self, reason: str, status: int = 401) -> None:
        super().__init__(reason)
        self.status = status


class Malformed(Exception):
    """The proof is right but this is not what the provider sends: not JSON, or not of the outer shape. 400."""


class SendError(Exception):
    """A message did not go out. The class says what happens next; the text says why, in words for operators."""

    cause: ClassVar[Cause]


class Unavailable(SendError):
    """Certainly not sent; worth trying again, after `retry_after` if the provider named a time."""

    cause = Cause.UNAVAILABLE

    def __init__(self, reason: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Throttled(Unavailable):
    """We call too often: certainly not sent, and not only this message but the whole account has to wait."""


class Refused(SendError):
    """Will never work for this message and address: the cascade moves on."""

    cause = Cause.REFUSED


class WindowClosed(Refused):
    """The provider says the reply window is shut: the session is corrected and the same rule picks the template."""

    cause = Cause.WINDOW_CLOSED


class Stopped(Refused):
    """The person has blocked us, unsubscribed, or never allowed us: the session is marked."""

    cause = Cause.STOPPED


class TemplateUnusable(Refused):
    """The template is missing, paused or disabled: it is marked, and the cascade moves on."""

    cause = Cause.TEMPLATE_UNUSABLE


class Misconfigured(SendError):
    """Our account is at fault (token, permission, payment): the account is held, its messages wait."""

    cause = Cause.MISCONFIGURED


class Ambiguous(SendError):
    """The request left and no answer came: it may have been sent. Never blindly sent again."""

    cause = Cause.AMBIGUOUS


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

    def at_phone(self, phone: str) -> Address | None:
        """The address of an E.164 phone number, on channels that reach people by their number."""

    def start_link(self, code: str) -> str | None:
        """The deep link that opens a chat with us and hands us `code`, where the messenger has such links."""

    def split(self, content: Content) -> Sequence[Content]:
        """Cut content into pieces that the provider accepts, in order; mostly one."""

    async def send(self, address: Address, what: Content | TemplateMessage, *, key: str) -> str:
        """Hand one piece to the provider; return its id of the message, unique within the account.

        `key` is ours and names this piece for ever. Raises SendError, and nothing else on the wire's account.
        """

    async def recall(self, address: Address, provider_id: str) -> None:
        """Take back a message of ours, where `facts.recalls` says that it can be. Raises SendError."""

    async def acknowledge(self, event: Inbound) -> None:
        """Tell the provider that an event was seen (stops the button's spinner, marks as read). May be repeated."""

    async def bind(self, url: str) -> None:
        """Point the provider's webhook for this account at `url`. Raises SendError."""

    async def binding(self) -> Binding:
        """Ask the provider how this account stands. Raises SendError."""

    async def unbind(self) -> None:
        """Take the provider's webhook away. Raises SendError."""

    async def close(self) -> None:
        """Let go of connections of its own."""


@dataclass(frozen=True)
class Verdict:
    """What a provider says of a template: its own word in lower case, and whether it can be sent by."""

    provider_id: str
    state: str
    usable: bool
    reason: str = ""


@runtime_checkable
class TemplateDesk(Protocol):
    """What an account offers besides, where its provider approves templates over an API."""

    def template_mistakes(self, template: MessageTemplate) -> Sequence[tuple[str, str]]:
        """What the provider would refuse, told without it: fields, and why."""

    async def submit_template(self, template: MessageTemplate) -> Verdict:
        """Hand it over to be approved: a new one, or a change of the one with its `provider_id`. Raises SendError."""

    async def listed_templates(self) -> Sequence[tuple[MessageTemplate, Verdict]]:
        """All that the provider has of the account. Raises SendError."""

    async def delete_template(self, template: MessageTemplate) -> None:
        """Take it away at the provider. Raises SendError."""


class ChannelPackage(Protocol):
    """What a folder of `bots` offers."""

    @property
    def Account(self) -> type[Any]:  # noqa: N802 - a class
        """The msgspec.Struct of one account's settings."""

    def open_accounts(self, accounts: Mapping[str, Any], outside: Outside) -> Mapping[str, Channel]:
        """Open every account of this channel, by name."""
