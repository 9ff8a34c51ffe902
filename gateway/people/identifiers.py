"""Normalises identifiers as callers write them to the one form in which they are stored and compared."""

from collections.abc import Callable, Mapping

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from gateway.domain.api.request import IdentifiedInput, RequestError
from gateway.domain.model.identifier import Identifier, identifier, kind_of, value_of
from gateway.runtime.runtime import Runtime


def read_identifiers(runtime: Runtime, request: IdentifiedInput) -> dict[str, Identifier]:
    """Return the identifiers of a request, each by the field that names it. Raises RequestError."""
    fields = {
        "externalId": request.external_id,
        "phone": request.phone,
        "email": request.email,
        "device": request.device,
    }
    identifiers = {kind: normalise(runtime, kind, value) for kind, value in fields.items() if value}
    if request.identifier:
        identifiers["identifier"] = _read_any(runtime, request.identifier)
    return identifiers


def _read_any(runtime: Runtime, text: str) -> Identifier:
    kind, value = kind_of(Identifier(text)), value_of(Identifier(text)).strip()
    if kind not in runtime.kinds:
        kinds = ", ".join(runtime.kinds)
        raise RequestError("unknown_kind", f"there are identifiers of the kinds {kinds}", "identifier")
    if not value:
        raise RequestError("invalid", "an identifier is written as kind:value", "identifier")
    try:
        return normalise(runtime, kind, value)
    except RequestError as error:
        raise RequestError(error.code, error.message, "identifier") from None


def normalise(runtime: Runtime, kind: str, value: str) -> Identifier:
    """Return the identifier in its one form, however it is written. Raises RequestError."""
    return identifier(kind, _FORMS[kind](value, runtime.settings.default_region) if kind in _FORMS else value)


def normal_phone(phone: str, region: str) -> str:
    """Return a phone number as E.164; one without a country is of `region`. Raises RequestError."""
    try:
        number = phonenumbers.parse(phone, region)
    except phonenumbers.NumberParseException:
        raise RequestError("bad_phone", "this is not a phone number", "phone") from None
    if not phonenumbers.is_valid_number(number):
        raise RequestError("bad_phone", "no such phone number can exist", "phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normal_email(email: str, _: str) -> str:
    """Return an e-mail address in lower case. Raises RequestError. The domain is not looked up."""
    try:
        return validate_email(email.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise RequestError("bad_email", f"this is not an e-mail address: {error}", "email") from None


_FORMS: Mapping[str, Callable[[str, str], str]] = {"phone": normal_phone, "email": normal_email}
