"""Normalises identifiers as callers write them to the one form in which they are stored and compared."""

from gateway.domain.api.request import IdentifiedInput, RequestError
from gateway.domain.model.identifier import Identifier, identifier, kind_of, rivals, value_of
from gateway.people.spelling import FORMS, check_identifier, check_value
from gateway.runtime.runtime import Runtime


def read_identifiers(runtime: Runtime, request: IdentifiedInput) -> dict[str, Identifier]:
    """Return the identifiers of a request, each by the field that names it. Raises RequestError."""
    fields = {
        "externalId": request.external_id,
        "phone": request.phone,
        "email": request.email,
        "device": request.device,
    }
    identifiers = {kind: normalise(runtime, kind, value) for kind, value in fields.items() if value is not None}
    if request.identifier is not None and (other := _read_any(runtime, request.identifier)) not in identifiers.values():
        if rivals(identifiers.values(), [other]):
            raise RequestError("invalid", f"a person has one {kind_of(other)}, and this is a second one", "identifier")
        identifiers["identifier"] = other
    return identifiers


def _read_any(runtime: Runtime, text: str) -> Identifier:
    check_identifier(text)
    kind = kind_of(Identifier(text))
    if kind not in runtime.kinds:
        kinds = ", ".join(runtime.kinds)
        raise RequestError("unknown_kind", f"there are identifiers of the kinds {kinds}", "identifier")
    try:
        return normalise(runtime, kind, value_of(Identifier(text)))
    except RequestError as error:
        raise RequestError(error.code, error.message, "identifier") from None


def normalise(runtime: Runtime, kind: str, value: str) -> Identifier:
    """Return the identifier in its one form, however it is written. Raises RequestError, with the kind as its field."""
    value = check_value(kind, value)
    return identifier(kind, FORMS[kind](value, runtime.settings.default_region) if kind in FORMS else value)
