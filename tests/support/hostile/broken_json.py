"""JSON that is broken in one place: in each place there is, by each wrong value."""

import json
from collections.abc import Iterator
from typing import Any

WRONG: tuple[object, ...] = (None, True, -1, 10**20, 1.5, "", "x", [], [[]], {}, {"id": {}})

Way = tuple[Any, ...]


def places(value: Any, *channel: Any) -> Iterator[Way]:
    """The way to everything inside a JSON value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in inside:
        yield (*channel, key)
        yield from places(inner, *channel, key)


def break_at(value: Any, channel: Way, wrong: object) -> Any:
    """A copy with this in that place."""
    copy = json.loads(json.dumps(value))
    place = copy
    for key in channel[:-1]:
        place = place[key]
    place[channel[-1]] = wrong
    return copy
