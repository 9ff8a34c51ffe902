"""Reads that a person's number or business-scoped user id has changed.

Cloud API: system messages webhook, user_id_update webhook, Business-scoped user IDs.
"""

from collections.abc import Sequence
from datetime import datetime

from bots.whatsapp.inbound.messages import is_phone
from bots.whatsapp.item import moment, to_json, word, words
from gateway.domain.model.event import Moved, Person
from gateway.domain.model.identifier import identifiers
from gateway.domain.model.nouns import Address

CHANGES = ("user_changed_number", "customer_changed_number", "user_changed_user_id")
BEFORE, BETWEEN = " changed from ", " to "
"""How `system.body` names the old and the new id."""


def read_moves(item: object, account: str, default: datetime) -> list[Moved]:
    """Return the moves that a system message tells: of the number, of the user id, or of both; none for other notices.

    Raises ValueError where it has no id, or no valid time.
    """
    kind, number, user_id = words(dict_of(item), "type", "wa_id", "user_id")
    if kind not in CHANGES:
        return []
    if not (wamid := word(item, "id")):
        raise ValueError("a notice without an id")
    old_number, old_user_id = _old_names(item)
    at, raw, to = moment(item, "timestamp", default), to_json(item), user_id or number
    person = Person(identifiers=identifiers(phone=f"+{number}" if is_phone(number) else None))
    return [
        Moved(Address("whatsapp", account, old), f"{wamid}:{old}", to, at, person, raw=raw)
        for old in (old_number, old_user_id)
        if old and to and old != to
    ]


def dict_of(item: object) -> object:
    """Return what a system message tells."""
    return item.get("system") if isinstance(item, dict) else None


def _old_names(item: object) -> tuple[str, str]:
    """Return the old number and the old user id, each "" where it is not told. `from` may hold either."""
    names = [*words(item, "from", "from_user_id"), word(item, "system", "previous_user_id"), _old_in_body(item)]
    number = next(filter(is_phone, names), "")
    return number, next((name for name in names if name and not is_phone(name)), "")


def _old_in_body(item: object) -> str:
    """Return the old id from the sentence "User <name> changed from <old> to <new>", or ""."""
    _, found, rest = word(item, "system", "body").rpartition(BEFORE)
    old, _, new = rest.partition(BETWEEN)
    told = words(dict_of(item), "user_id", "wa_id")
    return old.strip() if found and new.strip() in told else ""


def read_update(item: object, contacts: Sequence[object], account: str, at: datetime) -> Moved:
    """Return the move from a user id to the one that took its place. Raises ValueError where one of them is missing."""
    old, new, stamp = word(item, "user_id", "previous"), word(item, "user_id", "current"), word(item, "timestamp")
    if not (old and new):
        raise ValueError("an update of nobody's id")
    number = next(filter(is_phone, (word(item, "wa_id"), *(word(contact, "wa_id") for contact in contacts[:1]))), "")
    person = Person(identifiers=identifiers(phone=number and f"+{number}"))
    when = moment(item, "timestamp", at)
    return Moved(
        Address("whatsapp", account, old), f"user_id:{old}:{new}:{stamp}", new, when, person, raw=to_json(item)
    )
