"""A notification as the API tells it."""

from collections.abc import Sequence
from typing import Any

from gateway.attempt import Attempt
from gateway.model import Progress
from gateway.notification import Notification
from gateway.words import iso
from storage.traces import Line

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


def story(notification: Notification, calls: Sequence[Line]) -> dict[str, Any]:
    """Camel case, times in ISO 8601 and UTC, statuses in the API's words; `calls` to providers by attempts."""
    return {
        "id": notification.id,
        "groupId": notification.group_id,
        "bulkId": notification.bulk_id,
        "callbackData": notification.callback_data,
        "status": notification.status,
        "reason": notification.decisions[-1].text if notification.decisions else None,
        "priority": notification.priority.name.lower(),
        "createdAt": iso(notification.created_at),
        "sendAt": iso(notification.send_at),
        "timezone": notification.hours.zone if notification.hours else None,
        "expiresAt": iso(notification.expires_at),
        "nextAt": iso(notification.due_at),
        "cancelledAt": iso(notification.cancelled_at),
        "finishedAt": iso(notification.done_at),
        "replayOf": notification.replay_of,
        "attempts": [
            _attempt(notification, attempt) | {"calls": [_call(call) for call in calls if call.attempt == index]}
            for index, attempt in enumerate(notification.attempts)
        ],
        "decisions": [{"at": iso(decision.at), "text": decision.text} for decision in notification.decisions],
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
        "sentAt": iso(attempt.sent_at),
        "changedAt": iso(attempt.at),
        "retryAt": iso(attempt.retry_at),
        "late": attempt.late,
        "recalledAt": iso(attempt.recalled_at),
        "partCount": attempt.pieces,
        "providerIds": [part.provider_id for part in attempt.parts if part.provider_id],
    }


def _call(line: Line) -> dict[str, Any]:
    answer = {"status": line.status, "retryAfter": line.retry_after or None, "body": line.answer}
    return {
        "at": iso(line.at),
        "request": {"method": line.method, "url": line.url, "body": line.request},
        "answer": answer if line.status else None,
        "error": line.broke or None,
        "milliseconds": line.milliseconds,
    }
