"""Cursors: positions in a list, as opaque texts that callers pass back to get the next page."""

import base64
from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta

from gateway.domain.api.request import Input, RequestError
from storage.documents.newest import Place
from storage.documents.queue import EPOCH

MOST = 200
"""Items on a page, at most."""

NO_CURSOR = "this is no cursor that a page gave"

Limit = Annotated[int, Meta(ge=1, le=MOST)]
Cursor = Annotated[str, Meta(min_length=1, max_length=2048)]


class PageQuery(Input):
    """Which page is requested. cursor: the one that the page before gave."""

    limit: Limit = 50
    cursor: Cursor | None = None


def cursor(at: datetime, key: str) -> str:
    """Return the cursor of the page that begins after this item."""
    milliseconds = (at - EPOCH) // timedelta(milliseconds=1)
    return base64.urlsafe_b64encode(f"{milliseconds} {key}".encode()).decode()


def place(text: str | None) -> Place | None:
    """Return the position that a cursor stands for; None for none. Raises RequestError."""
    if text is None:
        return None
    try:
        milliseconds, _, key = base64.urlsafe_b64decode(text).decode().partition(" ")
        return Place(EPOCH + timedelta(milliseconds=int(milliseconds)), key)
    except (ValueError, OverflowError):
        raise RequestError("invalid", NO_CURSOR, "cursor") from None
