"""Template expansion: a message that names an own template gets the template's channels and terms."""

from msgspec.structs import replace

from gateway.domain.api.request import Destination, MessageInput, RequestError
from gateway.messages.templates import own
from gateway.messages.templates.own import TERMS, Structure
from gateway.runtime.runtime import Runtime


async def expand(runtime: Runtime, message: MessageInput) -> tuple[MessageInput, list[str]]:
    """Return the message with its template's structure, and warnings about what was ignored. Raises RequestError."""
    if message.template_id is None:
        _check_plain(message)
        return message, []
    template = await own.find(runtime, message.template_id)
    if template is None:
        raise RequestError("unknown_template", "there is no such template", "templateId")
    if message.template_version:
        template = await own.find(runtime, message.template_id, message.template_version)
    if template is None:
        raise RequestError("unknown_template", "this template has no such version", "templateVersion")
    ignored = (
        [f"channels: ignored, since those of the template {message.template_id} count"] if message.channels else []
    )
    return _merge(template.structure, message), ignored


def _check_plain(message: MessageInput) -> None:
    if message.template_version:
        raise RequestError("invalid", "it needs a templateId", "templateVersion")
    if not message.channels:
        raise RequestError("invalid", "give channels, or a templateId", "channels")


def _merge(structure: Structure, message: MessageInput) -> MessageInput:
    """Give the message the template's channels, and its terms where the message has the default."""
    terms = {name: getattr(structure, name) for name in TERMS}
    overrides = {name: value for name in TERMS if (value := getattr(message, name)) != getattr(BLANK, name)}
    return replace(message, **(terms | overrides), channels=structure.channels)


BLANK = MessageInput(destinations=[Destination()])
