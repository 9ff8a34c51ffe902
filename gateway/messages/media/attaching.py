"""Attaches uploaded files to a message that names them: what each is, and where those get it who want an address."""

from datetime import datetime

from msgspec.structs import replace

from gateway.domain.api.file_links import file_link
from gateway.domain.api.request import HeaderInput, MediaInput, MessageInput, RequestError, StepInput
from gateway.domain.model.files import UPLOADED, StoredFile
from gateway.messages.media.kinds import media_type
from gateway.runtime.runtime import Runtime
from storage import files


async def attach(runtime: Runtime, message: MessageInput, until: datetime) -> MessageInput:
    """Return the message with its files as they are sent. until: when its validity is over. Raises RequestError."""
    if not any(_media_id(step) or _header_id(step) for step in message.channels):
        return message
    steps = [await _attached(runtime, step, index, until) for index, step in enumerate(message.channels)]
    return replace(message, channels=steps)


def _media_id(step: StepInput) -> str:
    return step.media.id if step.media else ""


def _header_id(step: StepInput) -> str:
    return step.template.header.id if step.template and step.template.header else ""


async def _attached(runtime: Runtime, step: StepInput, index: int, until: datetime) -> StepInput:
    field = "media"
    try:
        if step.media and step.media.id:
            step = replace(step, media=await _complete(runtime, step, step.media, until))
        if step.template and step.template.header and step.template.header.id:
            field = "template.header"
            header = await _head(runtime, step, step.template.header, until)
            step = replace(step, template=replace(step.template, header=header))
    except RequestError as error:
        raise error.within(f"channels[{index}].{field}") from None
    return step


async def _head(runtime: Runtime, step: StepInput, header: HeaderInput, until: datetime) -> HeaderInput:
    """Return a template's header with its file, which has to be of the kind that the template has."""
    if header.url:
        raise RequestError("invalid", "give either the url of a file or the id of an uploaded one", "id")
    media = await _complete(runtime, step, MediaInput(id=header.id), until)
    if header.type not in ("document", media.type):
        raise RequestError("bad_media", f"this file is no {header.type}", "id")
    return replace(header, url=media.url, name=header.name or media.name)


async def _complete(runtime: Runtime, step: StepInput, media: MediaInput, until: datetime) -> MediaInput:
    stored = await _find(runtime, media.id, until)
    channel = runtime.channel(step.channel, step.account)
    if channel and not channel.facts.takes_uploads and not runtime.settings.media_secrets:
        words = f"{step.channel} takes files by their address, and there is none without GATEWAY_MEDIA_SECRET"
        raise RequestError("no_links", words, "id")
    name = media.name or stored.name
    return replace(
        media, type=media.type or media_type(stored.content_type), url=_link(runtime, stored, name), name=name
    )


def _link(runtime: Runtime, stored: StoredFile, name: str) -> str:
    """Return a link that holds as long as the file, so that it is the same for everybody whom a message is for."""
    secrets = runtime.settings.media_secrets
    return file_link(secrets[0].reveal(), runtime.settings.public_url, stored.id, name, stored.until) if secrets else ""


async def link_to_upload(runtime: Runtime, key: str) -> str:
    """Return the link by which people get an uploaded file; "" where there is none."""
    stored = await files.get(runtime.db, key) if key.startswith(UPLOADED) else None
    return _link(runtime, stored, stored.name) if stored else ""


async def _find(runtime: Runtime, key: str, until: datetime) -> StoredFile:
    """Return an uploaded file that will still be there. Raises RequestError."""
    stored = await files.get(runtime.db, key) if key.startswith(UPLOADED) else None
    if stored is None or not stored.content_type or stored.until <= runtime.clock():
        raise RequestError("unknown_media", "no file was uploaded under this id, or its time is over", "id")
    if stored.until < until:
        raise RequestError("media_expires", "the file is not kept until this message is over: upload it anew", "id")
    return stored
