"""An own template as it looks on phones, a bubble for each way in which a step may go out."""

from gateway.domain.api.request import StepInput, TemplateInput
from gateway.domain.model.nouns import TemplateHeader, TemplateMessage, template_key
from gateway.messages.composing.language import TemplateError, render
from gateway.messages.composing.lint import texts_of, used
from gateway.messages.templates.own import Structure
from gateway.messages.templates.phone_page import ARROW, BACK, Bubble, marked, of_template, plain
from gateway.runtime.runtime import Runtime
from storage.templates import approved


async def bubbles(runtime: Runtime, structure: Structure, channel: str | None) -> list[Bubble]:
    """Of one channel's steps, or of all; variables show their names."""
    steps = [step for step in structure.channels if channel in {None, step.channel}]
    return [bubble for step in steps for bubble in await _of_step(runtime, step)]


async def _of_step(runtime: Runtime, step: StepInput) -> list[Bubble]:
    shown = {field: _shown(text, step) for field, text in texts_of(step)}
    found = [_free(runtime, step, shown)] if step.text or step.media else []
    if step.template:
        found.append(await _approved(runtime, step, step.template, shown))
    return found


def _free(runtime: Runtime, step: StepInput, shown: dict[str, str]) -> Bubble:
    channel = runtime.channel(step.channel, step.account)
    body = marked(shown["text"]) if channel and channel.facts.markup else plain(shown["text"])
    buttons = [
        (ARROW if button.url else BACK, shown[f"buttons[{index}].text"]) for index, button in enumerate(step.buttons)
    ]
    return Bubble(body, step.channel, step.media.type if step.media else "", buttons=buttons)


async def _approved(runtime: Runtime, step: StepInput, asked: TemplateInput, shown: dict[str, str]) -> Bubble:
    caption = f"{step.channel}: {asked.name}/{asked.language}"
    channel = runtime.channel(step.channel, step.account)
    key = template_key(step.channel, channel.account, asked) if channel else ""
    known = await approved.get(runtime.db, key)
    if known is None:
        return Bubble(plain("The text of this template is not known here."), caption)
    values = {name: shown[f"template.variables.{name}"] for name in asked.variables}
    of_header = (
        {name: shown[f"template.header.variables.{name}"] for name in asked.header.variables} if asked.header else {}
    )
    return of_template(known, TemplateMessage(asked.name, asked.language, values, TemplateHeader(of_header)), caption)


def _shown(text: str, step: StepInput) -> str:
    """A variable's name in its place; as it is written, where no name fits, as in a comparison with a number."""
    try:
        return render(text, {name: f"\u2039{name}\u203a" for names in used([step]) for name in names})
    except TemplateError:
        return text
