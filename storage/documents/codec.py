"""How our values become documents and come back."""

from datetime import datetime
from typing import Any, TypeVar

import msgspec
from motor.motor_asyncio import AsyncIOMotorCollection
from msgspec import Struct

Document = dict[str, Any]
Collection = AsyncIOMotorCollection[Document]
T = TypeVar("T", bound=Struct)

DUPLICATE = 11000
"""The code of the error that tells of a document which is there already."""


def to_document(value: Struct) -> Document:
    """A value as a document: `id` becomes `_id`, defaults are left out, lengths of time become ISO 8601."""
    document: Document = msgspec.to_builtins(value, builtin_types=(datetime,))
    if "id" in document:
        document["_id"] = document.pop("id")
    return document


def from_document(kind: type[T], document: Document) -> T:
    """The value that a document holds; fields that it does not know are passed over."""
    if "_id" in document:
        document = {**document, "id": document["_id"]}
    return msgspec.convert(document, kind)
