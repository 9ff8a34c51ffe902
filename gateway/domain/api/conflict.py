"""The error for a request that conflicts with what is stored."""


class Conflict(Exception):
    """The request conflicts with what is stored; the text tells the caller why.

    field: the request's field that conflicts, or "" if it is none in particular.
    """

    def __init__(self, words: str, field: str = "") -> None:
        super().__init__(words)
        self.field = field
