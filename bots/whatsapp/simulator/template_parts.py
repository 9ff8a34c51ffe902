"""What Meta refuses in the parts of a new template. Business Management API: Template components.

The subcodes are those of Meta's list of errors of template creation.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from bots.whatsapp.simulator.components import Fault, names

Json = dict[str, Any]
LIMITS = {"HEADER": 60, "BODY": 1024, "FOOTER": 60}
BUTTON, CODE, OFFER = 25, 15, 16
MOST = {"URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1, "OTP": 1, "FLOW": 1}
MOST_BUTTONS = 10
TOO_LONG, HEADER, BODY, FOOTER, EDGE = 2388040, 2388047, 2388072, 2388073, 2388299
FORMATS = {"HEADER": HEADER, "BODY": BODY, "FOOTER": FOOTER}
OWN_TEXT = {"COPY_CODE", "OTP", "CATALOG", "MPM"}
"""The buttons whose text Meta writes, where nobody else does."""


def part_faults(parts: list[Json], uploads: Mapping[str, bytes] | None) -> Iterator[Fault]:
    """Yield the faults of a template's components. `uploads`: the files that examples may name; None: any."""
    if sum(part["type"] == "BODY" for part in parts) != 1:
        yield Fault(100, "components of type BODY are required", BODY)
    for part in parts:
        yield from _faults_of(part, uploads)


def _faults_of(part: Json, uploads: Mapping[str, bytes] | None) -> Iterator[Fault]:
    match part["type"]:
        case "BUTTONS":
            yield from _buttons_faults(part.get("buttons", []))
        case "CAROUSEL":
            yield from _carousel_faults(part.get("cards", []), uploads)
        case "LIMITED_TIME_OFFER":
            if not 0 < len(part.get("limited_time_offer", {}).get("text", "")) <= OFFER:
                yield Fault(100, f"the text of an offer has up to {OFFER} characters", TOO_LONG)
        case "HEADER" if part.get("format", "TEXT") != "TEXT":
            yield from _file_faults(part, uploads)
        case "HEADER" | "BODY" | "FOOTER" as kind:
            yield from _text_faults(part, kind)
        case kind:
            yield Fault(100, f"Param components: there is no type {kind}")


def _carousel_faults(cards: list[Json], uploads: Mapping[str, bytes] | None) -> Iterator[Fault]:
    if not 2 <= len(cards) <= 10:  # noqa: PLR2004 - Cloud API: Media card carousel templates
        yield Fault(100, "a carousel has two to ten cards")
    shapes = {tuple(part["type"] for part in card["components"]) for card in cards}
    if len(shapes) > 1:
        yield Fault(100, "all cards of a carousel have the same components")
    for card in cards:
        for part in card["components"]:
            yield from _faults_of(part, uploads)


def _file_faults(header: Json, uploads: Mapping[str, bytes] | None) -> Iterator[Fault]:
    if header["format"] == "LOCATION":
        return
    (handle, *_) = header.get("example", {}).get("header_handle") or [""]
    if not handle or (uploads is not None and handle not in uploads):
        yield Fault(100, "a header of a file needs an example", HEADER)


def _text_faults(part: Json, kind: str) -> Iterator[Fault]:
    text, subcode = part.get("text", ""), FORMATS[kind]
    if not 0 < len(text) <= LIMITS[kind]:
        yield Fault(100, f"{kind} exceeds {LIMITS[kind]} characters", TOO_LONG)
    variables = names(text)
    if "{{" in re.sub(r"{{\w+}}", "", text) or (kind == "FOOTER" and variables):
        yield Fault(100, f"the variables of {kind} are not well formed", subcode)
    if kind == "HEADER" and len(variables) > 1:
        yield Fault(100, "a header has at most one variable", subcode)
    yield from _numbering_faults(variables, kind)
    own_text = "add_security_recommendation" in part
    if kind == "BODY" and not own_text and (re.match(r"{{\w+}}", text) or re.search(r"{{\w+}}$", text)):
        yield Fault(100, "Variables can't be at the start or end of the template", EDGE)
    if not own_text and len(_examples(part, kind.lower())) != len(variables):
        yield Fault(100, f"the examples of {kind} do not fit its variables", subcode)


def _numbering_faults(variables: list[str], kind: str) -> Iterator[Fault]:
    numbers = [int(name) for name in variables if name.isdecimal()]
    if numbers and sorted(numbers) != list(range(1, len(variables) + 1)):
        yield Fault(100, f"the variables of {kind} are not numbered from 1 on", FORMATS[kind])


def _examples(part: Json, kind: str) -> list[Any]:
    example = part.get("example") or {}
    if f"{kind}_text_named_params" in example:
        return list(example[f"{kind}_text_named_params"])
    values = example.get(f"{kind}_text", [])
    return list(values[0] if values and isinstance(values[0], list) else values)


def _buttons_faults(buttons: list[Json]) -> Iterator[Fault]:
    kinds = [str(button.get("type")) for button in buttons]
    counts = Counter(kinds)
    if not 0 < len(buttons) <= MOST_BUTTONS:
        yield Fault(100, f"a template has up to {MOST_BUTTONS} buttons")
    for kind, most in MOST.items():
        if counts[kind] > most:
            yield Fault(100, f"a template has up to {most} buttons of type {kind}")
    if sum((first == "QUICK_REPLY") != (second == "QUICK_REPLY") for first, second in pairwise(kinds)) > 1:
        yield Fault(100, "buttons of type QUICK_REPLY have to stand together")
    texts = [text for button in buttons if (text := button.get("text"))]
    if len({*texts}) < len(texts):
        yield Fault(100, "the texts of a template's buttons are not unique")
    for button in buttons:
        yield from _button_faults(button)


def _button_faults(button: Json) -> Iterator[Fault]:
    kind, url = button.get("type"), button.get("url", "")
    if kind not in OWN_TEXT and not 0 < len(button.get("text", "")) <= BUTTON:
        yield Fault(100, f"a button's text exceeds {BUTTON} characters, or there is none", TOO_LONG)
    if kind == "URL" and not url:
        yield Fault(100, "a button of type URL needs a url")
    if names(url) and not re.fullmatch(r"[^{}]+\{\{1\}\}", url):
        yield Fault(100, "a button's address has one variable, {{1}}, at its end")
    if names(url) and not button.get("example"):
        yield Fault(100, "a button's address with a variable needs an example")
    if kind == "COPY_CODE" and not 0 < len("".join(button.get("example") or "")) <= CODE:
        yield Fault(100, f"a button of type COPY_CODE needs an example of up to {CODE} characters")
    if kind == "OTP" and button.get("otp_type") not in {"COPY_CODE", "ONE_TAP", "ZERO_TAP"}:
        yield Fault(100, "otp_type must be one of COPY_CODE, ONE_TAP, ZERO_TAP")
