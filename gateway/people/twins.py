"""Twins: two conversations that are one chat, since the messenger names the person by two ids.

WhatsApp names a person by a number first and by a user id later. Both are stored, because the number may be another
id's tomorrow; but what the person has said counts by whichever name they said it.
"""

from collections.abc import Iterable
from functools import reduce

from gateway.domain.channel.contract import Channel
from gateway.domain.model.nouns import Session
from gateway.domain.model.phone import one_form
from gateway.people.moving import united


def whole(channel: Channel, session: Session, others: Iterable[Session]) -> Session:
    """Return the conversation with what the person has done by their other id in it: stop, start, block, window. Pure.

    others: those of the same person, in which the conversation itself may be, too.
    """
    return reduce(united, (other for other in others if _is_same_chat(channel, session, other)), session)


def _is_same_chat(channel: Channel, one: Session, other: Session) -> bool:
    """Return whether one is at a number that is proved to be the other's, on the same account."""
    if (one.address.channel, one.address.account) != (other.address.channel, other.address.account):
        return False
    own, theirs = (channel.facts.identifier_of(each.address.user) for each in (one, other))
    if own and not theirs:
        return one_form(own) in other.proved
    return bool(theirs and not own and one_form(theirs) in one.proved)
