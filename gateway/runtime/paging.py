"""Cursors: where the next page of a list begins, as text that callers hand back unread."""

import base64
from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta

from gateway.domain.api.request import Input, RequestError
from storage.documents.newest import Place
from storage.documents.queue import EPOCH

MOST = 200
"""Items on a page."""

Limit = Annotated[int, Meta(ge=1, le=MOST)]
Cursor = Annotated[str, Meta(min_length=1, max_length=2048)]


class PageQuery(Input):
    """Which page is wanted. `cursor` is what the page before it gave."""

    limit: Limit = 50
    cursor: Cursor | None = None


def cursor(at: datetime, key: str) -> str:
    """Behind this one the next page begins."""
    milliseconds = (at - EPOCH) // timedelta(milliseconds=1)
    return base64.urlsafe_b64encode(f"{milliseconds} {key}".encode()).decode()


def place(told: str | None) -> Place | None:
    """Where a cursor points to. Raises RequestError."""
    if told is None:
        return None
    try:
        milliseconds, _, key = base64.urlsafe_b64decode(told).decode().partition(" ")
        return Place(EPOCH + timedelta(milliseconds=int(milliseconds)), key)
    except (ValueError, OverflowError):
        raise RequestError("invalid", "this is no cursor that a page gave", "cursor") from None
