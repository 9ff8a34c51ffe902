"""A template with its values. Cloud API: Template messages, Coupon codes, Limited-time offers, Carousels."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, field

from bots.whatsapp.simulator.types.common import Document, Image, Location, Strict, Video


class Value(Strict, tag="text"):
    text: Annotated[str, Meta(min_length=1)]
    parameter_name: str = ""


class Fallback(Strict):
    fallback_value: Annotated[str, Meta(min_length=1)]
    code: str = ""
    amount_1000: int = 0


class Currency(Strict, tag="currency"):
    currency: Fallback
    parameter_name: str = ""

    @property
    def text(self) -> str:
        """Return the amount as it is shown."""
        return self.currency.fallback_value


class DateTime(Strict, tag="date_time"):
    date_time: Fallback
    parameter_name: str = ""

    @property
    def text(self) -> str:
        """Return the time as it is shown."""
        return self.date_time.fallback_value


TextValue = Value | Currency | DateTime


class Payload(Strict, tag="payload"):
    payload: Annotated[str, Meta(min_length=1, max_length=128)]


class Coupon(Strict, tag="coupon_code"):
    coupon_code: Annotated[str, Meta(min_length=1, max_length=20)]


class FlowStart(Strict, tag="action"):
    action: dict[str, Any]


class Expiration(Strict):
    expiration_time_ms: int


class Offer(Strict, tag="limited_time_offer"):
    limited_time_offer: Expiration


class HeaderPart(Strict, tag="header"):
    parameters: Annotated[list[TextValue | Image | Video | Document | Location], Meta(min_length=1, max_length=1)]


class BodyPart(Strict, tag="body"):
    parameters: list[TextValue]


class ButtonPart(Strict, tag="button"):
    sub_type: Literal["url", "quick_reply", "copy_code", "flow", "otp"]
    index: Annotated[str, Meta(pattern=r"^[0-9]$")]
    parameters: Annotated[list[Value | Payload | Coupon | FlowStart], Meta(min_length=1, max_length=1)]


class OfferPart(Strict, tag="limited_time_offer"):
    parameters: Annotated[list[Offer], Meta(min_length=1, max_length=1)]


class Filled(Strict):
    """Something whose components are filled in: a template, or a card of its carousel."""

    components: list["HeaderPart | BodyPart | ButtonPart | OfferPart | CarouselPart"] = field(default_factory=list)

    @property
    def values(self) -> list[TextValue]:
        parts = [part for part in self.components if isinstance(part, BodyPart)]
        return [value for part in parts for value in part.parameters]

    @property
    def header(self) -> TextValue | Image | Video | Document | Location | None:
        parts = [part for part in self.components if isinstance(part, HeaderPart)]
        return parts[0].parameters[0] if parts else None

    @property
    def buttons(self) -> dict[int, ButtonPart]:
        return {int(part.index): part for part in self.components if isinstance(part, ButtonPart)}


class Card(Filled, kw_only=True):
    card_index: Annotated[int, Meta(ge=0, le=9)]


class CarouselPart(Strict, tag="carousel"):
    cards: Annotated[list[Card], Meta(min_length=1, max_length=10)]


class Language(Strict):
    code: str
    policy: Literal["deterministic"] = "deterministic"


class TemplateUse(Filled, kw_only=True):
    name: str
    language: Language

    @property
    def has_offer(self) -> bool:
        """Tell whether it says when its offer ends."""
        return any(isinstance(part, OfferPart) for part in self.components)

    @property
    def cards(self) -> list[Card]:
        """Return the cards of its carousel."""
        return [card for part in self.components if isinstance(part, CarouselPart) for card in part.cards]


def in_small_letters(use: Mapping[str, Any]) -> dict[str, Any]:
    """Return a template or a card as this module reads it: Meta takes types in capitals too, and indexes as numbers."""
    return {**use, "components": [_component(part) for part in use.get("components") or ()]}


def _component(part: object) -> object:
    if not isinstance(part, dict):
        return part
    small = {
        name: value.lower() for name, value in part.items() if name in {"type", "sub_type"} and isinstance(value, str)
    }
    index = {"index": str(part["index"])} if "index" in part else {}
    cards = {"cards": [in_small_letters(card) for card in part["cards"]]} if "cards" in part else {}
    parameters = {"parameters": [_parameter(value) for value in part["parameters"]]} if "parameters" in part else {}
    return {**part, **small, **index, **cards, **parameters}


def _parameter(value: object) -> object:
    return {**value, "type": str(value["type"]).lower()} if isinstance(value, dict) and "type" in value else value
