"""Looking into a webhook's JSON without trusting its shape: what is not there, or is something else, reads as empty."""

import hashlib
from datetime import UTC, datetime

import msgspec


def dig(item: object, *path: str) -> object:
    """What lies at the end of the path, or None."""
    for name in path:
        item = item.get(name) if isinstance(item, dict) else None
    return item


def word(item: object, *path: str) -> str:
    """The text at the end of the path; numbers count as text, since Meta writes some ids both ways."""
    found = dig(item, *path)
    return str(found) if isinstance(found, str | int | float) else ""


def items(item: object, *path: str) -> list[object]:
    """The list at the end of the path."""
    found = dig(item, *path)
    return found if isinstance(found, list) else []


def moment(seconds: str, otherwise: datetime) -> datetime:
    """Meta's time: Unix seconds as text. Raises ValueError where there is a time that is none."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC) if seconds else otherwise
    except (OverflowError, OSError):
        raise ValueError(f"not a time: {seconds}") from None


def written(item: object) -> str:
    """The item as JSON, always in the same order."""
    return msgspec.json.encode(item, order="deterministic").decode()


def digest(item: object) -> str:
    """A name for an item that has none of its own; the same again when it is delivered again."""
    return hashlib.sha256(written(item).encode()).hexdigest()[:32]
