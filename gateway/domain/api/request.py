"""What a caller may ask for, as the API writes it, and how a mistake in it is told. Pure.

Unknown fields are refused rather than passed over: a misspelt option that silently does nothing is the worst answer.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from gateway.domain.api.allowed import allowed_words, form_of
from gateway.domain.model.change import Wanted

T = TypeVar("T")
Name = Annotated[str, Meta(min_length=1, max_length=256)]
Text = Annotated[str, Meta(max_length=16_384)]
Version = Annotated[int, Meta(ge=1, le=999_999_999)]


WEB = {"form": "a web address is needed, which begins with http:// or https://"}


LONGEST_QUOTE = 300
"""Characters of a mistake's sentence and of its field. Both may quote the caller, and each item has its own."""


class RequestError(Exception):
    """A mistake in the request: a stable `code`, a sentence, and the path of the field, as in `channels[0].text`.

    What is longer than LONGEST_QUOTE is cut.
    """

    def __init__(self, code: str, message: str, field: str = "") -> None:
        self.code, self.message, self.field = code, shorten(message), shorten(field)
        super().__init__(self.message)

    def within(self, path: str) -> "RequestError":
        """Return the same mistake with `path` before the path of its field."""
        dot = "." if path and self.field and not self.field.startswith("[") else ""
        return RequestError(self.code, self.message, f"{path}{dot}{self.field}")


class Input(Struct, rename="camel", forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """The base of all that is read from callers."""


class IdentifiedInput(Input):
    """By what a person is known. `identifier`: `kind:value`, as the API tells it, of these kinds or a channel's own.

    Their form is checked by `gateway.people.identifiers` and not here, so that a mistake in one destination is its own.
    """

    phone: str | None = None
    email: str | None = None
    external_id: str | None = None
    device: str | None = None
    identifier: str | None = None


class PersonInput(IdentifiedInput):
    """A person, by an identifier, by our id of their contact, or by a conversation with them."""

    contact_id: Name | None = None
    chat_session_id: Name | None = None


class Destination(PersonInput):
    """One recipient, named in at least one way; `variables` fill the texts. timezone: IANA's name of theirs."""

    timezone: Name | None = None
    variables: dict[str, Any] = {}


class ButtonInput(Input):
    """`reply` comes back when it is pressed (the text itself, if not given); `url` opens a page instead."""

    text: Annotated[str, Meta(min_length=1, max_length=64)]
    reply: Annotated[str, Meta(max_length=64)] = ""
    url: Annotated[str, Meta(max_length=2048, pattern="^(https?://.+)?$", extra=WEB)] = ""


class MediaInput(Input):
    """A file: by its `url` and `type`, or by the `id` of an uploaded one, which knows its type."""

    type: Literal["image", "video", "audio", "document"] | None = None
    url: Annotated[str, Meta(max_length=2048, pattern="^(https?://.+)?$", extra=WEB)] = ""
    id: Annotated[str, Meta(max_length=64)] = ""
    name: Annotated[str, Meta(max_length=256)] = ""


class HeaderInput(Input):
    """What fills a template's header: the variable of its text; a file by `url` and `name`; or a place, in degrees.

    A file is also given by the `id` of an uploaded one.
    """

    type: Literal["text", "image", "video", "document", "location"]
    variables: Annotated[dict[str, Text], Meta(max_length=1)] = {}
    url: Text = ""
    id: Annotated[str, Meta(max_length=64)] = ""
    name: Text = ""
    address: Text = ""
    latitude: Annotated[float, Meta(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Meta(ge=-180, le=180)] | None = None


class TemplateButtonInput(Input):
    """What fills a template's button, counted from 0: `url`, the end of its address; or `reply`, what comes back."""

    index: Annotated[int, Meta(ge=0, le=9)]
    url: Text = ""
    reply: Text = ""


class TemplateInput(Input):
    """A template that the provider has approved. `variables` by name or by number; all texts may hold ours."""

    name: Name
    language: Name
    variables: Annotated[dict[str, Text], Meta(max_length=100)] = {}
    header: HeaderInput | None = None
    buttons: Annotated[list[TemplateButtonInput], Meta(max_length=10)] = []


class StepInput(Input):
    """A step: `text` (with buttons, media) while we may speak freely, `template` when we may not.

    subject, html: the same for channels that show them; values put into `html` are shown as they are, never as markup.

    sender: the name or number that it comes from, where the channel shows one; the account's own, if not given.
    intent: why we write although the window is shut, in the word of a provider that lets text through with one.
    required: it goes out whatever becomes of the others.
    """

    channel: Name
    account: Name | None = None
    sender: Name | None = msgspec.field(name="from", default=None)
    text: Text = ""
    subject: Annotated[str, Meta(max_length=998)] = ""
    html: Annotated[str, Meta(max_length=65_536)] = ""
    buttons: Annotated[list[ButtonInput], Meta(max_length=10)] = []
    media: MediaInput | None = None
    template: TemplateInput | None = None
    intent: Name | None = None
    success: Literal["sent", "delivered", "read"] | None = None
    fallback_after: timedelta = timedelta(minutes=5)
    required: bool = False


class TermsInput(Input):
    """When and how a message may leave, whatever asks for it: a call, a template, a job. See MessageInput."""

    validity_period: Annotated[int, Meta(ge=1, le=2880)] = 1440
    allowed_time_ranges: Annotated[list[tuple[str, str]], Meta(max_length=24)] = []
    weekdays: Annotated[list[Annotated[int, Meta(ge=1, le=7)]], Meta(max_length=7)] = []
    timezone: Name | None = None
    category: Literal["service", "marketing"] = "service"
    use_short_links: bool | None = None


class SendingInput(TermsInput):
    """The same of what is really sent: where changes of a message's status are posted. See MessageInput."""

    callback_url: Annotated[str, Meta(max_length=4000)] | None = None
    callback_events: Wanted = "all"
    callback_data: Annotated[str, Meta(max_length=10_240)] | None = None


OWN_ID = "up to 64 English letters, digits, '.', '_', '~' and '-' are needed, of which the first is a letter or a digit"
OwnId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~-]{0,63}\Z", extra={"form": OWN_ID})]

RESERVED = ("export", "validate")
"""No message's id: the API has other things under these names."""


class MessageInput(SendingInput, kw_only=True):
    """One message for each of the destinations. `id`: the caller's own; the same message under it is sent once.

    template_id: an own template, whose channels count; its newest version, unless template_version names one.
    `validity_period` in minutes, for the whole cascade, from `send_at`. allowed_time_ranges: pairs of local times,
    start and end; weekdays: 1 Monday to 7 Sunday; both hold for every step. priority: normal for a few destinations,
    bulk for many, if none is named. category: people may want no marketing, and the rest all the same.
    use_short_links: in every step, or in none; if not given, in those charged by their length. callback_url: where
    changes of its status are posted, signed; `callback_data` is echoed there. ambiguous: whether what may have been
    sent may be sent again.
    """

    destinations: Annotated[list[Destination], Meta(min_length=1, max_length=1000)]
    channels: Annotated[list[StepInput], Meta(max_length=10)] = []
    template_id: Name | None = None
    template_version: Version | None = None
    id: OwnId | None = None
    send_at: Annotated[datetime, Meta(tz=True)] | None = None
    priority: Literal["urgent", "normal", "bulk"] | None = None
    ambiguous: Literal["atMostOnce", "atLeastOnce"] = "atMostOnce"
    group_id: Name | None = None


AnyMessage = Annotated[Any, Meta(extra_json_schema={"anyOf": [{"$ref": "#/components/schemas/MessageInput"}, {}]})]
"""A message; anything else is that item's mistake."""


class BulkRequest(Input):
    """The body of POST /messages. The messages are read one by one, so that each fails alone."""

    messages: Annotated[list[AnyMessage], Meta(min_length=1, max_length=1000)]
    bulk_id: Name | None = None


class UnreadDestination(Destination):
    """A destination whose variables are not decoded yet."""

    variables: dict[str, msgspec.Raw] = {}


class UnreadMessage(MessageInput, kw_only=True):
    """A message whose variables are not decoded yet: only what may be a variable's value is ever made of them."""

    destinations: Annotated[list[UnreadDestination], Meta(min_length=1, max_length=1000)]  # type: ignore[assignment]


class UnreadBulk(BulkRequest):
    """A BulkRequest whose messages are not decoded yet: a MiB of empty lists is more objects than one turn is for."""

    messages: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=1000)]


class CancelRequest(Input):
    """The body of DELETE /messages: one of the three."""

    id: Name | None = None
    group_id: Name | None = None
    bulk_id: Name | None = None


class ContactRequest(IdentifiedInput):
    """The body of POST /contacts: identifiers that belong to one person."""


def read(kind: type[T], body: bytes) -> T:
    """Read JSON as this kind. Raises RequestError, which names the field."""
    try:
        return msgspec.json.decode(body.decode(), type=kind)  # what stays `Raw` has to be text, too
    except msgspec.ValidationError as error:
        raise _mistake(error, kind) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestError("not_json", f"the body is not JSON: {error}") from None
    except RecursionError:
        raise RequestError("not_json", "the body is not JSON that anyone means: it is nested too deep") from None


def convert(kind: type[T], value: Mapping[str, Any]) -> T:
    """Convert decoded JSON to this kind. Raises RequestError, which names the field."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise _mistake(error, kind) from None


def shorten(text: str, longest: int = LONGEST_QUOTE) -> str:
    """Return the text, or so many characters of its beginning and a mark that it was cut."""
    return text if len(text) <= longest else f"{text[:longest]}…"


PATH = " - at `"
"""What msgspec puts between its sentence and the path of the value."""


MOMENT = "a time is written with its zone, as in 2026-11-29T10:00:00+03:00"
MOMENTS = {
    "Invalid RFC3339 encoded datetime": f"there is no such moment: {MOMENT}",
    "Expected `datetime` with a timezone component": MOMENT,
}
"""msgspec's sentences on a time, and ours."""


FIELD_MISTAKES = frozenset({"Object missing required", "Object contains unknown"})
"""How msgspec's sentences on a field begin, in front of the field's name."""


def _mistake(error: msgspec.ValidationError, kind: Any) -> RequestError:
    """Take the path out of msgspec's sentence, "… - at `$.channels[0]`", which may quote the caller at any length."""
    sentence, _, end = str(error).rpartition(PATH)
    path = end.removeprefix("key` in `").removeprefix("$").removeprefix(".").removesuffix("`")
    if not sentence or "`" in path:  # msgspec names no path: this is its whole sentence, and the caller's words in it
        sentence, path = str(error), ""
    before, _, name = sentence.partition(" field `")
    if before in FIELD_MISTAKES:
        path = f"{path}.{name.removesuffix('`')}".removeprefix(".")
    if sentence.startswith("Invalid enum value"):
        sentence = f"{shorten(sentence, 60)}: one of {', '.join(allowed_words(kind, path))}"
    if "matching regex" in sentence:
        sentence = form_of(kind, path)
    return RequestError("invalid", MOMENTS.get(sentence, sentence), path)
