"""Breaks JSON values in one place, to test parsers with every wrong value in every place."""

import json
from collections.abc import Iterator
from typing import Any

WRONG: tuple[object, ...] = (None, True, -1, 10**20, 1.5, "", "x", [], [[]], {}, {"id": {}})

Path = tuple[Any, ...]


def places(value: Any, *path: Any) -> Iterator[Path]:
    """Yield the path, as keys and indexes, to everything inside a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, *path, key)


def break_at(value: Any, path: Path, wrong: object) -> Any:
    """Return a copy of `value` with `wrong` at this path."""
    copy = json.loads(json.dumps(value))
    parent = copy
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = wrong
    return copy
