"""Pieces: what one attempt is sent as, each with a name of ours. Pure."""

from datetime import datetime

from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Address, Message


def piece_key(notification: str, attempt: int, part: int) -> str:
    """Return our own name of one piece, for providers that echo it."""
    return f"{notification}/{attempt}/{part}"


def read_piece_key(key: str) -> tuple[str, int, int] | None:
    """Return the notification's id, the attempt and the part that a key names; None for a name that is not ours."""
    names = key.rsplit("/", 2)
    if len(names) != 3 or not (names[1].isdigit() and names[2].isdigit()):  # noqa: PLR2004 - as piece_key writes it
        return None
    return names[0], int(names[1]), int(names[2])


def chat_line(
    notification: Notification, attempt: int, part: int, address: Address, provider_id: str, at: datetime
) -> Message:
    """Return the chat log's line for a piece that a provider has taken; the first piece shows what was said."""
    sent = notification.attempts[attempt]
    step = notification.steps[sent.step]
    return Message(
        address.line(provider_id),
        session=address.key,
        outbound=True,
        at=at,
        content=None if sent.template or part else step.content,
        template=step.template if sent.template else None,
        notification=notification.id,
        attempt=attempt,
        part=part,
    )
