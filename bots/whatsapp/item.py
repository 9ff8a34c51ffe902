"""Reads a webhook's JSON without trusting its shape: what is missing, or of another type, reads as empty."""

import hashlib
from datetime import UTC, datetime

import msgspec


def dig(item: object, *path: str) -> object:
    """Return the value at the end of the path, or None."""
    for name in path:
        item = item.get(name) if isinstance(item, dict) else None
    return item


def word(item: object, *path: str) -> str:
    """Return the text at the end of the path, or "". Numbers count as text, since Meta writes some ids both ways."""
    value = dig(item, *path)
    return str(value) if isinstance(value, str | int | float) else ""


def words(item: object, *names: str) -> tuple[str, ...]:
    """Return the texts under these names, as `word` reads them."""
    return tuple(word(item, name) for name in names)


def lists(item: object, *names: str) -> tuple[list[object], ...]:
    """Return the lists under these names, as `items` reads them."""
    return tuple(items(item, name) for name in names)


def items(item: object, *path: str) -> list[object]:
    """Return the list at the end of the path, or []."""
    value = dig(item, *path)
    return value if isinstance(value, list) else []


def moment(seconds: str, default: datetime) -> datetime:
    """Return Meta's time: Unix seconds as text, or `default` for "". Raises ValueError where it is no time."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC) if seconds else default
    except (OverflowError, OSError):
        raise ValueError(f"not a time: {seconds}") from None


def to_json(item: object) -> str:
    """Return the item as JSON, always in the same order."""
    return msgspec.json.encode(item, order="deterministic").decode()


def digest(item: object) -> str:
    """Return a name for an item that has none of its own; the same item always gets the same name."""
    return hashlib.sha256(to_json(item).encode()).hexdigest()[:32]
