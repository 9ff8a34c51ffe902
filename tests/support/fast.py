"""Which tests start nothing: no server, no database, no process. They are marked `fast` when they are collected.

A test is fast if neither its code, nor that of its fixtures, nor that of our functions which they mention, mentions one
of the names that start something. A method's code is read where its class is mentioned, and not where it is called.
"""

import inspect
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

import pytest

STARTS = frozenset(
    {
        "Popen",
        "async_playwright",
        "create_server",
        "create_subprocess_exec",
        "create_subprocess_shell",
        "embedded",
        "measure",
        "mongodb_uri",
        "open_connection",
        "served",
        "start_server",
        "subprocess",
    }
)
"""Names of what starts a server or a process, or needs one."""

OURS = ("bots", "gateway", "storage", "tests", "webhooks")


def is_fast(item: pytest.Function) -> bool:
    """Return whether this test starts nothing."""
    if STARTS.intersection(item.fixturenames):
        return False
    fixtures = item._fixtureinfo.name2fixturedefs
    functions = [item.function, *(each.func for name in item.fixturenames for each in fixtures.get(name, ()))]
    return not any(map(starts, functions))


def starts(thing: Any) -> bool:
    """Return whether this function or class of ours mentions, itself or by others, something that is started."""
    return any(name in STARTS for name in _names(thing, set()))


def _names(thing: Any, seen: set[CodeType]) -> Iterator[str]:
    """Yield every name that is mentioned by a function or class of ours and by those that it mentions."""
    if inspect.isclass(thing):
        for member in (member for kind in thing.__mro__ if _is_ours(kind) for member in vars(kind).values()):
            yield from _names(member, seen)
        return
    function = inspect.unwrap(thing) if callable(thing) else thing
    if not isinstance(function, FunctionType) or not _is_ours(function) or function.__code__ in seen:
        return
    seen.add(function.__code__)
    scope = {**function.__globals__, **inspect.getclosurevars(function).nonlocals}
    for name in _mentioned(function.__code__):
        yield name
        if name in scope:
            yield from _names(scope[name], seen)


def _is_ours(thing: Any) -> bool:
    return str(thing.__module__).partition(".")[0] in OURS


def _mentioned(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _mentioned(constant)
