"""Collects a text and its entities, counted as Telegram counts. Bot API: MessageEntity."""

from typing import Any, NamedTuple
from urllib.parse import urlsplit

from bots.wire.cutting import units

Entity = dict[str, Any]


class CannotParse(Exception):
    """Raised for a text that does not follow its parse mode, with the server's own words."""


class Marked(NamedTuple):
    """A text without its markup, and the entities that took the markup's place, outer ones first."""

    text: str
    entities: list[Entity]

    def trimmed(self) -> "Marked":
        """Return the text without the white space around it; the entities keep their words."""
        head = units(self.text) - units(self.text.lstrip())
        text = self.text.strip()
        return Marked(
            text, [entity for entity in (_moved(entity, -head, units(text)) for entity in self.entities) if entity]
        )


def _moved(entity: Entity, by: int, end: int) -> Entity | None:
    start, stop = max(0, entity["offset"] + by), min(end, entity["offset"] + by + entity["length"])
    return {**entity, "offset": start, "length": stop - start} if start < stop else None


class Writer:
    """A text under way. `position` is where the next character goes, in UTF-16 code units."""

    def __init__(self) -> None:
        self.position = 0
        self._pieces: list[str] = []
        self._entities: list[Entity] = []

    def write(self, text: str) -> None:
        self._pieces.append(text)
        self.position += units(text)

    def mark(self, start: int, entity: Entity) -> None:
        """Mark everything from `start` up to here. An entity of nothing is dropped."""
        if entity and self.position > start:
            self._entities.append({**entity, "offset": start, "length": self.position - start})

    def text_from(self, piece: int) -> str:
        """Return what was written since there were so many pieces."""
        return "".join(self._pieces[piece:])

    @property
    def pieces(self) -> int:
        """Return how many pieces were written."""
        return len(self._pieces)

    def marked(self) -> Marked:
        entities = sorted(self._entities, key=lambda entity: (entity["offset"], -entity["length"]))
        return Marked("".join(self._pieces), entities)


def link(url: str) -> Entity:
    """Return the entity of an inline link; one that leads nowhere is shown as plain text."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    return (
        {"type": "text_link", "url": url} if parts.netloc and "." in parts.netloc + "." * (parts.scheme == "tg") else {}
    )


def bytes_before(text: str, index: int) -> int:
    """Return an index as the server's errors name it: in bytes."""
    return len(text[:index].encode())
