"""The story of a notification: its attempts and decisions as the API shows them."""

from collections.abc import Sequence

from gateway.domain.api.formats import STEP_STATUS, iso
from gateway.domain.api.response import (
    AttemptView,
    CallAnswerView,
    CallRequestView,
    CallView,
    DecisionView,
    LinkView,
    RecipientView,
    StoryResponse,
)
from gateway.domain.model.attempt import Attempt
from gateway.domain.model.identifier import find
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Progress
from gateway.messages.archive.listing import sent_text
from storage.messages.traces import TracedCall


def story(notification: Notification, calls: Sequence[TracedCall], links: Sequence[LinkView]) -> StoryResponse:
    """Return the story of a notification, with its `calls` to providers at their attempts.

    Times are in ISO 8601 and UTC, statuses in the API's words.
    """
    recipient = notification.recipient
    return StoryResponse(
        id=notification.id,
        group_id=notification.group_id,
        bulk_id=notification.bulk_id,
        job_id=notification.job_id,
        callback_data=notification.callback_data,
        recipient=RecipientView(
            phone=find(recipient.identifiers, "phone"),
            contact_id=recipient.contact,
            external_id=find(recipient.identifiers, "externalId"),
            chat_session_id=recipient.session,
            identifiers=list(recipient.identifiers),
        ),
        status=notification.status,
        reason=notification.decisions[-1].text if notification.decisions else None,
        priority=notification.priority.name.lower(),
        created_at=iso(notification.created_at),
        send_at=iso(notification.send_at),
        timezone=notification.hours.zone if notification.hours else None,
        expires_at=iso(notification.expires_at),
        next_at=iso(notification.due_at),
        cancelled_at=iso(notification.cancelled_at),
        finished_at=iso(notification.done_at),
        replay_of=notification.replay_of,
        attempts=[
            _attempt(notification, attempt, [_call(call) for call in calls if call.attempt == index])
            for index, attempt in enumerate(notification.attempts)
        ],
        short_links=list(links),
        decisions=[DecisionView(at=iso(decision.at), text=decision.text) for decision in notification.decisions],
    )


def _attempt(notification: Notification, attempt: Attempt, calls: list[CallView]) -> AttemptView:
    step, address = notification.steps[attempt.step], attempt.address
    return AttemptView(
        channel=step.channel,
        account=address.account if address else step.account,
        address=address.user if address else None,
        template=f"{step.template.name}/{step.template.language}" if attempt.template and step.template else None,
        intent=attempt.intent or None,
        status=STEP_STATUS[attempt.progress],
        reason=attempt.reason or None,
        cause=attempt.cause,
        success=step.success.name.lower(),
        sent_at=iso(attempt.sent_at),
        changed_at=iso(attempt.at),
        retry_at=iso(attempt.retry_at),
        late=attempt.late,
        recalled_at=iso(attempt.recalled_at),
        text=sent_text(notification, attempt),
        part_count=1 if attempt.template else step.parts,
        price=step.costs(template=attempt.template) if attempt.parts or attempt.progress is Progress.UNKNOWN else None,
        provider_ids=[part.provider_id for part in attempt.parts if part.provider_id],
        calls=calls,
    )


def _call(call: TracedCall) -> CallView:
    reply = CallAnswerView(status=call.status, retry_after=call.retry_after or None, body=call.answer)
    return CallView(
        at=iso(call.at),
        request=CallRequestView(method=call.method, url=call.url, body=call.request),
        answer=reply if call.status else None,
        error=call.broke or None,
        milliseconds=call.milliseconds,
    )
