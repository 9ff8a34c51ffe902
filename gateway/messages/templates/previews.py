"""Previews of an own template: a bubble for each form in which a step may go out."""

from collections.abc import Mapping

from gateway.domain.api.request import StepInput, TemplateInput
from gateway.domain.model.nouns import TemplateHeader, TemplateMessage, template_key
from gateway.messages.composing.language import TemplateError, render
from gateway.messages.composing.lint import texts_of, variables_of
from gateway.messages.templates.own import Structure
from gateway.messages.templates.phone_page import ARROW, BACK, Bubble, format_markup, plain, template_bubble
from gateway.runtime.runtime import Runtime, check_channel
from storage.templates import approved


async def bubbles(runtime: Runtime, structure: Structure, channel: str | None) -> list[Bubble]:
    """Return bubbles of one channel's steps, or of all; variables show their names. Raises RequestError."""
    check_channel(channel)
    steps = [step for step in structure.channels if channel in {None, step.channel}]
    return [bubble for step in steps for bubble in await _step_bubbles(runtime, step)]


async def _step_bubbles(runtime: Runtime, step: StepInput) -> list[Bubble]:
    names = {name: f"\u2039{name}\u203a" for names in variables_of([step]) for name in names}
    texts = {field: _with_names(text, names) for field, text in texts_of(step)}
    result = [_free_text(runtime, step, texts)] if step.text or step.media else []
    if step.template:
        result.append(await _approved(runtime, step, step.template, texts))
    return result


def _free_text(runtime: Runtime, step: StepInput, texts: dict[str, str]) -> Bubble:
    channel = runtime.channel(step.channel, step.account)
    body = format_markup(texts["text"]) if channel and channel.facts.markup else plain(texts["text"])
    buttons = [
        (ARROW if button.url else BACK, texts[f"buttons[{index}].text"]) for index, button in enumerate(step.buttons)
    ]
    return Bubble(body, step.channel, (step.media.type or "document") if step.media else "", buttons=buttons)


async def _approved(runtime: Runtime, step: StepInput, template: TemplateInput, texts: dict[str, str]) -> Bubble:
    caption = f"{step.channel}: {template.name}/{template.language}"
    channel = runtime.channel(step.channel, step.account)
    key = template_key(step.channel, channel.account, template) if channel else ""
    stored = await approved.get(runtime.db, key)
    if stored is None:
        return Bubble(plain("The text of this template is not known here."), caption)
    values = {name: texts[f"template.variables.{name}"] for name in template.variables}
    header_values = (
        {name: texts[f"template.header.variables.{name}"] for name in template.header.variables}
        if template.header
        else {}
    )
    return template_bubble(
        stored, TemplateMessage(template.name, template.language, values, TemplateHeader(header_values)), caption
    )


def _with_names(text: str, names: Mapping[str, str]) -> str:
    """Return a text with its variables' names in their places.

    Returns it as it is written where no name fits, as in a comparison with a number.
    """
    try:
        return render(text, names)
    except TemplateError:
        return text
