"""Fills the texts of a step with one recipient's values, so that mistakes show before anything is sent. Pure."""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from gateway.domain.api.request import (
    ButtonInput,
    HeaderInput,
    MediaInput,
    RequestError,
    StepInput,
    TemplateButtonInput,
    TemplateInput,
)
from gateway.domain.channel.web import is_address
from gateway.domain.model.attempt import Step
from gateway.domain.model.nouns import Button, Content, Media, Place, TemplateButton, TemplateHeader, TemplateMessage
from gateway.domain.model.visible import is_visible
from gateway.messages.composing.language import TemplateError, render
from gateway.messages.composing.values import Values


def fill(step: Step, request: StepInput, index: int, values: Values) -> Step:
    """Return the step with this recipient's texts. Raises RequestError."""
    try:
        content = _content(request, values) if request.text or request.media else None
        template = _template(request.template, values) if request.template else None
    except RequestError as error:
        raise error.within(f"channels[{index}]") from None
    return replace(step, content=content, template=template)


def _content(request: StepInput, values: Values) -> Content:
    text = _text(request.text, "text", values, needed=request.media is None)
    media = _media(request.media) if request.media else None
    buttons = [_button(button, f"buttons[{index}].text", values) for index, button in enumerate(request.buttons)]
    subject = " ".join(_text(request.subject, "subject", values, needed=False).split())
    html = _text(request.html, "html", values, needed=False, markup=True)
    return Content(text, media, tuple(buttons), sender=request.sender or "", subject=subject, html=html)


def _media(request: MediaInput) -> Media:
    return Media(request.type or "document", request.url, name=request.name, file=request.id)


def _button(request: ButtonInput, field: str, values: Values) -> Button:
    text = _text(request.text, field, values)
    return Button(text, request.reply or ("" if request.url else text), request.url)


PLACE = re.compile(r"\w[\w -]{0,255}")
"""A variable's name in a provider's template. It is a key in the database, which does not allow every character."""


def _template(request: TemplateInput, values: Values) -> TemplateMessage:
    filled = _values(request.variables, "template.variables", values)
    header = _header(request.header, values) if request.header else None
    buttons = [_filler(filler, f"template.buttons[{index}]", values) for index, filler in enumerate(request.buttons)]
    return TemplateMessage(request.name, request.language, filled, header, tuple(buttons))


def _values(texts: Mapping[str, str], field: str, values: Values) -> dict[str, str]:
    for name in texts:
        if not PLACE.fullmatch(name):
            words = "a template's variable is named by up to 256 letters, digits, _, - and spaces"
            raise RequestError("invalid", words, f"{field}.{name}")
    return {name: _text(value, f"{field}.{name}", values) for name, value in texts.items()}


def _header(request: HeaderInput, values: Values) -> TemplateHeader:
    name = _text(request.name, "template.header.name", values, needed=False)
    if request.type == "text":
        return TemplateHeader(_values(request.variables, "template.header.variables", values))
    if request.type != "location":
        url = _text(request.url, "template.header.url", values, needed=not request.id)
        if not (is_address(url) or (request.id and not url)):
            raise RequestError("bad_url", "this is no web address", "template.header.url")
        return TemplateHeader(media=Media(request.type, url, name=name, file=request.id))
    if request.latitude is None or request.longitude is None:
        raise RequestError("invalid", "a place has a latitude and a longitude", "template.header")
    address = _text(request.address, "template.header.address", values, needed=False)
    return TemplateHeader(place=Place(request.latitude, request.longitude, name, address))


def _filler(request: TemplateButtonInput, field: str, values: Values) -> TemplateButton:
    url = _text(request.url, f"{field}.url", values, needed=not request.reply)
    reply = _text(request.reply, f"{field}.reply", values, needed=not request.url)
    if url and reply:
        raise RequestError("invalid", "a button either opens an address or answers", field)
    return TemplateButton(request.index, url, reply)


def _text(template: str, field: str, values: Values, *, needed: bool = True, markup: bool = False) -> str:
    """Return a text with this recipient's values. No provider accepts an empty one, except as the caption of a file."""
    try:
        text = render(template, values.variables, markup=markup) if template else ""
    except TemplateError as error:
        raise RequestError("bad_text", error.reason, field) from None
    values.take_room(text, field)
    if needed and not is_visible(text):
        raise RequestError("empty", "it is empty once its variables are filled in", field)
    return text
