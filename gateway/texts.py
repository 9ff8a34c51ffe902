"""The texts of a step, filled with one recipient's values: a mistake in them is told before anything is sent. Pure."""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from gateway.attempt import Step
from gateway.model import Button, Content, Media, TemplateMessage
from gateway.request import AskedButton, AskedStep, AskedTemplate, RequestError
from gateway.template import TemplateError, Value, render

Values = Mapping[str, Value]


def filled(step: Step, asked: AskedStep, index: int, variables: Values) -> Step:
    """The step with this recipient's texts. Raises RequestError."""
    try:
        content = _content(asked, variables) if asked.text or asked.media else None
        template = _template(asked.template, variables) if asked.template else None
    except RequestError as error:
        raise error.within(f"channels[{index}]") from None
    return replace(step, content=content, template=template)


def _content(asked: AskedStep, variables: Values) -> Content:
    text = _text(asked.text, "text", variables, needed=asked.media is None)
    media = Media(asked.media.type, asked.media.url, name=asked.media.name) if asked.media else None
    buttons = [_button(button, f"buttons[{index}].text", variables) for index, button in enumerate(asked.buttons)]
    return Content(text, media, tuple(buttons))


def _button(asked: AskedButton, field: str, variables: Values) -> Button:
    text = _text(asked.text, field, variables)
    return Button(text, asked.reply or ("" if asked.url else text), asked.url)


PLACE = re.compile(r"\w[\w -]{0,255}")
"""A variable's name in a provider's template; a key in the database too, where not every character may stand."""


def _template(asked: AskedTemplate, variables: Values) -> TemplateMessage:
    named = asked.variables.items()
    for name in asked.variables:
        if not PLACE.fullmatch(name):
            words = "a template's variable is named by up to 256 letters, digits, _, - and spaces"
            raise RequestError("invalid", words, f"template.variables.{name}")
    values = {name: _text(value, f"template.variables.{name}", variables) for name, value in named}
    return TemplateMessage(asked.name, asked.language, values)


def _text(asked: str, field: str, variables: Values, *, needed: bool = True) -> str:
    """A text with this recipient's values; no provider takes an empty one, except as the caption of a file."""
    try:
        text = render(asked, variables)
    except TemplateError as error:
        raise RequestError("bad_text", error.reason, field) from None
    if needed and not text.strip():
        raise RequestError("empty", "it is empty once its variables are filled in", field)
    return text
