"""What did not reach a person is said once more in their conversation, where that can work."""

from typing import Any

import msgspec
from msgspec.structs import asdict

from gateway.conversations.operators import ReplyRequest, reply, whole_conversation
from gateway.conversations.person import FREELY, Terms, terms
from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import convert
from gateway.domain.api.response import ItemView
from gateway.domain.model.notification import Notification, Status
from gateway.domain.model.nouns import Address, Content, Media, Session, TemplateMessage
from gateway.messages.delivery import repeats
from gateway.runtime.runtime import Runtime

FAILED = frozenset({Status.UNDELIVERED, Status.EXPIRED, Status.ERROR})
"""The statuses of a message that has not arrived by any of its channels, as far as is known."""


async def again(runtime: Runtime, session: Session, message: Notification, caller: str) -> ItemView:
    """Send in a conversation once more what a message said in it, once for all who ask at the same moment.

    Raises RequestError, Conflict as `reply`.
    """
    if message.repeated_as:
        raise Conflict("this message has been sent anew already")
    channel = runtime.channel(session.address.channel, session.address.account)
    whole = await whole_conversation(runtime, session)
    taken = terms(channel, whole, runtime.clock()) if channel else "shut"
    request = repetition(message, session.address, taken)
    if request is None:
        raise Conflict("this message has arrived, or cannot be sent in this conversation now")
    item = await reply(runtime, session, request, caller, "again", scope=message.id)
    if isinstance(item.id, str) and await repeats.claim(runtime, message.id, item.id):
        await repeats.finish(runtime, message.id, f"sent again as {item.id}", runtime.clock())
    return item


def repetition(message: Notification, place: Address, taken: Terms) -> ReplyRequest | None:
    """Return the reply that says there what a message said; None where it need not, or may not. Pure."""
    here = (place.channel, place.account)
    index = next((at for at, each in enumerate(message.steps) if (each.channel, each.account or here[1]) == here), None)
    if index is None or message.status not in FAILED or message.repeated_as:
        return None
    step = message.steps[index]
    was_template = any(attempt.template for attempt in message.attempts if attempt.step == index)
    if step.content and taken in FREELY and not was_template:
        return _content_again(step.content)
    if step.template and (taken in FREELY or taken == "template"):
        return convert(ReplyRequest, msgspec.to_builtins({"template": _template_again(step.template)}))
    return None


def _content_again(content: Content) -> ReplyRequest:
    media = _media_again(content.media) if content.media else None
    request = {"text": content.text, "buttons": content.buttons, "media": media}
    return convert(ReplyRequest, msgspec.to_builtins(request))


def _media_again(media: Media) -> dict[str, Any]:
    """Return a file as a request has it: an uploaded one by its id."""
    return {"type": media.type, "name": media.name, **({"id": media.file} if media.file else {"url": media.url})}


def _template_again(template: TemplateMessage) -> dict[str, Any]:
    """Return a template with its values as a request has them."""
    head, named = template.header, {"name": template.name, "language": template.language, "variables": template.values}
    header: dict[str, Any] | None = None
    if head and head.place:
        header = {"type": "location", **asdict(head.place)}
    elif head and head.media:
        header = _media_again(head.media)
    elif head:
        header = {"type": "text", "variables": head.values}
    return {**named, "buttons": template.buttons, **({"header": header} if header else {})}
