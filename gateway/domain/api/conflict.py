"""A wish that does not fit what is there."""


class Conflict(Exception):
    """What is there stands in the way; the text says what, for the caller. field: by which of theirs, or ""."""

    def __init__(self, words: str, field: str = "") -> None:
        super().__init__(words)
        self.field = field
