"""What providers tell us: a provider's call becomes these. Plain values."""

from datetime import datetime
from functools import cached_property
from typing import Protocol

from msgspec import Struct

from gateway.domain.commands.command import Command, read_command
from gateway.domain.model.identifier import Identifier
from gateway.domain.model.nouns import Address, Cause, Content, Progress


class Person(Struct, frozen=True, omit_defaults=True):
    """What a provider tells of the person behind an address. A phone number is E.164 with its plus."""

    name: str = ""
    identifiers: tuple[Identifier, ...] = ()
    language: str = ""


class Identified(Protocol):
    """What every event has: our account, and the provider's identity of the event within it."""

    @property
    def channel(self) -> str: ...

    @property
    def account(self) -> str: ...

    @property
    def id(self) -> str: ...


class Reported(Struct, frozen=True, omit_defaults=True):
    """The base of all that a provider tells us."""

    @property
    def dedupe_key(self: Identified) -> str:
        """Under which an event is stored once: the provider's identity of it within our account."""
        return f"{self.channel}:{self.account}:{self.id}"


class Personal(Reported, frozen=True, omit_defaults=True):
    """The base of events about one person: those are worked on one after another."""

    address: Address

    @property
    def channel(self) -> str:
        return self.address.channel

    @property
    def account(self) -> str:
        return self.address.account

    @property
    def lane(self) -> str:
        return self.address.key


class Inbound(Personal, frozen=True, omit_defaults=True, tag="inbound", tag_field="event", dict=True):
    """A person wrote, pressed or sent something.

    `id` is the provider's identity of this event and the key of the dedupe; `provider_id` names the message.
    `kind` is the provider's own word ("text", "sticker", "callback_query"). `start` is set where the provider
    itself says "the person pressed Start": the deep link's code, or "". `pressed` is a pressed button's reply;
    `callback_id` what the provider wants acknowledged. `at` is the provider's own time.
    """

    id: str
    provider_id: str
    content: Content
    at: datetime
    kind: str = "text"
    person: Person = Person()
    start: str | None = None
    pressed: str | None = None
    callback_id: str | None = None
    raw: str = ""

    @cached_property
    def command(self) -> Command:
        """What the person asks the bot for."""
        return read_command(self.content.text, self.pressed, self.start)


class Subscription(Personal, frozen=True, omit_defaults=True, tag="subscription", tag_field="event"):
    """The provider says that a person may be written to (`active`), or has blocked us."""

    id: str
    active: bool
    at: datetime
    raw: str = ""


class Preference(Personal, frozen=True, omit_defaults=True, tag="preference", tag_field="event"):
    """The provider says that a person wants no `marketing` from us, or wants it again."""

    id: str
    marketing: bool
    at: datetime
    raw: str = ""


class Visit(Personal, frozen=True, omit_defaults=True, tag="visit", tag_field="event"):
    """A person has opened our chat, and that is all: it neither starts a session nor allows us to write.

    `start` is the code of the deep link that brought them.
    """

    id: str
    at: datetime
    start: str = ""
    person: Person = Person()
    raw: str = ""


class Echo(Personal, frozen=True, omit_defaults=True, tag="echo", tag_field="event"):
    """A message went to a person in our account's name: one of ours, or one that an operator wrote elsewhere."""

    id: str
    provider_id: str
    content: Content
    at: datetime
    raw: str = ""


class Receipt(Reported, frozen=True, omit_defaults=True, tag="receipt", tag_field="event"):
    """The provider's word on a message of ours. `key` is our own key, where the provider echoes it."""

    channel: str
    account: str
    id: str
    provider_id: str
    progress: Progress
    at: datetime
    reason: str = ""
    cause: Cause | None = None
    key: str = ""
    raw: str = ""

    @property
    def lane(self) -> str:
        return f"{self.channel}:{self.account}:{self.provider_id}"


class TemplateChange(Reported, frozen=True, omit_defaults=True, tag="template", tag_field="event"):
    """The provider changed the state of a template. `state` is its own word in lower case."""

    channel: str
    account: str
    id: str
    name: str
    language: str
    usable: bool
    state: str
    at: datetime
    reason: str = ""
    raw: str = ""

    @property
    def lane(self) -> str:
        return f"{self.channel}:{self.account}:{self.name}"


class Unrecognised(Reported, frozen=True, omit_defaults=True, tag="unrecognised", tag_field="event"):
    """Something that we have no word for. Kept and counted, so that nothing is lost by our ignorance."""

    channel: str
    account: str
    id: str
    kind: str
    at: datetime
    raw: str = ""

    @property
    def lane(self) -> str:
        return f"{self.channel}:{self.account}:{self.id}"


Event = Inbound | Subscription | Preference | Visit | Echo | Receipt | TemplateChange | Unrecognised
