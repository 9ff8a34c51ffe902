"""The facts that a channel declares about its provider. The core decides by them, never by a channel's name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from gateway.domain.channel.rates import Limits
from gateway.domain.channel.window import Window
from gateway.domain.model.identifier import Identifier
from gateway.domain.model.nouns import Content, Progress

NO_LIMITS = Limits()


@dataclass(frozen=True)
class Facts:
    """What a provider can do, and how people know it.

    title: its name for people. colour: the one that people know it by, as #rrggbb; dark enough to be read on white.
    receipts: the furthest that the provider ever reports on a message (SENT = it reports nothing).
    needs_start: nobody can be written to before they have written to us.
    templates: the channel has provider-approved templates. intents: the provider's words for why we write although the
    window is closed, as far as this account may use them; the first is its default.
    idempotent: how long the provider knows our key again, so that the same message twice arrives once.
    echoes_key: its receipts carry our key, so that a message is recognised even if the answer to it was lost.
    limits: as the provider's documentation states them; an account's settings may change them.
    is_group: whether an address (its `user`) is a group chat and not a person.
    recalls: for how long after its sending a message can be taken back.
    may_send_as: whether a name or number may stand as the sender; None: people always see the account's own.
    parts: the short messages that a content is charged as, where that is more than its pieces.
    flat_values: what fills a template is on one line: line breaks, tabs and runs of spaces become one space.
    reaches: the kinds of identifier by which people can be written to who have no chat with us (`Channel.address_of`).
    identifier_of: the identifier that an address (its `user`) itself is, where it is one: the inverse of `address_of`.
    shared_ids: a person has the same id (`user`) with all of our accounts.
    shows: what it shows of a content beside text, media and buttons: "subject", "html".
    presses: how the press of a button comes to us. reported: as one. typed: as a text, which is the button's reply.
    numbered: buttons are lines with numbers, and people type a number or what stands beside it.
    markup: the messenger itself shows *bold*, _italic_, ~struck~ and ```mono``` in any text.
    takes_reply: whether a button gives back this reply unchanged; an id of ours stands for any other.
    distinct_replies: two buttons of one message may not have the same reply.
    takes_uploads: a file of ours is uploaded to the provider; others fetch it from an address, or people do.
    max_body: the largest webhook body in bytes.
    """

    name: str
    window: Window
    receipts: Progress
    title: str = ""
    colour: str = "#5d6472"
    needs_start: bool = False
    templates: bool = False
    intents: Sequence[str] = ()
    idempotent: timedelta = timedelta(0)
    echoes_key: bool = False
    limits: Limits = NO_LIMITS
    is_group: Callable[[str], bool] = lambda _: False
    recalls: timedelta = timedelta(0)
    may_send_as: Callable[[str], bool] | None = None
    parts: Callable[[Content], int] | None = None
    flat_values: bool = False
    reaches: Sequence[str] = ()
    identifier_of: Callable[[str], Identifier | None] = lambda _: None
    shared_ids: bool = False
    shows: Sequence[str] = ()
    presses: Literal["reported", "typed", "numbered"] = "reported"
    markup: bool = False
    takes_reply: Callable[[str], bool] = lambda _: True
    distinct_replies: bool = False
    takes_uploads: bool = False
    max_body: int = 1024 * 1024
