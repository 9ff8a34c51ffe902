"""The nouns of the domain: plain values without I/O, without a clock, and in no provider's terms.

Values of which one request holds very many are out of the garbage collector's sight (`gc=False`): what never changes
has no circles in it, and a look at all of them would hold the event loop.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from functools import cached_property
from typing import Any, Protocol

from msgspec import Struct

from gateway.domain.model.answers import Answer, Spans
from gateway.domain.model.identifier import Identifier, find
from gateway.domain.model.sought import keys


class Address(Struct, frozen=True, dict=True):
    """Where one person can be reached: through `account` (ours) of `channel`, as `user` (the provider's id)."""

    channel: str
    account: str
    user: str

    @cached_property
    def key(self) -> str:
        """Return the id under which the conversation there is stored."""
        return f"{self.channel}:{self.account}:{self.user}"

    def line(self, provider_id: str) -> str:
        """Return the id of this message of the account's in the chat log."""
        return f"{self.channel}:{self.account}:{provider_id}"


class Media(Struct, frozen=True, omit_defaults=True, gc=False):
    """A file by `url`, or by the provider's own `id` for files that came in. `type`: image, video, audio, document…

    file: our id of it: of one that was uploaded to us, or, as bots and callers are told it, of one that a person sent.
    link: where a bot and callers can have it for a day without a key; never stored.
    """

    type: str
    url: str = ""
    id: str = ""
    name: str = ""
    file: str = ""
    link: str = ""


class Button(Struct, frozen=True, omit_defaults=True, gc=False):
    """A button that answers with `reply`, or opens `url`."""

    text: str
    reply: str = ""
    url: str = ""


class Content(Struct, frozen=True, omit_defaults=True, gc=False):
    """A free-form message in terms that every channel understands. Plain text: markup is never interpreted.

    subject and html: what channels show beside the text that have such parts (`Facts.shows`).
    intent: why we write although the reply window is shut, in the provider's own word, where it asks for one.
    sender: the name or number that it comes from, where that is not the account's own.
    others and data are only in what people send: the files after the first, and what is for programs (the answers of a
    form, the lines of an order), as the provider's own object under the provider's word for it.
    thread: the provider's id of the topic within the chat in which it is said, where the chat has topics.
    """

    text: str = ""
    media: Media | None = None
    buttons: tuple[Button, ...] = ()
    intent: str = ""
    sender: str = ""
    subject: str = ""
    html: str = ""
    others: tuple[Media, ...] = ()
    data: dict[str, Any] = {}
    thread: str = ""

    def __hash__(self) -> int:  # a dict has none
        return hash((self.text, self.media, self.buttons))


class Place(Struct, frozen=True, omit_defaults=True):
    """A point on the map, in degrees."""

    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


class TemplateHeader(Struct, frozen=True, omit_defaults=True):
    """The values for a template's header: its text's variable, a file, or a place."""

    values: dict[str, str] = {}
    media: Media | None = None
    place: Place | None = None


class TemplateButton(Struct, frozen=True, omit_defaults=True):
    """The values for a template's button, counted from 0: the end of its URL, or what it answers with."""

    index: int
    url: str = ""
    reply: str = ""


class TemplateMessage(Struct, frozen=True, omit_defaults=True, gc=False):
    """A text that the provider has approved: it may go while the window is shut. `values` by name or by number."""

    name: str
    language: str
    values: dict[str, str] = {}
    header: TemplateHeader | None = None
    buttons: tuple[TemplateButton, ...] = ()


class Progress(IntEnum):
    """How far an attempt came, ordered by the strength of the evidence, so that the larger one always wins.

    FAILED stands between SENT and DELIVERED: providers report "failed" after "sent", and a late "sent" must not
    hide it; but a person who has the message has it, whatever else is claimed.
    """

    SKIPPED = 0
    RETRYING = 1
    SENDING = 2
    UNKNOWN = 3
    SENT = 4
    FAILED = 5
    DELIVERED = 6
    READ = 7


class Cause(StrEnum):
    """Why a send did not work, named by what has to happen next."""

    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    WINDOW_CLOSED = "window_closed"
    STOPPED = "stopped"
    TEMPLATE_UNUSABLE = "template_unusable"
    MISCONFIGURED = "misconfigured"
    AMBIGUOUS = "ambiguous"


class Named(Protocol):
    """A template by its name and language."""

    @property
    def name(self) -> str: ...

    @property
    def language(self) -> str: ...


def template_key(channel: str, account: str, template: Named) -> str:
    """Return the key of an account's template: channel:account:name:language; "en-US" is "en_US"."""
    return f"{channel}:{account}:{template.name}:{template.language.replace('-', '_')}"


class Last(Struct, frozen=True, omit_defaults=True):
    """What was said last in a conversation: the beginning of its text, the type of its file. out: said by us."""

    at: datetime
    text: str = ""
    media: str = ""
    out: bool = False


class Session(Struct, frozen=True, omit_defaults=True):
    """One conversation on one channel. Its times move only forward, so that events may come in any order.

    `resumed_at` is when the person last said start: a stop that was said before, and heard later, has no effect.
    `moved_to` is the user at whose address the conversation is by now, and `moved_at` since when; None: both are names
    of one place. `joined_at` is when the chat turned out to be the contact's. `proved` is what the
    provider reported last of who this is, and `proved_at` when.

    `started_at` is when the person last pressed Start, or was first heard of. `window_from_at` is when the running
    window was opened, for providers that count from the first message; `window_closed_at` when the provider told us
    that it is shut, whatever we believed. `blocked_at`: the provider's word, lifted by any later sign of life.
    `stopped_at`: the person's own /stop, lifted by /start. `closed_at`: an operator's word that it is over; it holds
    until the person writes again. `active_at`: when something last happened in it.
    `answers`: the bot's latest, and `spans` how many in the running hour and day, as far as they limit the next one.
    `confirmed_at`: when the person said the last stop that was confirmed.
    `unseen`: short names of the messages that no operator has seen, up to ten, and `unseen_from` when the first of them
    was said. `seen_by`: the operator who looked last, and `seen_at` when; `seen_from`: from when on it was new to them.
    `last`: what was said last by the person or by an operator.
    """

    id: str
    address: Address
    contact: str | None = None
    name: str = ""
    started_at: datetime | None = None
    last_inbound_at: datetime | None = None
    window_from_at: datetime | None = None
    window_closed_at: datetime | None = None
    blocked_at: datetime | None = None
    stopped_at: datetime | None = None
    closed_at: datetime | None = None
    active_at: datetime | None = None
    answers: tuple[Answer, ...] = ()
    spans: Spans = {}
    confirmed_at: datetime | None = None
    joined_at: datetime | None = None
    resumed_at: datetime | None = None
    moved_to: str | None = None
    moved_at: datetime | None = None
    proved: tuple[Identifier, ...] = ()
    proved_at: datetime | None = None
    unseen_from: datetime | None = None
    unseen: tuple[str, ...] = ()
    seen_by: str | None = None
    seen_at: datetime | None = None
    seen_from: datetime | None = None
    last: Last | None = None
    version: int = 0

    def gone_to(self, at: datetime) -> str | None:
        """Return the user at whose address the conversation is that was here at this moment; None: it is here.

        Whoever writes from an address after it was left is somebody else: numbers are given away again.
        """
        return None if self.moved_at and at > self.moved_at else self.moved_to

    @property
    def sought(self) -> Mapping[str, str]:
        """Return the fields by which the conversation is found; they are stored with it."""
        return keys(self.name, find(self.proved, "phone"))


class Contact(Struct, frozen=True, omit_defaults=True):
    """A person across channels. `start_code` joins a chat to them: `t.me/<bot>?start=<code>`.

    code_at: when the code was issued; None: with the contact. code_users: channel, or channel:account where
    users have another id at each account -> the user whom the code has joined there. It joins nobody else, because a
    link can be forwarded.
    identifiers: by what they are known; each belongs to one contact.
    aliases: ids of contacts that turned out to be the same person. An alias leads to the contact that it was
    `merged_into`; until the merge is finished, it keeps the identifiers to be `given` to that contact (and its
    `given_name`), and those to be `taken` from it because it no longer goes by them.
    """

    id: str
    start_code: str
    created_at: datetime
    identifiers: tuple[Identifier, ...] = ()
    name: str = ""
    aliases: tuple[str, ...] = ()
    merged_into: str | None = None
    given: tuple[Identifier, ...] = ()
    given_name: str = ""
    taken: tuple[Identifier, ...] = ()
    code_at: datetime | None = None
    code_users: dict[str, str] = {}
    version: int = 0

    def code_until(self, life: timedelta) -> datetime:
        """Return when the start code expires, if codes live so long."""
        return (self.code_at or self.created_at) + life

    @property
    def ids(self) -> tuple[str, ...]:
        """Return all ids of the person, their aliases among them."""
        return (self.id, *self.aliases)

    def find(self, kind: str) -> str | None:
        """Return the value of their identifier of this kind, or None."""
        return find(self.identifiers, kind)

    @property
    def sought(self) -> Mapping[str, str]:
        """Return the fields by which the person is found; they are stored with them."""
        return keys(self.name, self.find("phone"))


class Message(Struct, frozen=True, omit_defaults=True):
    """One line of the chat log: one message or part that crossed a channel, in either direction.

    edited: an earlier message was changed, and says this now. author: who said it, in a group. provider_id: as in
    Inbound and Edit. by: the operator who wrote it.
    """

    id: str
    session: str
    outbound: bool
    at: datetime
    content: Content | None = None
    template: TemplateMessage | None = None
    edited: bool = False
    author: str = ""
    notification: str | None = None
    attempt: int = 0
    part: int = 0
    album: str = ""
    provider_id: str = ""
    by: str = ""
