"""Identifiers of people, as data. The channels declare which kinds reach somebody. Pure."""

from collections.abc import Iterable
from typing import NewType

Identifier = NewType("Identifier", str)
"""`kind:value`, as it is stored, indexed, and shown to callers: `phone:+79000000001`, `externalId:crm-17`."""

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


def kind_of(identifier: Identifier) -> str:
    """Return the kind of an identifier."""
    return identifier.partition(":")[0]


def value_of(identifier: Identifier) -> str:
    """Return the value of an identifier."""
    return identifier.partition(":")[2]


def find(identifiers: Iterable[Identifier], kind: str) -> str | None:
    """Return the value of the first identifier of this kind, or None where there is none."""
    return next((value_of(each) for each in identifiers if kind_of(each) == kind), None)


def without_rivals(identifiers: Iterable[Identifier], new: Iterable[Identifier]) -> tuple[Identifier, ...]:
    """Return those of `identifiers` that can stay beside the `new` ones, without those that are among them."""
    own, added = tuple(identifiers), set(new)
    gone = added | set(rivals(own, added))
    return tuple(each for each in own if each not in gone)


def rivals(identifiers: Iterable[Identifier], new: Iterable[Identifier]) -> tuple[Identifier, ...]:
    """Return those of `identifiers` that cannot stay beside the `new` ones: of most kinds a person has only one."""
    added = set(new)
    kinds = {kind_of(each) for each in added} - SEVERAL
    return tuple(each for each in identifiers if kind_of(each) in kinds and each not in added)
