"""One recipient's values for the texts of a message, and how much those texts may become with them."""

from collections.abc import Mapping

import msgspec

from gateway.domain.api.request import RequestError
from gateway.messages.composing.language import MAX_RESULT, Value

MOST = 256
"""The most variables of one recipient."""

MOST_BYTES = 128 * 1024
"""Bytes of all texts of one message in all its steps, once they are filled in."""


class Values:
    """The values of one recipient, and the room that is left for the texts of their message. Raises RequestError."""

    def __init__(self, variables: Mapping[str, msgspec.Raw], room: int = MOST_BYTES) -> None:
        self.variables = _read(variables)
        self.room = room

    def take_room(self, text: str, field: str) -> None:
        """Count this text in. Raises RequestError if it does not fit any more."""
        self.room -= len(text.encode(errors="replace"))
        if self.room < 0:
            words = f"the texts of one message have at most {MOST_BYTES // 1024} KiB once they are filled in"
            raise RequestError("too_long", words, field)


VALUE = msgspec.json.Decoder(Value)


def _read(variables: Mapping[str, msgspec.Raw]) -> Mapping[str, Value]:
    if len(variables) > MOST:
        raise RequestError("too_many", f"one recipient has at most {MOST} variables", "variables")
    checked: dict[str, Value] = {}
    for name, raw in variables.items():
        try:
            value = VALUE.decode(raw)
        except msgspec.DecodeError:
            words = "a variable is a text, a number, true or false"
            raise RequestError("invalid", words, f"variables.{name}") from None
        if isinstance(value, str) and len(value) > MAX_RESULT:
            raise RequestError("too_long", f"a variable has at most {MAX_RESULT // 1024} KiB", f"variables.{name}")
        checked[name] = value
    return checked
