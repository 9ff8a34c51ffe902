"""A message template as a provider approves it: the draft that we submit, and its state. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from gateway.domain.model.nouns import template_key

PLACE = re.compile(r"{{\s*(\w+)\s*}}")

Text = Annotated[str, Meta(max_length=4096)]
Url = Annotated[str, Meta(max_length=2048)]
NAME = "a variable is named by up to 64 English letters, digits and '_'"
Examples = dict[
    Annotated[str, Meta(pattern=r"^[A-Za-z0-9_]{1,64}\Z", extra={"form": NAME})],
    Annotated[str, Meta(min_length=1, max_length=1024)],
]
"""A value for each variable, by its name or number."""

Category = Literal["MARKETING", "UTILITY", "AUTHENTICATION"]


class Head(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The header above the body. example: a value of the text's variable, or the URL of a file like those to come."""

    type: Literal["text", "image", "document", "video", "location"]
    text: Text = ""
    example: Url = ""


class Choice(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A button under the body. A `url` may end in a variable; `example` is the whole URL with a value in it."""

    type: Literal["quickReply", "url", "phone"]
    text: Annotated[str, Meta(min_length=1, max_length=256)]
    url: Url = ""
    example: Url = ""
    phone: Annotated[str, Meta(max_length=32)] = ""


class MessageTemplate(Struct, frozen=True, kw_only=True):
    """An account's template. provider_id: the provider's id, once submitted. state: "draft", or the provider's word."""

    channel: str
    account: str
    name: str
    language: str
    category: str
    body: str
    body_examples: dict[str, str] = {}
    header: Head | None = None
    footer: str = ""
    buttons: tuple[Choice, ...] = ()
    provider_id: str = ""
    created_at: datetime | None = None
    changed_at: datetime | None = None
    version: int = 0
    state: str = "draft"
    usable: bool = False
    reason: str = ""

    @property
    def id(self) -> str:
        return template_key(self.channel, self.account, self)


def places(text: str) -> list[str]:
    """Return the variables of a text in their order, each once."""
    return list(dict.fromkeys(PLACE.findall(text)))


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its variables filled in; those without a value stay."""
    return PLACE.sub(lambda match: values.get(match[1], match[0]), text)
