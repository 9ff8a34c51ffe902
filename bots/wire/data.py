"""Keeps what people send to programs rather than to readers: the answers of a form, the lines of an order."""

from typing import Any

import msgspec

from bots.wire.nulls import without_nulls

MOST = 16_384
"""Bytes of JSON that are kept of one message."""

DEEPEST = 20
"""Levels of lists and objects that are kept."""

INTEGERS = range(-(2**63), 2**63)
"""The integers that a document can hold."""


def data(kind: str, value: object) -> dict[str, Any]:
    """Return an object of the provider's as `Content.data`, under the provider's word for it; {} if it is empty.

    What is larger than MOST bytes or deeper than DEEPEST levels, or what no document can hold, becomes None: it is
    written by people.
    """
    value = without_nulls(value)
    if value in (None, "", {}, []):
        return {}
    is_kept = _is_storable(value, DEEPEST) and len(msgspec.json.encode(value)) <= MOST
    return {kind: value if is_kept else None}


def _is_storable(value: object, levels: int) -> bool:
    """Tell whether a document can hold a JSON value. A name in it may not have a NUL (BSON specification)."""
    if isinstance(value, dict):
        return levels > 0 and all("\0" not in name and _is_storable(item, levels - 1) for name, item in value.items())
    if isinstance(value, list):
        return levels > 0 and all(_is_storable(item, levels - 1) for item in value)
    return not isinstance(value, int) or value in INTEGERS
