"""Pieces: the messages that one attempt is sent as, each with a key of ours. Pure."""

from datetime import datetime

from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Address, Message


def piece_key(notification: str, attempt: int, part: int) -> str:
    """Return our own key of one piece, for providers that echo it."""
    return f"{notification}/{attempt}/{part}"


def read_piece_key(key: str) -> tuple[str, int, int] | None:
    """Return the notification's id, the attempt and the part that a key names; None for a key that is not ours."""
    fields = key.rsplit("/", 2)
    if len(fields) != 3 or not (fields[1].isdigit() and fields[2].isdigit()):  # noqa: PLR2004 - as piece_key writes it
        return None
    return fields[0], int(fields[1]), int(fields[2])


def chat_line(
    notification: Notification, attempt: int, part: int, address: Address, provider_id: str, at: datetime
) -> Message:
    """Return the chat log's line for a piece that a provider has taken; the first piece shows what was said."""
    template = notification.attempts[attempt].template
    step = notification.steps[notification.attempts[attempt].step]
    return Message(
        address.line(provider_id),
        session=address.key,
        outbound=True,
        at=at,
        content=None if template or part else step.content,
        template=step.template if template else None,
        notification=notification.id,
        attempt=attempt,
        part=part,
        by=notification.operator,
    )
