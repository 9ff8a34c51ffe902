"""A notification as the API tells it."""

from datetime import datetime
from typing import Any

from gateway.attempt import Attempt
from gateway.model import Progress
from gateway.notification import Notification

_STEP_STATUS = {
    Progress.SKIPPED: "SKIPPED",
    Progress.RETRYING: "PENDING",
    Progress.SENDING: "PENDING",
    Progress.UNKNOWN: "UNKNOWN",
    Progress.SENT: "SENT",
    Progress.FAILED: "UNDELIVERED",
    Progress.DELIVERED: "DELIVERED",
    Progress.READ: "READ",
}


def story(notification: Notification) -> dict[str, Any]:
    """Camel case, times in ISO 8601 and UTC, statuses in the API's words."""
    return {
        "id": notification.id,
        "groupId": notification.group_id,
        "bulkId": notification.bulk_id,
        "callbackData": notification.callback_data,
        "status": notification.status,
        "createdAt": _time(notification.created_at),
        "expiresAt": _time(notification.expires_at),
        "nextAt": _time(notification.due_at),
        "attempts": [_attempt(notification, attempt) for attempt in notification.attempts],
        "decisions": [{"at": _time(decision.at), "text": decision.text} for decision in notification.decisions],
    }


def _attempt(notification: Notification, attempt: Attempt) -> dict[str, Any]:
    step, address = notification.steps[attempt.step], attempt.address
    template = f"{step.template.name}/{step.template.language}" if attempt.template and step.template else None
    return {
        "channel": step.channel,
        "account": address.account if address else step.account,
        "address": address.user if address else None,
        "template": template,
        "intent": attempt.intent or None,
        "status": _STEP_STATUS[attempt.progress],
        "reason": attempt.reason or None,
        "cause": attempt.cause,
        "sentAt": _time(attempt.sent_at),
        "changedAt": _time(attempt.at),
        "retryAt": _time(attempt.retry_at),
        "partCount": attempt.pieces,
        "providerIds": [part.provider_id for part in attempt.parts if part.provider_id],
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None
