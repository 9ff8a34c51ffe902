"""Lint: mistakes and oddities in the steps of a message that show without a recipient."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from gateway.domain.api.request import RequestError, StepInput, TemplateInput
from gateway.domain.channel.contract import Channel
from gateway.domain.model.attempt import Step
from gateway.domain.model.message_template import MessageTemplate, places
from gateway.domain.model.nouns import template_key
from gateway.messages.composing.language import TemplateError, check_tokens, variable_names
from gateway.messages.composing.sizes import size
from gateway.runtime.runtime import Runtime
from storage.templates import approved


def variables_of(steps: Sequence[StepInput]) -> list[frozenset[str]]:
    """Return the variables that each step's texts name. Raises RequestError where a text can never be filled in."""
    check_size(steps)
    return [_variables(step, f"channels[{index}]") for index, step in enumerate(steps)]


def check_size(steps: Sequence[StepInput]) -> None:
    """Check that the texts of these steps can be compiled at once. Raises RequestError."""
    try:
        check_tokens(text for step in steps for _, text in texts_of(step))
    except TemplateError as error:
        raise RequestError("too_long", error.reason, "channels") from None


def texts_of(step: StepInput) -> Iterator[tuple[str, str]]:
    """Yield every text of a step that may hold variables, with the path of its field."""
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


def _variables(step: StepInput, path: str) -> frozenset[str]:
    variables: frozenset[str] = frozenset()
    for field, text in texts_of(step):
        try:
            variables |= variable_names(text)
        except TemplateError as error:
            raise RequestError("bad_text", error.reason, f"{path}.{field}") from None
    return variables


async def warnings(runtime: Runtime, steps: Sequence[StepInput]) -> list[str]:
    """Return warnings for the author of the steps. Raises RequestError where a text can never be filled in."""
    result = [*_uneven(dict(enumerate(variables_of(steps))))]
    for index, step in enumerate(steps):
        result += [*_long(runtime, step, index), *await _template_warnings(runtime, step, index)]
    return result


def flattening(channel: Channel, step: Step, index: int) -> list[str]:
    """Return warnings for values that change, since the provider accepts them on one line only."""
    template = step.template
    if template is None or not channel.facts.flat_values:
        return []
    header = template.header.values if template.header else {}
    groups = {"variables": template.values, "header.variables": header}
    fields = {f"template.{kind}.{name}": value for kind, values in groups.items() for name, value in values.items()}
    return [f"channels[{index}].{field}: {FLAT}" for field, value in fields.items() if not is_flat(value)]


FLAT = "line breaks, tabs and runs of spaces become one space"


def is_flat(value: str) -> bool:
    """Tell whether a value stays as it is on one line with single spaces."""
    return value == " ".join(value.split())


async def _template_warnings(runtime: Runtime, step: StepInput, index: int) -> list[str]:
    channel, template = runtime.channel(step.channel, step.account), step.template
    if channel is None or template is None:
        return []
    stored = await approved.get(runtime.db, template_key(step.channel, channel.account, template))
    path = f"channels[{index}].template"
    changed = [name for name, text in template.variables.items() if channel.facts.flat_values and "\n" in text]
    flat = [f"{path}.variables.{name}: {FLAT}" for name in changed]
    return flat + ([f"{path}: {words}" for words in _differences(template, stored)] if stored else [])


def _differences(template: TemplateInput, stored: MessageTemplate) -> Iterator[str]:
    """Yield how the values differ from the places of the provider's template."""
    places_in_body, values = set(places(stored.body)), set(template.variables)
    if not stored.usable:
        yield f"it cannot be sent now: it is {stored.state}"
    if missing := sorted(places_in_body - values):
        yield f"{stored.name} wants values for {', '.join(missing)}"
    if strange := sorted(values - places_in_body):
        yield f"{stored.name} has no place for {', '.join(strange)}"
    if stored.header and (stored.header.type != "text" or places(stored.header.text)) and not template.header:
        yield f"{stored.name} wants a header: {stored.header.type}"
    filled = {button.index for button in template.buttons}
    for number, button in enumerate(stored.buttons):
        if places(button.url) and number not in filled:
            yield f"{stored.name} wants the end of the address of button {number}"


def _uneven(variables: Mapping[int, frozenset[str]]) -> Iterator[str]:
    """Yield the steps that leave out variables which others use. One that looks like another is told as a mistake."""
    mistyped = list(_mistyped(variables))
    for index, name, meant in mistyped:
        yield f"channels[{index}] alone uses {{{{{name}}}}}; did you mean {{{{{meant}}}}}?"
    told = {name for _, name, _ in mistyped}
    every = frozenset[str]().union(*variables.values()) - told
    for index, own in variables.items():
        meant_here = {meant for at, _, meant in mistyped if at == index}
        if missing := sorted(every - own - meant_here):
            names = ", ".join(f"{{{{{name}}}}}" for name in missing)
            yield f"channels[{index}] does not use {names}, which other channels do"


MOST_COMPARED, LONGEST_COMPARED = 30, 40
"""Variables of one message that are compared with each other, and the letters of each: comparing takes long."""


def _mistyped(variables: Mapping[int, frozenset[str]]) -> Iterator[tuple[int, str, str]]:
    """Yield variables that one step alone uses, and for each a similar one that it does not use and others do.

    Where only two steps have the two of them, the earlier one's counts as the one that is meant.
    """
    every = Counter(name for own in variables.values() for name in own)
    if len(every) > MOST_COMPARED or max(map(len, every), default=0) > LONGEST_COMPARED:
        return
    earlier: set[str] = set()
    for index, own in variables.items():
        others = sorted({name for name in every if name in earlier or every[name] > 1} - own)
        earlier |= own
        for name in sorted(own):
            if every[name] == 1 and (similar := get_close_matches(name, others, 1, SIMILAR)):
                yield index, name, similar[0]


SIMILAR = 0.8
"""How much alike two names are that one has to be mistyped, between 0 and 1."""


def _long(runtime: Runtime, step: StepInput, index: int) -> Iterator[str]:
    """Yield texts that take several messages or parts, as they stand before their variables are filled in."""
    length = size(runtime, step, index)
    if length and length.messages > 1:
        yield f"channels[{index}].text takes {length.messages} messages"
    if length and (length.parts or 1) > 1:
        yield f"channels[{index}].text takes {length.parts} parts, each charged as one"
