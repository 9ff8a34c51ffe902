"""The rule's input and output: the context at a moment, and the moves. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.domain.channel.contract import Channel
from gateway.domain.channel.facts import Facts
from gateway.domain.model.attempt import Attempt
from gateway.domain.model.notification import Status
from gateway.domain.model.nouns import Address, Cause, Session

DOUBT = timedelta(minutes=2)
"""How long, unless set otherwise, we wait for a receipt of a message that may have been sent before we move on."""


@dataclass(frozen=True)
class Reachability:
    """How one step could reach the person, as far as is known at this moment.

    no_address: why there is no address, in words. template_problem: why the step's template cannot be used, or "".
    held_until: our account waits until then, because of `held_why`. patient: the fault is our own, so its messages
    wait for as long as they are valid; otherwise the provider is away, and another step may be quicker.
    account: channel:name. channel: itself, for whoever makes the move. template: the key of the step's template, or "".
    """

    facts: Facts
    address: Address | None = None
    no_address: str = ""
    session: Session | None = None
    template_problem: str = ""
    held_until: datetime | None = None
    held_why: str = ""
    patient: bool = True
    account: str = ""
    channel: Channel | None = None
    template: str = ""


@dataclass(frozen=True)
class Context:
    """The moment `now`, and for each step how it reaches the person.

    doubt: how long to wait for a receipt of a message that may have been sent.
    opted_out: why the person does not want this message at all, by whatever channel; "" if they do.
    """

    now: datetime
    reach: Sequence[Reachability]
    doubt: timedelta = DOUBT
    opted_out: str = ""


@dataclass(frozen=True)
class Send:
    """Send step `step`, as its template or as its content. again: continue that attempt instead of a new one.

    intent: the provider's word under which free text may go although the window is shut. rest_of: the attempt that
    brought the first parts of the same text; they are not sent again.
    """

    step: int
    template: bool
    why: str
    again: int | None = None
    intent: str = ""
    rest_of: int | None = None

    def like(self, attempt: Attempt) -> bool:
        """Return whether it would be the same message again."""
        return (self.template, self.intent) == (attempt.template, attempt.intent)


@dataclass(frozen=True)
class Skip:
    """Pass over a step for good. cause: set where the reason is one that metrics count."""

    step: int
    why: str
    cause: Cause | None = None


@dataclass(frozen=True)
class Abandon:
    """Give up an attempt that the provider keeps putting off: the next step may be quicker."""

    attempt: int
    why: str


@dataclass(frozen=True)
class Recall:
    """Recall what an attempt has sent: a later step has taken over."""

    attempt: int
    why: str


@dataclass(frozen=True)
class Wait:
    """Wait until `until`, unless something happens before.

    fifo: the account in whose FIFO it waits meanwhile: messages to the same person that came later stay behind it.
    """

    until: datetime
    why: str
    status: Status = Status.NEW
    fifo: str = ""


@dataclass(frozen=True)
class Await:
    """Nothing is left to be done; until `until` a receipt may still say that a step has succeeded."""

    until: datetime
    why: str


@dataclass(frozen=True)
class Finish:
    """End the cascade with this status, as far as we know now: a late receipt may still change it."""

    status: Status
    why: str


Move = Send | Skip | Abandon | Recall | Wait | Await | Finish
