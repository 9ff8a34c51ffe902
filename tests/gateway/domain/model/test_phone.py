"""Numbers of which people, providers and callers use several spellings: each line has one form, and all are found."""

import pytest

from gateway.domain.model.identifier import Identifier, identifier
from gateway.domain.model.phone import dialled, one_form, spellings

LINES = [
    # as it is dialled today, and how else it is spelled
    ("+5491123456780", "+541123456780"),
    ("+525512345678", "+5215512345678"),
    ("+5511987654321", "+551187654321"),
    ("+2290197123456", "+22997123456"),
]
ONE_SPELLING = ["+79000000001", "+551133334444", "+5491123", "+491701234567", "+1", "+2299712345"]


@pytest.mark.parametrize(("today", "otherwise"), LINES)
def test_both_spellings_of_a_line_are_one_number_and_find_each_other(today: str, otherwise: str) -> None:
    for number in (today, otherwise):
        assert dialled(number) == today
        assert one_form(identifier("phone", number)) == f"phone:{today}"
        assert spellings(identifier("phone", number)) == (f"phone:{today}", f"phone:{otherwise}")


@pytest.mark.parametrize("number", ONE_SPELLING)
def test_another_number_is_as_it_is(number: str) -> None:
    assert dialled(number) == number
    assert set(spellings(identifier("phone", number))) == {f"phone:{number}"}


@pytest.mark.parametrize("name", ["externalId:+541123456789", "email:anna@shop.example", "externalId:17"])
def test_what_is_no_number_has_no_spellings(name: Identifier) -> None:
    assert one_form(name) == name
    assert spellings(name) == (name,)
