"""Events: what providers report to us, as plain values."""

from datetime import datetime
from functools import cached_property
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from gateway.domain.commands.command import Command, is_slash, read_command
from gateway.domain.commands.keywords import keyword
from gateway.domain.model.identifier import Identifier
from gateway.domain.model.nouns import Address, Cause, Content, Progress

LONGEST_START = 2
"""Words of a start command: the command itself, and the code of a link."""


class Person(Struct, frozen=True, omit_defaults=True):
    """What a provider reports of the person behind an address. A phone number is E.164 with its plus."""

    name: str = ""
    identifiers: tuple[Identifier, ...] = ()
    language: str = ""


class Identified(Protocol):
    """The fields of every event: our account, and the provider's id of the event within it."""

    @property
    def channel(self) -> str: ...

    @property
    def account(self) -> str: ...

    @property
    def id(self) -> str: ...


class Reported(Struct, frozen=True, omit_defaults=True, dict=True):
    """The base of all events."""

    @cached_property
    def dedupe_key(self: Identified) -> str:
        """Return the key under which an event is stored once: the provider's id of it within our account."""
        return f"{self.channel}:{self.account}:{self.id}"


class Personal(Reported, frozen=True, omit_defaults=True):
    """The base of events about one person, which are worked on one after another."""

    address: Address

    @property
    def channel(self) -> str:
        return self.address.channel

    @property
    def account(self) -> str:
        return self.address.account

    @cached_property
    def lane(self) -> str:
        return self.address.key


class Inbound(Personal, frozen=True, omit_defaults=True, tag="inbound", tag_field="event"):
    """A person wrote, pressed or sent something.

    `id` is the provider's id of this event, by which it is deduplicated; `provider_id` names the message.
    `kind` is the provider's own word ("text", "sticker", "callback_query"). `start` is set where the provider
    itself says "the person pressed Start": the deep link's code, or "". `pressed` is a pressed button's reply;
    `callback_id` what the provider wants acknowledged. `album` names the album that the message is a part of, where
    each file of one comes as a message of its own. `at` is the provider's own time.

    group: it was said in a group, which the core sets by `Facts.is_group`. author: the provider's id of who said it
    there. addressed: it names our account (True) or another (False) as the one that it is for; None if it names nobody.
    automatic: nobody said it: a bot, or what the provider copies from elsewhere.
    own: what the person wrote themself, where the text holds more than that: what they forward, or what is written on a
    thing that they send. None where all of it is theirs.
    handled: the command that the provider has recognised itself, and answered: "start", "stop" or "help".
    """

    id: str
    provider_id: str
    content: Content
    at: datetime
    kind: str = "text"
    album: str = ""
    person: Person = Person()
    start: str | None = None
    pressed: str | None = None
    callback_id: str | None = None
    group: bool = False
    author: str = ""
    addressed: bool | None = None
    automatic: bool = False
    own: str | None = None
    handled: str = ""
    raw: str = ""

    @property
    def said(self) -> str:
        """Return the person's own words: only those may be a command."""
        return self.content.text if self.own is None else self.own

    @cached_property
    def command(self) -> Command:
        """Return what our bot is asked for. In a group that takes a slash command, a button, or our name."""
        if self.handled:
            return Command(self.handled, "")
        no_command = Command("", self.content.text.strip())
        if self.automatic or self.addressed is False:
            return no_command
        command = read_command(self.said, self.pressed, self.start)
        if self.group and not (self._is_for_us or is_slash(self.said)):
            return no_command
        return no_command if not command.name and self.pressed is None else command

    @property
    def only_starts(self) -> bool:
        """Return whether the person has opened the chat, by a link or with a bare command, and said nothing."""
        if self.command.name != "start" or self.content.media:
            return False
        words = self.said.split()
        by_link = self.start is not None and (not words or keyword(self.said) == "start")
        return by_link or (is_slash(self.said) and len(words) <= LONGEST_START)

    @cached_property
    def asks(self) -> bool:
        """Return whether the bot is to answer: not what nobody said or the provider has answered, nor small talk."""
        if self.automatic or self.handled:
            return False
        return not self.group or self._is_for_us or bool(self.command.name)

    @property
    def _is_for_us(self) -> bool:
        return self.addressed is True or self.pressed is not None or self.start is not None

    @cached_property
    def answer_key(self) -> str:
        """Return the key under which it is answered once: that of the event, or one for all files of an album."""
        return f"{self.lane}:album:{self.album}" if self.album else self.dedupe_key

    def as_edit(self, at: datetime) -> "Edit":
        """Return it as a change, made at this time, of what was said before."""
        return Edit(self.address, self.id, self.provider_id, self.content, at, self.person, self.author, self.raw)

    def in_group(self) -> "Inbound":
        """Return it as it counts in a group, which is nobody's own chat: it tells neither whose, nor by which link."""
        person = replace(self.person, identifiers=())
        return replace(self, group=True, person=person, start=None if self.start is None else "")


class Edit(Personal, frozen=True, omit_defaults=True, tag="edit", tag_field="event"):
    """A person has changed something that they said. It is put on record, and nothing follows from it.

    `provider_id` names the message that was changed; `content` is what it says now. author: as in Inbound.
    """

    id: str
    provider_id: str
    content: Content
    at: datetime
    person: Person = Person()
    author: str = ""
    raw: str = ""


class Subscription(Personal, frozen=True, omit_defaults=True, tag="subscription", tag_field="event"):
    """The provider reports that a person may be written to (`active`), or has blocked us."""

    id: str
    active: bool
    at: datetime
    raw: str = ""


class Preference(Personal, frozen=True, omit_defaults=True, tag="preference", tag_field="event"):
    """The provider reports that a person wants no `marketing` from us, or wants it again."""

    id: str
    marketing: bool
    at: datetime
    person: Person = Person()
    raw: str = ""


class Visit(Personal, frozen=True, omit_defaults=True, tag="visit", tag_field="event"):
    """A person has opened our chat. That neither starts a session nor allows us to write.

    `start` is the code of the deep link that brought them.
    """

    id: str
    at: datetime
    start: str = ""
    person: Person = Person()
    raw: str = ""


class Moved(Personal, frozen=True, omit_defaults=True, tag="moved", tag_field="event"):
    """The person or group at the address is at `to` from now on: a new number or id, or a group that was upgraded.

    person: what is reported of them there. same: both are names of one place and stay so, as a number and the id that
    the provider has for it.
    """

    id: str
    to: str
    at: datetime
    person: Person = Person()
    same: bool = False
    raw: str = ""

    @property
    def new_address(self) -> Address:
        """Return the address that the conversation has from now on."""
        return Address(self.address.channel, self.address.account, self.to)


class Echo(Personal, frozen=True, omit_defaults=True, tag="echo", tag_field="event"):
    """A message was sent in our account's name: one of ours, or one that an operator wrote elsewhere."""

    id: str
    provider_id: str
    content: Content
    at: datetime
    raw: str = ""


class Receipt(Reported, frozen=True, omit_defaults=True, tag="receipt", tag_field="event"):
    """The provider's report on a message of ours. `key` is our own key, where the provider echoes it."""

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

    @cached_property
    def lane(self) -> str:
        return f"{self.channel}:{self.account}:{self.provider_id}"


class TemplateChange(Reported, frozen=True, omit_defaults=True, tag="template", tag_field="event"):
    """The provider changed the state of a template. `state` is the provider's own word in lower case."""

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

    @cached_property
    def lane(self) -> str:
        return f"{self.channel}:{self.account}:{self.name}"


class Unrecognised(Reported, frozen=True, omit_defaults=True, tag="unrecognised", tag_field="event"):
    """An event of a kind that we do not know. It is kept and counted, so that nothing is lost."""

    channel: str
    account: str
    id: str
    kind: str
    at: datetime
    raw: str = ""

    @cached_property
    def lane(self) -> str:
        return f"{self.channel}:{self.account}:{self.id}"


Event = Inbound | Edit | Subscription | Preference | Visit | Moved | Echo | Receipt | TemplateChange | Unrecognised
