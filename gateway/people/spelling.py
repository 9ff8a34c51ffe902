"""Brings values of identifiers to their one form. It imports little, since files are read in small processes."""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import pairwise
from unicodedata import category

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from gateway.domain.api.request import RequestError
from gateway.domain.model.identifier import Identifier, identifier, kind_of, value_of
from gateway.domain.model.phone import dialled

MOST = 256
"""Characters of an identifier's value."""

LONGEST = {"device": 4096}
"""Those of kinds that have longer ones: a browser's push subscription is a URL and two keys."""


def check_value(kind: str, value: str) -> str:
    """Return the value without spaces around it. Raises RequestError if it cannot be one of this kind."""
    value, most = value.strip(), LONGEST.get(kind, MOST)
    if not value or any(category(character) == "Cc" for character in value):
        raise RequestError("invalid", "it is empty, or holds characters that nobody sees", kind)
    if len(value) > most:
        raise RequestError("invalid", f"it is too long: at most {most} characters", kind)
    return value


def check_identifier(text: str) -> str:
    """Return an identifier as a caller writes it. Raises RequestError if it is none, whatever its kind."""
    kind, colon, value = text.partition(":")
    if not (kind and colon and value.strip()):
        raise RequestError("invalid", "an identifier is written as kind:value", "identifier")
    check_value(kind, value)
    return text


SEPARATORS = frozenset(" -()./\u00a0\u2007\u2009\u202f\u2010\u2011\u2012\u2013\u2014\u2212")
"""What people put between the digits of one number: blanks, dashes, brackets, dots, slashes."""


def normal_phone(phone: str, region: str) -> str:
    """Return a phone number as E.164, as it is dialled today; one without a country is of `region`.

    Raises RequestError, also where something else stands beside the number: whoever wrote it there meant something.
    """
    phone = "".join(character for character in phone if category(character) != "Cf").strip().removeprefix("tel:")
    if any(not (character.isdecimal() or character in SEPARATORS) for character in phone.lstrip(" (").lstrip("+＋")):
        raise RequestError("bad_phone", "this is not one phone number and nothing else", "phone")
    try:
        number = phonenumbers.parse(phone, region)
    except phonenumbers.NumberParseException:
        raise RequestError("bad_phone", "this is not a phone number", "phone") from None
    if "/" in phone and _has_another_end(phone, number):
        raise RequestError("bad_phone", "this is not one phone number and nothing else", "phone")
    text = dialled(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    if not phonenumbers.is_valid_number(phonenumbers.parse(text, None)):
        raise RequestError("bad_phone", "no such phone number can exist", "phone")
    return text


def _has_another_end(text: str, number: phonenumbers.PhoneNumber) -> bool:
    """Tell whether a slash stands between two ends of a number (123456/7), and not behind an area code or a group."""
    parts = [re.findall(r"\d+", part) for part in text.split("/")]
    area = phonenumbers.length_of_national_destination_code(number)
    left = len(phonenumbers.national_significant_number(number))
    for before, behind in reversed(list(pairwise(parts))):
        digits, group = len("".join(behind)), len("".join(before[-1:]))
        left -= digits
        if left > area and group > digits and (group > LONGEST_GROUP or digits == 1):
            return True
    return False


LONGEST_GROUP = 3
"""Digits of the groups in which numbers are written; what is shorter may follow: 123/45/67."""


def reported_form(name: Identifier) -> Identifier | None:
    """Return an identifier that a provider reports in its one form; None for a number that nobody can be sent to."""
    if kind_of(name) != "phone":
        return name
    with suppress(RequestError):
        return identifier("phone", normal_phone(value_of(name), ""))
    return None


def reported_forms(names: Iterable[Identifier | None]) -> tuple[Identifier, ...]:
    """Return what a provider reports in its one form, each once, without what nobody can be sent to."""
    return tuple(dict.fromkeys(form for name in names if name and (form := reported_form(name))))


def normal_email(email: str, _: str) -> str:
    """Return an e-mail address in lower case. Raises RequestError. The domain is not looked up."""
    try:
        return validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise RequestError("bad_email", f"this is not an e-mail address: {error}", "email") from None


FORMS: Mapping[str, Callable[[str, str], str]] = {"phone": normal_phone, "email": normal_email}
"""How a value of a kind is brought into its one form, where the kind has one."""
