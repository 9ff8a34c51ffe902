"""Answers of the API: responses as JSON, and errors as JSON with `error` and `details`, never a stack trace."""

import logging
from typing import Any, TypeVar

import msgspec
from quart import Quart, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from gateway.domain.api.conflict import Conflict
from gateway.domain.api.request import RequestError
from gateway.domain.api.response import View
from storage.access.keys import KeyConflict
from storage.engine.database import DatabaseError

log = logging.getLogger(__name__)

JSON = "application/json"

RETRY_AFTER = "5"
"""Seconds after which a caller may find the database back."""


def answer(response: msgspec.Struct, status: int = 200) -> Response:
    """Return an HTTP response with this struct as its JSON body."""
    return Response(msgspec.json.encode(response), status, content_type=JSON)


T = TypeVar("T")


def require(key: str, item: T | None) -> T:
    """Return the item that was looked up under `key`. Raises Refusal (404) if there is none."""
    if item is None:
        raise Refusal(404, "There is no such thing.", {"id": key})
    return item


class DeletedResponse(View):
    """id: what was deleted."""

    id: str


class Refusal(Exception):
    """An error answer: an HTTP status, a sentence, and details. `retry_after` is in seconds."""

    def __init__(self, status: int, error: str, details: Any = None) -> None:
        super().__init__(error)
        self.status, self.error, self.details = status, error, details
        self.retry_after: int | None = None


def register_errors(app: Quart) -> None:
    """Give every kind of exception its answer."""
    app.register_error_handler(Refusal, _refusal)
    app.register_error_handler(RequestError, _request_error)
    app.register_error_handler(KeyConflict, _key_conflict)
    app.register_error_handler(Conflict, _conflict)
    app.register_error_handler(DatabaseError, _database_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _internal_error)


def error_answer(status: int, error: str, details: Any = None) -> Response:
    """Return an HTTP response with an error as its JSON body."""
    response = jsonify({"error": error, "details": details})
    response.status_code = status
    if status == 401:  # noqa: PLR2004
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def status_of(error: Exception) -> int:
    """Return the HTTP status with which this exception is answered."""
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
    response = error_answer(error.status, error.error, error.details)
    if error.retry_after:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


UNTYPED = frozenset({"", "application/octet-stream"})
"""Types that say nothing of what a body is. What is JSON is read whatever its type: `curl -d` calls it a form."""


async def _request_error(error: RequestError) -> Response:
    claimed = request.mimetype not in UNTYPED and not request.mimetype.endswith("json")
    return error_answer(
        415 if claimed and error.code == "not_json" else status_of(error),
        error.message,
        {"code": error.code, "field": error.field},
    )


async def _key_conflict(error: KeyConflict) -> Response:
    sentence = "This Idempotency-Key was used with another body."
    return error_answer(status_of(error), sentence, {"field": "Idempotency-Key"})


async def _conflict(error: Conflict) -> Response:
    return error_answer(status_of(error), str(error), {"field": error.field} if error.field else None)


NOTHING = "The database does not answer; nothing was accepted.", "Try again later."
PERHAPS = (
    "The database does not answer; a part of this may have been accepted.",
    "Repeat it later. With the same Idempotency-Key, or ids of your own, no message is sent twice.",
)
"""The sentence and the details of a 503, if nothing can have been stored, and if something may have been."""


async def _database_error(error: DatabaseError) -> Response:
    log.error("the database does not answer: %s", error)
    unknown = request.method not in {"GET", "HEAD"} and "caller" in g
    response = error_answer(status_of(error), *(PERHAPS if unknown else NOTHING))
    response.headers["Retry-After"] = RETRY_AFTER
    return response


async def _http_error(error: HTTPException) -> Response:
    response = error_answer(status_of(error), error.description or error.name)
    if isinstance(error, MethodNotAllowed):
        response.allow.update(error.valid_methods or ())
    if isinstance(error, RequestEntityTooLarge):
        response.headers["Connection"] = "close"  # the rest of the body is not read
    return response


async def add_guards(response: Response) -> Response:
    """Tell browsers not to guess what an answer is, and not to show it inside of another site's page."""
    response.headers["X-Content-Type-Options"] = "nosniff"
    policy = response.headers.get("Content-Security-Policy", "")
    if "frame-ancestors" not in policy:
        response.headers["Content-Security-Policy"] = "; ".join(filter(None, [policy, "frame-ancestors 'none'"]))
    return response


async def _internal_error(error: Exception) -> Response:
    log.error("a request failed", exc_info=error)
    return error_answer(status_of(error), "Something went wrong on our side.")
