"""Finds rows of a file that say the same, or mean the same person, as a row before them."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b

import msgspec


class Repetitions:
    """The rows so far. fields: those of a destination that name a person."""

    def __init__(self, fields: Sequence[str]) -> None:
        self._fields = fields
        self._rows: dict[bytes, int] = {}

    def same(self, number: int, destination: Mapping[str, object]) -> int | None:
        """Return the row with just this destination, and remember it if there is none."""
        row = self._rows.setdefault(_digest(msgspec.json.encode(destination)), number)
        return row if row != number else None

    def person(self, number: int, destination: Mapping[str, object]) -> tuple[str, int] | None:
        """Return the field that a row before has, too, and that row. Remembers the destination's person."""
        found = None
        for name in (name for name in self._fields if name in destination):
            row = self._rows.setdefault(_digest(f"{name}:{destination[name]}".encode()), number)
            found = found or ((name, row) if row != number else None)
        return found


def _digest(text: bytes) -> bytes:
    return blake2b(text, digest_size=12).digest()
