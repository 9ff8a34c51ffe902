"""Identifiers: by what a person is known, as data. Which kinds reach somebody is for the channels to say. Pure."""

from collections.abc import Iterable
from typing import NewType

Identifier = NewType("Identifier", str)
"""`kind:value`, as it is stored, indexed, and told to callers: `phone:+79000000001`, `externalId:crm-17`."""

KINDS = ("externalId", "phone", "email", "device")
"""The kinds that the API has fields of their own for. A channel may reach people by kinds that only it knows."""

SEVERAL = frozenset({"device"})
"""A person has one identifier of a kind, but any number of these."""


def identifier(kind: str, value: str) -> Identifier:
    """Return the identifier of this kind and value."""
    return Identifier(f"{kind}:{value}")


def identifiers(**values: str | None) -> tuple[Identifier, ...]:
    """Return the identifiers of those of these kinds that have a value, in their order."""
    return tuple(identifier(kind, value) for kind, value in values.items() if value)


def kind_of(known_by: Identifier) -> str:
    """Return the kind of an identifier."""
    return known_by.partition(":")[0]


def value_of(known_by: Identifier) -> str:
    """Return the value of an identifier."""
    return known_by.partition(":")[2]


def find(identifiers: Iterable[Identifier], kind: str) -> str | None:
    """Return the value of the first identifier of this kind, or None where there is none."""
    return next((value_of(known_by) for known_by in identifiers if kind_of(known_by) == kind), None)


def without_rivals(identifiers: Iterable[Identifier], new: Iterable[Identifier]) -> tuple[Identifier, ...]:
    """Return those of `identifiers` that can stay beside the `new` ones: of most kinds a person has only one."""
    taken = {kind_of(known_by) for known_by in new} - SEVERAL
    return tuple(known_by for known_by in identifiers if kind_of(known_by) not in taken and known_by not in set(new))
