"""How each step of a notification could reach its person now: what the rule needs to know of the world."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.domain.cascade.moves import Context, Reachability
from gateway.domain.channel.contract import Channel
from gateway.domain.channel.facts import Facts
from gateway.domain.channel.window import Window
from gateway.domain.model.attempt import Step
from gateway.domain.model.notification import Notification, Recipient
from gateway.domain.model.nouns import Address, Contact, Progress, Session, template_key
from gateway.people.optouts import names, opted_out
from gateway.runtime.runtime import Runtime, account_key
from storage.accounts import states
from storage.people import sessions

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Known:
    """What we know of a recipient: their number, and the conversations with them, the best first."""

    phone: str | None
    sessions: Sequence[Session]
    contact: Contact | None = None
    named: Session | None = None

    @property
    def names(self) -> list[str]:
        """Under which their opt-outs are kept."""
        return names(self.phone, self.contact, self.sessions)


async def look(runtime: Runtime, notification: Notification, at: datetime | None = None) -> Context:
    """The world for this notification at this moment, or as it would be then if nothing happened until then.

    Raises LookupError where all of its accounts have gone.
    """
    now, doubt = at or runtime.clock(), runtime.settings.doubt
    known = await find_recipient(runtime, notification.recipient)
    all_channels = [(step, runtime.channel(step.channel, step.account)) for step in notification.steps]
    if not any(channel for _, channel in all_channels):
        raise LookupError(_gone(notification.steps[0]))
    keys = {template_of(channel, step) for step, channel in all_channels if channel} - {""}
    problems = await states.template_problems(runtime.db, keys)
    reach = [await _route(runtime, step, channel, known, problems, now) for step, channel in all_channels]
    return Context(now, reach, doubt, await opted_out(runtime.db, notification, known.names))


def _gone(step: Step) -> str:
    return f"{step.channel}: the account {step.account or 'of this channel'} is not configured any more"


def channel_of(runtime: Runtime, step: Step) -> Channel:
    """The account of ours by which a step goes out."""
    channel = runtime.channel(step.channel, step.account)
    if channel is None:
        raise LookupError(_gone(step))
    return channel


def template_of(channel: Channel, step: Step) -> str:
    """The key of the step's template, or "" where it has none."""
    return template_key(channel.facts.name, channel.account, step.template) if step.template else ""


async def find_recipient(runtime: Runtime, recipient: Recipient) -> Known:
    """The person whom a caller named by a session, a contact, an external id or a phone number."""
    named = await sessions.get(runtime.db, recipient.session) if recipient.session else None
    contact = await _contact(runtime, recipient, named)
    theirs = await sessions.of_contact(runtime.db, contact) if contact else []
    theirs.sort(key=lambda session: session.last_inbound_at or NEVER, reverse=True)
    phone = recipient.phone or (contact.phone if contact else None)
    return Known(phone, [named, *theirs] if named else theirs, contact, named)


def session_here(channel: Channel, known: Known) -> Session | None:
    """The conversation by which this account reaches the person, if there is one.

    Where a number is an address, that number counts: a conversation at another one may be somebody else's by now.
    """
    here = [
        one
        for one in known.sessions
        if (one.address.channel, one.address.account) == (channel.facts.name, channel.account)
    ]
    at = channel.at_phone(known.phone) if known.phone else None
    if at is None or known.named in here:
        return known.named if known.named in here else next(iter(here), None)
    others = [one for one in here if not one.address.user.removeprefix("+").isdigit()]
    return next((one for one in here if one.address == at), next(iter(others), None))


async def _contact(runtime: Runtime, recipient: Recipient, named: Session | None) -> Contact | None:
    asked = {
        "id": recipient.contact or (named.contact if named else None),
        "external_id": recipient.external_id,
        "phone": recipient.phone,
    }
    for name, value in asked.items():
        if value and (found := await sessions.contact(runtime.db, **{name: value})):
            return found
    return None


async def _route(
    runtime: Runtime,
    step: Step,
    channel: Channel | None,
    known: Known,
    problems: Mapping[str, str],
    now: datetime,
) -> Reachability:
    if channel is None:
        gone = f"the account {step.account or 'of this channel'} is not configured any more"
        return Reachability(Facts(step.channel, Window(), Progress.SENT), no_address=gone)
    address, session = await _reached(runtime, channel, known)
    account = account_key(channel)
    hold = runtime.gate.holds.of(account, now)
    return Reachability(
        channel.facts,
        address,
        "" if address else _no_address(channel, known),
        session,
        problems.get(template_of(channel, step), ""),
        held_until=hold.until if hold else None,
        held_why=hold.why if hold else "",
        patient=hold is None or hold.patient,
        account=account,
    )


async def conversations(runtime: Runtime, notification: Notification) -> list[Session]:
    """All that we know of with its recipient, and those at the addresses to which it would go."""
    known = await find_recipient(runtime, notification.recipient)
    all_channels = [runtime.channel(step.channel, step.account) for step in notification.steps]
    there = [await _reached(runtime, channel, known) for channel in all_channels if channel]
    return [*known.sessions, *(session for _, session in there if session)]


async def _reached(runtime: Runtime, channel: Channel, known: Known) -> tuple[Address | None, Session | None]:
    """Where this account reaches the person, and the conversation there."""
    session = session_here(channel, known)
    if session or not known.phone:
        return session.address if session else None, session
    address = channel.at_phone(known.phone)
    return address, await sessions.get(runtime.db, address.key) if address else None


def _no_address(channel: Channel, known: Known) -> str:
    if channel.facts.needs_start:
        return "the person has not started the bot"
    return "the number does not fit this channel" if known.phone else "no phone number is known"
