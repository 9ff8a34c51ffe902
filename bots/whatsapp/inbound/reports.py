"""Reads what Meta reports on our own messages and templates.

Cloud API: status messages, user_preferences, message_template_status_update.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bots.whatsapp.errors import cause, explain
from bots.whatsapp.inbound.messages import read_person
from bots.whatsapp.item import items, moment, to_json, word, words
from gateway.domain.model.event import Preference, Receipt, TemplateChange
from gateway.domain.model.nouns import Address, Progress

STATUSES = {
    "sent": Progress.SENT,
    "delivered": Progress.DELIVERED,
    "read": Progress.READ,
    "played": Progress.READ,
    "failed": Progress.FAILED,
}
USABLE = {"approved", "flagged", "reinstated", "unarchived"}
"""The states in which a template can be sent. A flagged one may be paused soon, but is still sent."""


def read_status(item: object, status: str, account: str, default: datetime) -> Receipt:
    """Return the receipt. Raises ValueError where the message has no id, or no valid time."""
    wamid, key = words(item, "id", "biz_opaque_callback_data")
    if not wamid:
        raise ValueError("a status of no message")
    has_failed = STATUSES[status] is Progress.FAILED
    error = next(iter(items(item, "errors")), None) if has_failed else None
    return Receipt(
        channel="whatsapp",
        account=account,
        id=f"{wamid}:{status}",
        provider_id=wamid,
        progress=STATUSES[status],
        at=moment(item, "timestamp", default),
        reason=explain(error) if has_failed else "",
        cause=cause(error) if has_failed else None,
        key=key,
        raw=to_json(item),
    )


def read_preference(item: object, contacts: Sequence[object], account: str, at: datetime) -> Preference:
    """Return what a person wants of our marketing (Cloud API: user_preferences webhook).

    Raises ValueError for a wish that we have no event for, or that is nobody's.
    """
    preference, stamp = words(item, "value", "timestamp")
    if word(item, "category") != "marketing_messages" or preference not in {"stop", "resume"}:
        raise ValueError("a preference that we have no word for")
    user, person = read_person(words(item, "user_id", "wa_id"), contacts)
    return Preference(
        Address("whatsapp", account, user),
        f"preference:{user}:{stamp}:{preference}",
        preference == "resume",
        moment(item, "timestamp", at),
        person,
        to_json(item),
    )


def read_template(value: object, accounts: Sequence[str], at: datetime, event: str) -> Iterator[TemplateChange]:
    """Return the change for each account: templates belong to the business account, which may have many numbers.

    Raises ValueError where the change names no template or no event.
    """
    name, state = word(value, "message_template_name"), word(value, "event").lower()
    if not (name and state):
        raise ValueError("a change of no template")
    for account in accounts:
        yield TemplateChange(
            channel="whatsapp",
            account=account,
            id=f"{event}:{account}",
            name=name,
            language=language(word(value, "message_template_language")),
            usable=state in USABLE,
            state=state,
            at=at,
            reason=_reason(value),
            raw=to_json(value),
        )


def language(code: str) -> str:
    """Return a language code as Meta's API writes it ("en_US"); its webhooks write "en-US"."""
    return code.replace("-", "_")


def _reason(value: object) -> str:
    reason = word(value, "reason")
    detail = word(value, "other_info", "description") or word(value, "rejection_info", "reason")
    return ": ".join(filter(None, ("" if reason == "NONE" else reason, detail)))
