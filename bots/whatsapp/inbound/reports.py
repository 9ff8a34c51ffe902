"""What Meta reports of our own messages and templates (Cloud API: status messages, message_template_status_update)."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bots.whatsapp.errors import cause, explain
from bots.whatsapp.item import items, moment, word, written
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
"""A flagged template may be paused soon, but is still sent."""


def read_status(item: object, account: str, otherwise: datetime) -> Receipt:
    """The receipt. Raises ValueError where the message has no id, or the time is none."""
    wamid, status = word(item, "id"), word(item, "status")
    if not wamid:
        raise ValueError("a status of no message")
    failed = STATUSES[status] is Progress.FAILED
    error = next(iter(items(item, "errors")), None)
    return Receipt(
        channel="whatsapp",
        account=account,
        id=f"{wamid}:{status}",
        provider_id=wamid,
        progress=STATUSES[status],
        at=moment(word(item, "timestamp"), otherwise),
        reason=explain(error) if failed else "",
        cause=cause(error) if failed else None,
        key=word(item, "biz_opaque_callback_data"),
        raw=written(item),
    )


def read_preferences(value: object, account: str, at: datetime) -> Iterator[Preference]:
    """What people want of our marketing (Cloud API: user_preferences webhook). Raises ValueError for other values."""
    for item in items(value, "user_preferences"):
        wish, user = word(item, "value"), word(item, "user_id") or word(item, "wa_id")
        if word(item, "category") != "marketing_messages" or wish not in {"stop", "resume"} or not user:
            raise ValueError("a preference that we have no word for")
        stamp = word(item, "timestamp")
        address, named = Address("whatsapp", account, user), f"preference:{user}:{stamp}:{wish}"
        yield Preference(address, named, wish == "resume", moment(stamp, at), written(item))


def read_template(value: object, accounts: Sequence[str], at: datetime, event: str) -> Iterator[TemplateChange]:
    """The change, for each account: templates belong to the business account, which may have many numbers."""
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
            raw=written(value),
        )


def language(code: str) -> str:
    """Meta's webhooks write "en-US" for what its API calls "en_US"."""
    return code.replace("-", "_")


def _reason(value: object) -> str:
    reason = word(value, "reason")
    more = word(value, "other_info", "description") or word(value, "rejection_info", "reason")
    return ": ".join(filter(None, ("" if reason == "NONE" else reason, more)))
