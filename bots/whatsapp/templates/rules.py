"""Finds what Meta would refuse in a template, before it is submitted.

Business Management API: Message templates, Components.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from gateway.domain.channel.contract import TemplateBounds
from gateway.domain.channel.web import is_address
from gateway.domain.model.message_template import Choice, Head, MessageTemplate, places

NAME = re.compile(r"[a-z0-9_]{1,512}")
LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Z]{2,3})?")
VARIABLE = re.compile(r"[a-z][a-z0-9_]*|[1-9]\d?")
EDGE = re.compile(r"\s*{{\s*\w+\s*}}.*|.*{{\s*\w+\s*}}\s*", re.DOTALL)
PHONE = re.compile(r"\+\d{5,19}")
HEADER, BODY, FOOTER, BUTTON, URL = 60, 1024, 60, 25, 2000
"""The largest number of characters in each part."""

MOST, MOST_URLS, MOST_PHONES = 10, 2, 1
"""The largest number of buttons: in all, with an address, and with a phone number."""

BOUNDS = TemplateBounds(HEADER, BODY, FOOTER, BUTTON, MOST)
Mistakes = Iterator[tuple[str, str]]


def mistakes(template: MessageTemplate) -> Mistakes:
    """Yield fields, and what is wrong with each."""
    if not NAME.fullmatch(template.name):
        yield "name", "a name has small letters, digits and _ only"
    if not LANGUAGE.fullmatch(template.language):
        yield "language", "a language is written like en or en_US"
    if template.category == "AUTHENTICATION":
        yield "category", "the text of these is Meta's own: make it in the WhatsApp Manager, and sync"
    yield from _body(template)
    if template.header:
        yield from _header(template.header)
    if len(template.footer) > FOOTER or places(template.footer):
        yield "footer", f"a footer has up to {FOOTER} characters, and no variables"
    yield from _buttons(template.buttons)


def _body(template: MessageTemplate) -> Mistakes:
    names = places(template.body)
    if len(template.body) > BODY:
        yield "body", f"a body has up to {BODY} characters"
    if mistake := _numbering_mistake(names):
        yield "body", mistake
    if EDGE.fullmatch(template.body):
        yield "body", "a body neither begins nor ends with a variable"
    if missing := [name for name in names if name not in template.body_examples]:
        yield "bodyExamples", f"give an example for {', '.join(missing)}"
    if unknown := [name for name in template.body_examples if name not in names]:
        yield "bodyExamples", f"the body has no {', '.join(unknown)}"


def _numbering_mistake(names: list[str]) -> str:
    if any(not VARIABLE.fullmatch(name) for name in names):
        return "a variable is a number, or small letters, digits and _"
    numbers = sorted(int(name) for name in names if name.isdecimal())
    if numbers and len(numbers) < len(names):
        return "variables are either all numbers or all names"
    return "numbers begin with 1 and leave none out" if numbers != list(range(1, len(numbers) + 1)) else ""


def _header(header: Head) -> Mistakes:
    names = places(header.text)
    if header.type == "text":
        if not 0 < len(header.text) <= HEADER or "\n" in header.text:
            yield "header.text", f"a header's text is one line of up to {HEADER} characters"
        if len(names) > 1 or _numbering_mistake(names):
            yield "header.text", "a header has at most one variable, {{1}} or a name"
        if names and not header.example:
            yield "header.example", "give an example of its variable"
    elif header.text:
        yield "header.text", "only a header of text has one"
    elif header.type != "location" and not is_address(header.example):
        yield "header.example", "give the web address of a file such as will be sent"


def _buttons(buttons: tuple[Choice, ...]) -> Mistakes:
    kinds = [button.type for button in buttons]
    if len(buttons) > MOST or kinds.count("url") > MOST_URLS or kinds.count("phone") > MOST_PHONES:
        yield "buttons", f"at most {MOST}, of which {MOST_URLS} open an address and {MOST_PHONES} calls a number"
    changes = sum((first == "quickReply") != (second == "quickReply") for first, second in pairwise(kinds))
    if changes > 1:
        yield "buttons", "quick replies stand together"
    for index, button in enumerate(buttons):
        yield from ((f"buttons[{index}].{field}", words) for field, words in _button(button))


def _button(button: Choice) -> Mistakes:
    if len(button.text) > BUTTON or places(button.text):
        yield "text", f"a button's text has up to {BUTTON} characters, and no variables"
    if button.type == "phone" and not PHONE.fullmatch(button.phone):
        yield "phone", "a number is written like +79990000001"
    if button.type == "url":
        yield from _address(button)


def _address(button: Choice) -> Mistakes:
    names = places(button.url)
    if len(button.url) > URL or not is_address(re.sub(r"{{\s*\w+\s*}}\Z", "x", button.url)) or "{{" in button.url[:-5]:
        yield "url", "a web address, which may end in the variable {{1}}"
    if names and names != ["1"]:
        yield "url", "an address has the one variable {{1}}"
    if names and not is_address(button.example):
        yield "example", "give the whole address with a value in it"
