"""ARCHITECTURE's table of bounds says what the code says."""

from importlib import import_module

import pytest
from msgspec import Struct

from tests.support.docs import ROOT, rows

UNITS = {"": 1, "KiB": 1024, "MiB": 1024**2}
BOUNDS = [(place.strip("`"), figure) for _, figure, place in rows(ROOT / "ARCHITECTURE.md", "## Bounds")]


def value_at(place: str) -> object:
    """Return what stands at `module.NAME` or `module.Class.field`; of a field, its default."""
    module, _, name = place.rpartition(".")
    if module.rpartition(".")[2][:1].isupper():
        module, _, owner = module.rpartition(".")
        kind = getattr(import_module(module), owner)
        return getattr(kind() if issubclass(kind, Struct) else kind, name)
    return getattr(import_module(module), name)


@pytest.mark.parametrize(("place", "figure"), BOUNDS)
def test_the_figure_is_that_of_the_code(place: str, figure: str) -> None:
    number, _, unit = figure.replace(",", "").partition(" ")
    assert value_at(place) == int(number) * UNITS[unit]


def test_there_are_bounds() -> None:
    assert len(BOUNDS) > 25
