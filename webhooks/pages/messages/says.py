"""What a message says by each of its channels, whether it has left or not."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.domain.model.attempt import Step
from gateway.domain.model.message_template import fill
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Content, TemplateMessage, template_key
from storage.templates import approved
from webhooks.http.context import runtime


@dataclass(frozen=True)
class Said:
    """What a step says. text: written freely. template: an approved one, which reads like `body` with its `values`.

    file: the name or the address of what goes along.
    """

    channel: str
    account: str
    text: str = ""
    file: str = ""
    buttons: Sequence[str] = ()
    template: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    body: str = ""


async def says(message: Notification) -> list[Said]:
    """Return what each step of a message says, in their order."""
    return await asyncio.gather(*(_said(step) for step in message.steps))


async def _said(step: Step) -> Said:
    content, template = step.content or Content(), step.template
    head = template.header.media if template and template.header else None
    media = content.media or head
    return Said(
        step.channel,
        step.account or "",
        text=content.text,
        file=(media.name or media.url or media.type) if media else "",
        buttons=[button.text for button in content.buttons],
        template=f"{template.name}/{template.language}" if template else "",
        values=template.values if template else {},
        body=await _body(step, template) if template else "",
    )


async def _body(step: Step, template: TemplateMessage) -> str:
    """Return how a template reads with its values; "" where its contents are not known here."""
    channel = runtime().channel(step.channel, step.account)
    if channel is None:
        return ""
    stored = await approved.get(runtime().db, template_key(step.channel, channel.account, template))
    return fill(stored.body, template.values) if stored else ""
