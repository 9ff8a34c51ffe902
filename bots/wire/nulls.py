"""Takes the nulls out of a provider's JSON: a field that is null is one that is missing."""

from typing import Any

DEEPEST = 12
"""Levels that are looked at. What we read lies higher; deeper ones stay as they are, however deep they go."""


def without_nulls(value: Any, levels: int = DEEPEST) -> Any:
    """Return a JSON value without the fields that are null."""
    if levels == 0:
        return value
    if isinstance(value, dict):
        return {name: without_nulls(item, levels - 1) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item, levels - 1) for item in value]
    return value
