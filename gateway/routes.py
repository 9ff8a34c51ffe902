"""How each step of a notification could reach its person now: what the rule needs to know of the world."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.attempt import Step
from gateway.channel import Channel, Facts
from gateway.model import Contact, Progress, Session, template_key
from gateway.moves import Route, World
from gateway.notification import Notification, Recipient
from gateway.runtime import Runtime, account_key
from gateway.window import Window
from storage import sessions, states

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Known:
    """What we know of a recipient: their number, and the conversations with them, the best first."""

    phone: str | None
    sessions: Sequence[Session]


async def look(runtime: Runtime, notification: Notification) -> World:
    """The world at this moment, for this notification. Raises LookupError where all of its accounts have gone."""
    now, doubt = runtime.clock(), runtime.settings.doubt
    known = await find_recipient(runtime, notification.recipient)
    ways = [(step, runtime.channel(step.channel, step.account)) for step in notification.steps]
    if not any(way for _, way in ways):
        raise LookupError(_gone(notification.steps[0]))
    keys = {template_of(way, step) for step, way in ways if way} - {""}
    problems = await states.template_problems(runtime.db, keys)
    return World(now, [await _route(runtime, step, way, known, problems, now) for step, way in ways], doubt)


def _gone(step: Step) -> str:
    return f"{step.channel}: the account {step.account or 'of this channel'} is not configured any more"


def way_of(runtime: Runtime, step: Step) -> Channel:
    """The account of ours by which a step goes out."""
    way = runtime.channel(step.channel, step.account)
    if way is None:
        raise LookupError(_gone(step))
    return way


def template_of(way: Channel, step: Step) -> str:
    """The key of the step's template, or "" where it has none."""
    return template_key(way.facts.name, way.account, step.template) if step.template else ""


async def find_recipient(runtime: Runtime, recipient: Recipient) -> Known:
    """The person whom a caller named by a session, a contact, an external id or a phone number."""
    named = await sessions.get(runtime.db, recipient.session) if recipient.session else None
    contact = await _contact(runtime, recipient, named)
    theirs = await sessions.of_contact(runtime.db, contact.id) if contact else []
    theirs.sort(key=lambda session: session.last_inbound_at or NEVER, reverse=True)
    phone = recipient.phone or (contact.phone if contact else None)
    return Known(phone, [named, *theirs] if named else theirs)


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
    way: Channel | None,
    known: Known,
    problems: Mapping[str, str],
    now: datetime,
) -> Route:
    if way is None:
        gone = f"the account {step.account or 'of this channel'} is not configured any more"
        return Route(Facts(step.channel, Window(), Progress.SENT), no_address=gone)
    session = next(
        (s for s in known.sessions if (s.address.channel, s.address.account) == (step.channel, way.account)), None
    )
    address = session.address if session else way.at_phone(known.phone) if known.phone else None
    if address and not session:
        session = await sessions.get(runtime.db, address.key)
    account = account_key(way)
    hold = runtime.gate.holds.of(account, now)
    return Route(
        way.facts,
        address,
        "" if address else _no_address(way, known),
        session,
        problems.get(template_of(way, step), ""),
        held_until=hold.until if hold else None,
        held_why=hold.why if hold else "",
        patient=hold is None or hold.patient,
        account=account,
    )


def _no_address(way: Channel, known: Known) -> str:
    if way.facts.needs_start:
        return "the person has not started the bot"
    return "the number does not fit this channel" if known.phone else "no phone number is known"
