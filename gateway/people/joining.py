"""Joining: finds out whose chat a chat is, by what the provider reports of the person or by a deep link's code.

What the provider reports counts more: whoever holds a link need not be the one whom it was for.
"""

import logging

from gateway.domain.api.conflict import Conflict
from gateway.domain.model.event import Inbound, Visit
from gateway.domain.model.identifier import rivals
from gateway.domain.model.nouns import Contact
from gateway.people.contacts import MergeRequest, merge
from gateway.people.spelling import reported_forms
from gateway.runtime.runtime import Runtime, account_key
from storage.people import contacts, sessions

log = logging.getLogger(__name__)


async def find_owner(runtime: Runtime, event: Inbound | Visit, code: str) -> Contact | None:
    """Return whose chat this is, as far as the event tells; None where it tells nothing new.

    code: that of the deep link by which the person has come, or "". Raises storage.documents.documents.Contended.
    """
    session = await sessions.here(runtime.db, event.address.key)
    own = await contacts.get(runtime.db, session.contact) if session and session.contact else None
    if session is None or session.proved_at is None or session.proved_at <= event.at:  # else it was reported anew since
        own = await _by_identifiers(runtime, event, own) or own
    return await _by_code(runtime, event, code, own) or own


async def _by_identifiers(runtime: Runtime, event: Inbound | Visit, own: Contact | None) -> Contact | None:
    """Return who goes by what the provider reports. own: whose chat it was so far, who may turn out to be the same."""
    reported = reported_forms(event.person.identifiers)
    if not reported:
        return await _by_address(runtime, event)
    if own and rivals(own.identifiers, reported):
        own = None
    for identifier in reported:
        if found := await contacts.find(runtime.db, identifier):
            return await _united(runtime, own, found) or found
    return await contacts.join(runtime.db, runtime.clock(), reported, fallback=own.id if own else None)


async def _by_address(runtime: Runtime, event: Inbound | Visit) -> Contact | None:
    """Return whose chat is at the very number that is reported, where that is only the provider's id of a number."""
    channel = runtime.channel(event.channel, event.account)
    for identifier in event.person.identifiers:
        address = channel.address_of(identifier) if channel else None
        session = await sessions.here(runtime.db, address.key) if address else None
        if session and session.contact:
            return await contacts.get(runtime.db, session.contact)
    return None


async def _by_code(runtime: Runtime, event: Inbound | Visit, code: str, own: Contact | None) -> Contact | None:
    """Return the contact whose code this is; None where it has expired or was used, or where the chat is another's."""
    found = await contacts.find_by_start_code(runtime.db, code) if code else None
    if found is None:
        return None
    carrier, contact = found
    if event.at >= carrier.code_until(runtime.settings.start_codes_kept):
        return None
    if own and own.id != contact.id and rivals(contact.identifiers, own.identifiers):
        log.warning("a start code of contact %s was used in the chat of contact %s", contact.id, own.id)
        return None
    if not await contacts.redeem(runtime.db, carrier, _place(runtime, event), event.address.user):
        return None
    return await _united(runtime, contact, own) if own else contact


def _place(runtime: Runtime, event: Inbound | Visit) -> str:
    """Return where a code joins one user: in the channel, or in this account of it if users have another id at each."""
    channel = runtime.channel(event.channel, event.account)
    return event.channel if channel is None or channel.facts.shared_ids else account_key(channel)


async def _united(runtime: Runtime, contact: Contact | None, other: Contact) -> Contact | None:
    """Make one person of two who turn out to be the same. Returns None where their identifiers contradict that."""
    if contact is None or contact.id == other.id:
        return contact
    try:
        return await merge(runtime, contact, MergeRequest(contact_id=other.id))
    except Conflict:
        return None
