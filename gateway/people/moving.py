"""Moving: an address of a person has become another, and their conversation, opt-outs and history go along.

Every step may be repeated, because the event is worked on again after a crash: the old session is closed last.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from gateway.domain.api.conflict import Conflict
from gateway.domain.channel.contract import Channel
from gateway.domain.channel.moments import last_of_second, latest
from gateway.domain.model.event import Moved
from gateway.domain.model.identifier import Identifier, find, rivals
from gateway.domain.model.nouns import Address, Contact, Session
from gateway.people import attention, optouts
from gateway.people.contacts import MergeRequest, merge
from gateway.people.spelling import reported_forms
from gateway.runtime.runtime import Runtime
from storage.documents.documents import TRIES, Contended
from storage.messages import chat_log
from storage.people import contacts, sessions

NEVER = datetime(1970, 1, 1, tzinfo=UTC)


async def move(runtime: Runtime, channel: Channel, event: Moved) -> Session | None:
    """Apply a move, and return the conversation at its new address; None where there was none. Raises Contended."""
    old, new, until = event.address, event.new_address, None if event.same else event.at
    if old == new:
        return await sessions.here(runtime.db, new.key)
    before = await sessions.at_address(runtime.db, old.key)
    contact = await _move_contact(runtime, channel, event, before)
    if before is None and contact and not event.same:
        old = await _known_as(runtime, contact, old, new)
    for _ in range(TRIES):
        former = await sessions.at_address(runtime.db, old.key) or Session(old.key, old)
        if former.moved_to:
            break
        if former.version or contact:
            await _bring(runtime, former, new, contact)
        if await sessions.leave(runtime.db, former, event.to, until):
            break
    else:
        raise Contended(old.key)
    await chat_log.move(runtime.db, old.key, new.key, until and last_of_second(until))
    return await sessions.here(runtime.db, new.key)


async def _known_as(runtime: Runtime, contact: Contact, old: Address, new: Address) -> Address:
    """Return the address of the person's latest conversation on this account, where they had none under the old name.

    WhatsApp tells the number that was left, and names the person by a user id in everything else.
    """
    account = (old.channel, old.account)
    chats = [
        session
        for session in await sessions.of_contact(runtime.db, contact)
        if (session.address.channel, session.address.account) == account and session.address != new
    ]
    latest = max(chats, key=lambda session: session.active_at or NEVER, default=None)
    return latest.address if latest else old


async def current_address(runtime: Runtime, address: Address, at: datetime) -> Address:
    """Return where the conversation that was at this address at that moment is now."""
    for _ in range(sessions.DEEPEST):
        session = await sessions.at_address(runtime.db, address.key)
        user = session.gone_to(at) if session else None
        if user is None:
            return address
        address = Address(address.channel, address.account, user)
    return address


async def _bring(runtime: Runtime, former: Session, new: Address, contact: Contact | None) -> None:
    def step(session: Session | None) -> Session:
        whole = united(session or Session(new.key, new), former)
        return replace(whole, contact=contact.id) if contact and whole.contact not in contact.ids else whole

    await sessions.change(runtime.db, new.key, step)


async def _move_contact(runtime: Runtime, channel: Channel, event: Moved, former: Session | None) -> Contact | None:
    """Give the person's new names to their contact, and their opt-outs to the new names. Returns the contact."""
    left = reported_forms([channel.facts.identifier_of(event.address.user)])
    reached = reported_forms([*event.person.identifiers, channel.facts.identifier_of(event.to)])
    contact = await _contact(runtime, left, former)
    if contact is None and event.same and left and reached != left:
        contact = await contacts.join(runtime.db, runtime.clock(), left)
    before = optouts.names(left, contact, [former] if former else [])
    if contact and set(reached) - set(contact.identifiers):
        contact = await _rename(runtime, contact, left, reached, same=event.same)
    for name in optouts.names(reached, contact, [Session(event.new_address.key, event.new_address)]):
        await optouts.carry_over(runtime.db, before, name)
    return contact


async def _contact(runtime: Runtime, left: Sequence[Identifier], former: Session | None) -> Contact | None:
    if former and former.contact and (contact := await contacts.get(runtime.db, former.contact)):
        return contact
    return await contacts.find(runtime.db, left[0]) if left else None


async def _rename(
    runtime: Runtime, contact: Contact, left: Sequence[Identifier], reached: Sequence[Identifier], *, same: bool
) -> Contact:
    """Let the new names lead to the contact, in place of those that were left; with `same`, beside them.

    Where they are another contact's, the two are one person, unless more than the number contradicts that.
    """
    if same and not rivals(contact.identifiers, reached):
        same = False  # there is nothing to stand beside
    other = await contacts.find(runtime.db, reached[0])
    if other is None and not same:
        await contacts.identify(runtime.db, contact.id, reached)
        return await contacts.get(runtime.db, contact.id) or contact
    other = other or await contacts.join(runtime.db, runtime.clock(), reached)
    stays = find(left if same else reached, "phone")
    if other and other.id != contact.id:
        try:
            contact = await merge(runtime, contact, MergeRequest(contact_id=other.id, phone=stays))
        except Conflict:
            return other
    if not same:
        await contacts.drop(runtime.db, contact, left)
    return await contacts.get(runtime.db, contact.id) or contact


def united(session: Session, former: Session) -> Session:
    """Return the conversation with all that was known of it under its former address. May be repeated. Pure."""
    fields = ("started_at", "last_inbound_at", "window_from_at", "window_closed_at", "active_at", "joined_at")
    times = {field: latest(getattr(session, field), getattr(former, field)) for field in (*fields, "resumed_at")}
    ends = {field: latest(getattr(session, field), getattr(former, field)) for field in ("blocked_at", "stopped_at")}
    closed = latest(session.closed_at, former.closed_at)
    wrote, alive = times["last_inbound_at"], latest(times["started_at"], times["last_inbound_at"])
    proof = max(session, former, key=lambda each: (each.proved_at or NEVER, each.proved))
    return replace(
        session,
        name=session.name or former.name,
        proved=proof.proved,
        proved_at=proof.proved_at,
        contact=session.contact or former.contact,
        blocked_at=_unless_before(ends["blocked_at"], alive),
        stopped_at=_unless_before(ends["stopped_at"], times["resumed_at"]),
        closed_at=_unless_before(closed, wrote),
        **times,
        **attention.united(session, former),
    )


def _unless_before(end: datetime | None, sign: datetime | None) -> datetime | None:
    """Return the time of an end, or None where a later sign of life lifts it."""
    return None if end and sign and sign > end else end
