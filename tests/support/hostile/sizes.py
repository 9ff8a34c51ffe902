"""Makes requests large: one place of a JSON value, or the whole body, grows up to a size."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.support.hostile.broken_json import break_at, places

WORDS = (
    "{{a}}",
    "{{a|title}}",
    "https://a.ru/?",
    "unknown field `",
    "+79000000001",
    "\0",
    "ё",
    "😀",
    " ",
    "[",
    '"',
    "$.",
)


def grown(value: Any, random: Random, size: int) -> bytes:
    """Return the value as JSON of at most `size` bytes, one place of which became about as large as that."""
    word = random.choice(WORDS)
    larger: list[Callable[[], Any]] = [
        lambda: word * (size // 8),
        lambda: [word] * (size // 32),
        lambda: {f"{word}{number}": number for number in range(size // 64)},
        lambda: {"a": {"b": [[word * (size // 64)] * 4] * 2}},
    ]
    new = random.choice(larger)()
    path = random.choice([(), *places(value)]) if isinstance(value, dict | list) else ()
    body = json.dumps(break_at(value, path, new) if path else new, ensure_ascii=random.random() < 0.5)
    return body.encode("utf-8", "surrogatepass")[:size]
