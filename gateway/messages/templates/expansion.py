"""A message by an own template, with the template's structure in its place."""

from msgspec.structs import replace

from gateway.domain.api.request import Destination, MessageInput, RequestError
from gateway.messages.templates import own as catalogue
from gateway.messages.templates.own import TERMS, Structure
from gateway.runtime.runtime import Runtime


async def expanded(runtime: Runtime, asked: MessageInput) -> tuple[MessageInput, list[str]]:
    """The message with its template's structure, and what was ignored for it. Raises RequestError."""
    if asked.template_id is None:
        _check_plain(asked)
        return asked, []
    own = await catalogue.find(runtime, asked.template_id)
    if own is None:
        raise RequestError("unknown_template", "there is no such template", "templateId")
    if asked.template_version:
        own = await catalogue.find(runtime, asked.template_id, asked.template_version)
    if own is None:
        raise RequestError("unknown_template", "this template has no such version", "templateVersion")
    ignored = [f"channels: ignored, since those of the template {asked.template_id} count"] if asked.channels else []
    return _message(own.structure, asked), ignored


def _check_plain(asked: MessageInput) -> None:
    if asked.template_version:
        raise RequestError("invalid", "it needs a templateId", "templateVersion")
    if not asked.channels:
        raise RequestError("invalid", "give channels, or a templateId", "channels")


def _message(structure: Structure, asked: MessageInput) -> MessageInput:
    """What the call says otherwise than by default counts before the template, apart from the channels."""
    own = {name: getattr(structure, name) for name in TERMS}
    said = {name: value for name in TERMS if (value := getattr(asked, name)) != getattr(BLANK, name)}
    return replace(asked, **(own | said), channels=structure.channels)


BLANK = MessageInput(destinations=[Destination()])
