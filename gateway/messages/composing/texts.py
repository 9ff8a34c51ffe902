"""The texts of a step, filled with one recipient's values: a mistake in them is told before anything is sent. Pure."""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from gateway.domain.api.request import (
    ButtonInput,
    HeaderInput,
    RequestError,
    StepInput,
    TemplateButtonInput,
    TemplateInput,
)
from gateway.domain.channel.web import is_address
from gateway.domain.model.attempt import Step
from gateway.domain.model.nouns import Button, Content, Media, Place, TemplateButton, TemplateHeader, TemplateMessage
from gateway.messages.composing.language import TemplateError, Value, render

Values = Mapping[str, Value]


def filled(step: Step, asked: StepInput, index: int, variables: Values) -> Step:
    """The step with this recipient's texts. Raises RequestError."""
    try:
        content = _content(asked, variables) if asked.text or asked.media else None
        template = _template(asked.template, variables) if asked.template else None
    except RequestError as error:
        raise error.within(f"channels[{index}]") from None
    return replace(step, content=content, template=template)


def _content(asked: StepInput, variables: Values) -> Content:
    text = _text(asked.text, "text", variables, needed=asked.media is None)
    media = Media(asked.media.type, asked.media.url, name=asked.media.name) if asked.media else None
    buttons = [_button(button, f"buttons[{index}].text", variables) for index, button in enumerate(asked.buttons)]
    subject = " ".join(_text(asked.subject, "subject", variables, needed=False).split())
    html = _text(asked.html, "html", variables, needed=False, markup=True)
    return Content(text, media, tuple(buttons), sender=asked.sender or "", subject=subject, html=html)


def _button(asked: ButtonInput, field: str, variables: Values) -> Button:
    text = _text(asked.text, field, variables)
    return Button(text, asked.reply or ("" if asked.url else text), asked.url)


PLACE = re.compile(r"\w[\w -]{0,255}")
"""A variable's name in a provider's template; a key in the database too, where not every character may stand."""


def _template(asked: TemplateInput, variables: Values) -> TemplateMessage:
    values = _values(asked.variables, "template.variables", variables)
    header = _header(asked.header, variables) if asked.header else None
    buttons = [_filler(one, f"template.buttons[{index}]", variables) for index, one in enumerate(asked.buttons)]
    return TemplateMessage(asked.name, asked.language, values, header, tuple(buttons))


def _values(asked: Mapping[str, str], field: str, variables: Values) -> dict[str, str]:
    for name in asked:
        if not PLACE.fullmatch(name):
            words = "a template's variable is named by up to 256 letters, digits, _, - and spaces"
            raise RequestError("invalid", words, f"{field}.{name}")
    return {name: _text(value, f"{field}.{name}", variables) for name, value in asked.items()}


def _header(asked: HeaderInput, variables: Values) -> TemplateHeader:
    name = _text(asked.name, "template.header.name", variables, needed=False)
    if asked.type == "text":
        return TemplateHeader(_values(asked.variables, "template.header.variables", variables))
    if asked.type != "location":
        url = _text(asked.url, "template.header.url", variables)
        if not is_address(url):
            raise RequestError("bad_url", "this is no web address", "template.header.url")
        return TemplateHeader(media=Media(asked.type, url, name=name))
    if asked.latitude is None or asked.longitude is None:
        raise RequestError("invalid", "a place has a latitude and a longitude", "template.header")
    address = _text(asked.address, "template.header.address", variables, needed=False)
    return TemplateHeader(place=Place(asked.latitude, asked.longitude, name, address))


def _filler(asked: TemplateButtonInput, field: str, variables: Values) -> TemplateButton:
    url = _text(asked.url, f"{field}.url", variables, needed=not asked.reply)
    reply = _text(asked.reply, f"{field}.reply", variables, needed=not asked.url)
    if url and reply:
        raise RequestError("invalid", "a button either opens an address or answers", field)
    return TemplateButton(asked.index, url, reply)


def _text(asked: str, field: str, variables: Values, *, needed: bool = True, markup: bool = False) -> str:
    """A text with this recipient's values; no provider takes an empty one, except as the caption of a file."""
    try:
        text = render(asked, variables, markup=markup)
    except TemplateError as error:
        raise RequestError("bad_text", error.reason, field) from None
    if needed and not text.strip():
        raise RequestError("empty", "it is empty once its variables are filled in", field)
    return text
