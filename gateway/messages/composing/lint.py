"""What is wrong, or odd, with the steps of a message, as far as that can be told without a recipient."""

from collections.abc import Iterator, Mapping, Sequence

from gateway.domain.api.request import RequestError, StepInput, TemplateInput
from gateway.domain.model.attempt import Step
from gateway.domain.model.message_template import MessageTemplate, places
from gateway.domain.model.nouns import Content, Media, template_key
from gateway.messages.composing.language import TemplateError, names
from gateway.runtime.runtime import Runtime
from storage.templates import approved


def used(steps: Sequence[StepInput]) -> list[frozenset[str]]:
    """The variables that each step's texts name. Raises RequestError where a text can never be filled in."""
    return [_used(step, f"channels[{index}]") for index, step in enumerate(steps)]


def texts_of(step: StepInput) -> Iterator[tuple[str, str]]:
    """Every text of a step that may hold variables, by its field."""
    yield from (("text", step.text), ("subject", step.subject), ("html", step.html))
    yield from ((f"buttons[{index}].text", button.text) for index, button in enumerate(step.buttons))
    if step.template:
        yield from _template_texts(step.template)


def _template_texts(template: TemplateInput) -> Iterator[tuple[str, str]]:
    yield from ((f"template.variables.{name}", text) for name, text in template.variables.items())
    if header := template.header:
        yield from ((f"template.header.variables.{name}", text) for name, text in header.variables.items())
        yield from ((f"template.header.{name}", getattr(header, name)) for name in ("url", "name", "address"))
    for index, button in enumerate(template.buttons):
        yield from ((f"template.buttons[{index}].{name}", getattr(button, name)) for name in ("url", "reply"))


def _used(step: StepInput, path: str) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    for field, text in texts_of(step):
        try:
            found |= names(text)
        except TemplateError as error:
            raise RequestError("bad_text", error.reason, f"{path}.{field}") from None
    return found


async def warnings(runtime: Runtime, steps: Sequence[StepInput]) -> list[str]:
    """What the author should know. Raises RequestError where a text can never be filled in."""
    told = dict(enumerate(used(steps)))
    found = [*_uneven(told)]
    for index, step in enumerate(steps):
        found += [*_long(runtime, step, index), *await _of_template(runtime, step, index)]
    return found


def flattened(runtime: Runtime, step: Step, index: int) -> list[str]:
    """What becomes of a recipient's values, where the provider takes them on one line only."""
    channel, template = runtime.channel(step.channel, step.account), step.template
    if not (template and channel and channel.facts.flat_values):
        return []
    header = template.header.values if template.header else {}
    named = {"variables": template.values, "header.variables": header}
    fields = {f"template.{kind}.{name}": value for kind, values in named.items() for name, value in values.items()}
    return [f"channels[{index}].{field}: {FLAT}" for field, value in fields.items() if not is_flat(value)]


FLAT = "line breaks, tabs and runs of spaces become one space"


def is_flat(value: str) -> bool:
    return value == " ".join(value.split())


async def _of_template(runtime: Runtime, step: StepInput, index: int) -> list[str]:
    channel, asked = runtime.channel(step.channel, step.account), step.template
    if channel is None or asked is None:
        return []
    known = await approved.get(runtime.db, template_key(step.channel, channel.account, asked))
    path = f"channels[{index}].template"
    flat = [name for name, text in asked.variables.items() if channel.facts.flat_values and "\n" in text]
    told = [f"{path}.variables.{name}: {FLAT}" for name in flat]
    return told + ([f"{path}: {words}" for words in _unlike(asked, known)] if known else [])


def _unlike(asked: TemplateInput, known: MessageTemplate) -> Iterator[str]:
    """How the values differ from what the provider's template has places for."""
    wanted, given = set(places(known.body)), set(asked.variables)
    if not known.usable:
        yield f"it cannot be sent now: it is {known.state}"
    if missing := sorted(wanted - given):
        yield f"{known.name} wants values for {', '.join(missing)}"
    if strange := sorted(given - wanted):
        yield f"{known.name} has no place for {', '.join(strange)}"
    if known.header and (known.header.type != "text" or places(known.header.text)) and not asked.header:
        yield f"{known.name} wants a header: {known.header.type}"
    filled = {button.index for button in asked.buttons}
    for number, button in enumerate(known.buttons):
        if places(button.url) and number not in filled:
            yield f"{known.name} wants the end of the address of button {number}"


def _uneven(told: Mapping[int, frozenset[str]]) -> Iterator[str]:
    every = frozenset[str]().union(*told.values())
    for index, own in told.items():
        if missing := sorted(every - own):
            named = ", ".join(f"{{{{{name}}}}}" for name in missing)
            yield f"channels[{index}] does not use {named}, which other channels do"


def _long(runtime: Runtime, step: StepInput, index: int) -> Iterator[str]:
    """As the text stands, before its variables make it longer or shorter."""
    channel = runtime.channel(step.channel, step.account)
    if channel is None or not step.text:
        return
    content = Content(step.text, Media(step.media.type, step.media.url) if step.media else None)
    if (count := len(channel.split(content))) > 1:
        yield f"channels[{index}].text takes {count} messages"
    if channel.facts.parts and (parts := channel.facts.parts(content)) > 1:
        yield f"channels[{index}].text takes {parts} parts, each charged as one"
