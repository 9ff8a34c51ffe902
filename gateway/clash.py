"""A wish that does not fit what is there."""


class Clash(Exception):
    """What is there stands in the way; the text says what, in words for the caller."""
