"""Answers: what is told, and what means no: always JSON with `error` and `details`, never a stack trace."""

import logging
from typing import Any, TypeVar

import msgspec
from quart import Quart, Response, jsonify
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import RequestError
from gateway.domain.api.response import View as View  # noqa: PLC0414
from storage.access.keys import KeyConflict
from storage.engine.database import DatabaseError

log = logging.getLogger(__name__)

RETRY_AFTER = "5"
"""Seconds after which a caller may find the database back."""


def answer(told: msgspec.Struct, status: int = 200) -> Response:
    """It as JSON."""
    return Response(msgspec.json.encode(told), status, content_type="application/json")


T = TypeVar("T")


def there(key: str, found: T | None) -> T:
    """It, if there is such a thing. Raises Refusal."""
    if found is None:
        raise Refusal(404, "There is no such thing.", {"id": key})
    return found


class Refusal(Exception):
    """A no: status, a sentence, and details."""

    def __init__(self, status: int, error: str, details: Any = None) -> None:
        super().__init__(error)
        self.status, self.error, self.details = status, error, details
        self.retry_after: int | None = None


def register_errors(app: Quart) -> None:
    """Every exception has its answer."""
    app.register_error_handler(Refusal, _refusal)
    app.register_error_handler(RequestError, _mistake)
    app.register_error_handler(KeyConflict, _conflict)
    app.register_error_handler(Conflict, _clash)
    app.register_error_handler(DatabaseError, _no_database)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _ours)


def no(status: int, error: str, details: Any = None) -> Response:
    response = jsonify({"error": error, "details": details})
    response.status_code = status
    if status == 401:  # noqa: PLR2004
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def status_of(error: Exception) -> int:
    """The HTTP status that this exception is answered with."""
    match error:
        case Refusal():
            return error.status
        case RequestError():
            return 400
        case KeyConflict() | Conflict():
            return 409
        case DatabaseError():
            return 503
        case HTTPException():
            return error.code or 500
    return 500


async def _refusal(error: Refusal) -> Response:
    response = no(error.status, error.error, error.details)
    if error.retry_after:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


async def _mistake(error: RequestError) -> Response:
    return no(status_of(error), error.message, {"code": error.code, "field": error.field})


async def _conflict(error: KeyConflict) -> Response:
    return no(status_of(error), "This Idempotency-Key was used with another body.", {"field": "Idempotency-Key"})


async def _clash(error: Conflict) -> Response:
    return no(status_of(error), str(error), {"field": error.field} if error.field else None)


async def _no_database(error: DatabaseError) -> Response:
    log.error("the database does not answer: %s", error)
    response = no(status_of(error), "The database does not answer; nothing was accepted.", "Try again later.")
    response.headers["Retry-After"] = RETRY_AFTER
    return response


async def _http(error: HTTPException) -> Response:
    response = no(status_of(error), error.description or error.name)
    if isinstance(error, MethodNotAllowed):
        response.allow.update(error.valid_methods or ())
    if isinstance(error, RequestEntityTooLarge):
        response.headers["Connection"] = "close"  # the rest of the body is not read
    return response


async def _ours(error: Exception) -> Response:
    log.error("a request failed", exc_info=error)
    return no(status_of(error), "Something went wrong on our side.")
