"""How each step of a notification could reach its person now: collects the context that the rule needs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.domain.cascade.moves import Context, Reachability
from gateway.domain.channel.contract import Channel
from gateway.domain.channel.facts import Facts
from gateway.domain.channel.window import Window
from gateway.domain.model.attempt import Step
from gateway.domain.model.identifier import Identifier, kind_of, rivals, without_rivals
from gateway.domain.model.notification import Notification, Recipient
from gateway.domain.model.nouns import Address, Contact, Progress, Session, template_key
from gateway.domain.model.phone import one_form
from gateway.people.optouts import names, opt_out_reason
from gateway.people.twins import whole
from gateway.runtime.runtime import Runtime
from storage.accounts import states
from storage.people import contacts, sessions

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class KnownRecipient:
    """A recipient as we know them: their identifiers, and the conversations with them, the best first.

    named: the conversation by which the caller named them. former: identifiers that lead to them, though they go by
    others since two contacts were merged.
    """

    identifiers: Sequence[Identifier]
    sessions: Sequence[Session]
    contact: Contact | None = None
    named: Session | None = None
    former: Sequence[Identifier] = ()

    @property
    def names(self) -> list[str]:
        """Return the names under which their opt-outs are stored."""
        return names((*self.identifiers, *self.former), self.contact, self.sessions)


async def look(runtime: Runtime, notification: Notification, at: datetime | None = None) -> Context:
    """Return the context of this notification now, or as it would be at `at` if nothing happened until then.

    Raises LookupError where all of its accounts have gone.
    """
    now, doubt = at or runtime.clock(), runtime.settings.doubt
    recipient = await find_recipient(runtime, notification.recipient)
    channels = _channels(runtime, notification)
    if not any(channels):
        raise LookupError(_why_missing(notification.steps[0]))
    templates = [_template(channel, step) for channel, step in zip(channels, notification.steps, strict=True)]
    problems = await states.template_problems(runtime.db, {*templates} - {""})
    reach = [
        await _reach(runtime, channel, recipient, template, problems.get(template, ""), now)
        if channel
        else _unreachable(step)
        for channel, step, template in zip(channels, notification.steps, templates, strict=True)
    ]
    return Context(now, reach, doubt, await opt_out_reason(runtime.db, notification, recipient.names))


def _channels(runtime: Runtime, notification: Notification) -> list[Channel | None]:
    """Return our account for each step; None where it is no longer in the settings."""
    return [runtime.channel(step.channel, step.account) for step in notification.steps]


def _why_missing(step: Step) -> str:
    return f"{step.channel}: the account {step.account or 'of this channel'} is not configured any more"


def _template(channel: Channel | None, step: Step) -> str:
    """Return the key of the step's template, or "" where it has none."""
    return template_key(step.channel, channel.account, step.template) if channel and step.template else ""


async def find_recipient(runtime: Runtime, recipient: Recipient) -> KnownRecipient:
    """Return what we know of the person whom a caller named by a session, a contact or identifiers."""
    named = await sessions.get(runtime.db, recipient.session) if recipient.session else None
    contact = await _contact(runtime, recipient, named)
    conversations = await sessions.of_contact(runtime.db, contact) if contact else []
    conversations.sort(key=lambda session: session.last_inbound_at or NEVER, reverse=True)
    if named:
        conversations = [named, *(session for session in conversations if session.id != named.id)]
    more = without_rivals(contact.identifiers, recipient.identifiers) if contact else ()
    former = await contacts.former_identifiers(runtime.db, contact) if contact else ()
    return KnownRecipient((*recipient.identifiers, *more), conversations, contact, named, former)


async def _contact(runtime: Runtime, recipient: Recipient, named: Session | None) -> Contact | None:
    key = recipient.contact or (named.contact if named else None)
    if key and (contact := await contacts.get(runtime.db, key)):
        return contact
    for identifier in recipient.identifiers:
        if contact := await contacts.find(runtime.db, identifier):
            return contact
    return None


def session_here(channel: Channel, recipient: KnownRecipient) -> Session | None:
    """Return the conversation by which this account reaches the person, or None.

    A group reaches nobody in particular, and counts only where it is named itself. Where an identifier is an address,
    it counts: a conversation at another number may be somebody else's by now.
    """
    name, account = channel.facts.name, channel.account
    candidates = [
        session
        for session in recipient.sessions
        if (session.address.channel, session.address.account) == (name, account)
        and (session is recipient.named or not channel.facts.is_group(session.address.user))
    ]
    address = address_by_identifier(channel, recipient.identifiers)
    if address is None or recipient.named in candidates:
        return recipient.named if recipient.named in candidates else next(iter(candidates), None)
    known = {session.id: channel.facts.identifier_of(session.address.user) for session in candidates}
    wanted = set(map(one_form, recipient.identifiers))
    here = [session for session in candidates if (own := known[session.id]) and one_form(own) in wanted]
    others = [session for session in candidates if known[session.id] is None and not _is_at_another(session, wanted)]
    return next(iter((*here, *others)), None)


def _is_at_another(session: Session, wanted: Iterable[Identifier]) -> bool:
    """Tell whether a chat was proved to be at a number (or the like) that the person no longer goes by."""
    return bool(rivals(tuple(map(one_form, session.proved)), tuple(wanted)))


def address_by_identifier(channel: Channel, identifiers: Iterable[Identifier]) -> Address | None:
    """Return where the channel reaches a person by one of their identifiers, without any conversation."""
    if not channel.facts.reaches:
        return None
    return next((address for identifier in identifiers if (address := channel.address_of(identifier))), None)


async def _reach(
    runtime: Runtime, channel: Channel, recipient: KnownRecipient, template: str, problem: str, now: datetime
) -> Reachability:
    address, session = await _address(runtime, channel, recipient)
    account = f"{channel.facts.name}:{channel.account}"
    hold = runtime.gate.holds.of(account, now)
    return Reachability(
        channel.facts,
        address,
        "" if address else _why_unreachable(channel, recipient),
        session,
        problem,
        held_until=hold.until if hold else None,
        held_why=hold.why if hold else "",
        patient=hold is None or hold.patient,
        account=account,
        channel=channel,
        template=template,
    )


def _unreachable(step: Step) -> Reachability:
    reason = f"the account {step.account or 'of this channel'} is not configured any more"
    return Reachability(Facts(step.channel, Window(), Progress.SENT), no_address=reason)


async def conversations(runtime: Runtime, notification: Notification) -> list[Session]:
    """Return all conversations with its recipient, and those at the addresses to which it would go."""
    recipient = await find_recipient(runtime, notification.recipient)
    addresses = [await _address(runtime, channel, recipient) for channel in _channels(runtime, notification) if channel]
    return [*recipient.sessions, *(session for _, session in addresses if session)]


async def _address(
    runtime: Runtime, channel: Channel, recipient: KnownRecipient
) -> tuple[Address | None, Session | None]:
    """Return where this account reaches the person, and the conversation there."""
    if session := session_here(channel, recipient):
        return session.address, whole(channel, session, recipient.sessions)
    address = address_by_identifier(channel, recipient.identifiers)
    session = await sessions.here(runtime.db, address.key) if address else None
    return session.address if session else address, session


def _why_unreachable(channel: Channel, recipient: KnownRecipient) -> str:
    if channel.facts.needs_start:
        return "the person has not started the bot"
    kinds = " or ".join(_NAMES.get(kind, kind) for kind in channel.facts.reaches)
    if any(kind_of(identifier) in channel.facts.reaches for identifier in recipient.identifiers):
        return f"the {kinds} does not fit this channel"
    return f"no {kinds} is known" if kinds else "the person has no chat with us"


_NAMES: Mapping[str, str] = {"phone": "phone number", "email": "e-mail address"}
