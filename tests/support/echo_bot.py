"""A bot that repeats each message: GATEWAY_CONVERSATION=tests.support.echo_bot:reply."""

from gateway.domain.model.event import Inbound
from gateway.domain.model.nouns import Content, Session


async def reply(event: Inbound, session: Session) -> Content | None:
    """Return the person's own text as the answer."""
    return Content(f"You said: {event.content.text}")
