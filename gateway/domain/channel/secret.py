"""Secrets: a type that does not print itself, and the check that one is not easily guessed. Pure."""

import re
from typing import Any, NoReturn

PLACEHOLDER = re.compile(r"(?i)change.?me|secret$|password|example|^test")
VISIBLE = re.compile(r"[!-~]+")
GUESSABLE = re.compile(r"(.)\1{7}|^1234")
MIN_SECRET = 16


class Secret:
    """A secret that does not print. Only `reveal` shows it, so every use can be found."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "<secret>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written down")


class OwnSecret(Secret):
    """A secret that we choose ourselves, so it is checked for being easy to guess. Others come from the provider."""


def read_secret(kind: type[Any], value: object) -> object:
    """Read a setting as a secret of this kind, in the form of msgspec's `dec_hook`.

    Raises ValueError for a weak secret, NotImplementedError for a kind that is no Secret.
    """
    if not issubclass(kind, Secret):
        raise NotImplementedError(kind)
    if not isinstance(value, str) or len(value) < MIN_SECRET:
        raise ValueError(f"a secret of at least {MIN_SECRET} characters is needed")
    if not VISIBLE.fullmatch(value):
        raise ValueError(
            "a secret has no spaces, line ends or letters other than A-Z and a-z; was it cut or pasted badly?"
        )
    if PLACEHOLDER.search(value) or (kind is OwnSecret and GUESSABLE.search(value)):
        raise ValueError("this secret can be guessed; make one with: gateway secret")
    return kind(value)
