"""Says what is allowed in the place of a word that is not: an enum's or a literal's values, or a form. Pure."""

import re
from enum import Enum
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import inspect

STEP = re.compile(r"[^.\[\]]+")
"""A field's name in a path, `...` left out, or the number of an item."""


def allowed_words(kind: Any, path: str) -> list[str]:
    """Return the words that are allowed at this path in a value of this kind; none where it is no choice of words."""
    return _words(_at(kind, path))


def form_of(kind: Any, path: str) -> str:
    """Return what a text at this path has to be, by the `form` in its type's `extra`; "" where no type says one."""
    return _form(_at(kind, path))


def _at(kind: Any, path: str) -> inspect.Type:
    place = _info(kind)
    for step in STEP.findall(path):
        place = _inside(place, step)
    return place


@lru_cache
def _info(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def _plain(place: inspect.Type) -> inspect.Type:
    """Return what a type is without its bounds and without null."""
    if isinstance(place, inspect.Metadata):
        return _plain(place.type)
    if isinstance(place, inspect.UnionType):
        others = [each for each in place.types if not isinstance(each, inspect.NoneType)]
        return _plain(others[0]) if len(others) == 1 else place
    return place


def _inside(place: inspect.Type, step: str) -> inspect.Type:
    match _plain(place):
        case inspect.StructType(fields=fields):
            return next((field.type for field in fields if field.encode_name == step), inspect.AnyType())
        case inspect.ListType(item_type=item):
            return item
    return inspect.AnyType()


def _words(place: inspect.Type) -> list[str]:
    match _plain(place):
        case inspect.LiteralType(values=values):
            return [str(value) for value in values]
        case inspect.EnumType(cls=cls):
            return [msgspec.to_builtins(member.value) for member in cls if isinstance(member, Enum)]
    return []


def _form(place: inspect.Type) -> str:
    match place:
        case inspect.Metadata(extra=extra, type=kind):
            return str((extra or {}).get("form", "")) or _form(kind)
        case inspect.UnionType(types=kinds):
            return next(filter(None, map(_form, kinds)), "")
        case inspect.DictType(key_type=key):  # a mistake in a key is told at the path of the whole
            return _form(key)
    return ""
