"""Builds a template message, with its values, in Meta's format. Cloud API: Template messages."""

from collections.abc import Mapping
from typing import Any

from bots.whatsapp.inbound.reports import language
from gateway.domain.model.nouns import Media, Place, TemplateButton, TemplateHeader, TemplateMessage

Json = dict[str, Any]


def template(message: TemplateMessage) -> Json:
    """Return the part of the request that is the template."""
    parts = [
        *([_header(message.header)] if message.header else []),
        *([{"type": "body", "parameters": _values(message.values)}] if message.values else []),
        *map(_button, message.buttons),
    ]
    components = {"components": parts} if parts else {}
    return {
        "type": "template",
        "template": {"name": message.name, "language": {"code": language(message.language)}, **components},
    }


def _header(header: TemplateHeader) -> Json:
    if header.media:
        parameters = [_file(header.media)]
    elif header.place:
        parameters = [_place(header.place)]
    else:
        parameters = _values(header.values)
    return {"type": "header", "parameters": parameters}


def _file(media: Media) -> Json:
    file = {"id": media.id} if media.id else {"link": media.url}
    if media.type == "document" and media.name:
        file["filename"] = media.name
    return {"type": media.type, media.type: file}


def _place(place: Place) -> Json:
    labels = {name: text for name in ("name", "address") if (text := getattr(place, name))}
    return {"type": "location", "location": {"latitude": place.latitude, "longitude": place.longitude, **labels}}


def _button(button: TemplateButton) -> Json:
    if button.url:
        kind, parameter = "url", {"type": "text", "text": button.url}
    else:
        kind, parameter = "quick_reply", {"type": "payload", "payload": button.reply}
    return {"type": "button", "sub_type": kind, "index": str(button.index), "parameters": [parameter]}


def _values(values: Mapping[str, str]) -> list[Json]:
    """Return the values by name, or by number in their order (Templates: Parameter formats)."""
    if all(name.isdecimal() for name in values):
        return [_value(values[name]) for name in sorted(values, key=int)]
    return [{**_value(value), "parameter_name": name} for name, value in values.items()]


def _value(value: str) -> Json:
    """Return a value with single spaces: Meta refuses line breaks, tabs and runs of spaces (132018)."""
    return {"type": "text", "text": " ".join(value.split())}
