"""Phone numbers of which people, providers and callers use several spellings for one line. Pure.

Countries changed how their mobile numbers are dialled, and WhatsApp's ids keep what was valid when somebody registered.
"""

from collections.abc import Callable, Mapping

from gateway.domain.model.identifier import Identifier, identifier, kind_of, value_of


def _with_nine(national: str) -> str:
    """Return an Argentine number as it is dialled from abroad: mobiles have a 9 before the area code."""
    return f"9{national}" if len(national) == 10 else national  # noqa: PLR2004 - area code and line


def _without_nine(national: str) -> str:
    return national[1:] if len(national) == 11 and national[0] == "9" else national  # noqa: PLR2004


def _without_one(national: str) -> str:
    """Return a Mexican number as it has been dialled since 2019: mobiles had a 1 before the area code."""
    return national[1:] if len(national) == 11 and national[0] == "1" else national  # noqa: PLR2004


def _with_one(national: str) -> str:
    return f"1{national}" if len(national) == 10 else national  # noqa: PLR2004


def _with_ninth_digit(national: str) -> str:
    """Return a Brazilian number with the ninth digit that mobiles got until 2016: a 9 behind the area code."""
    mobile = len(national) == 10 and national[2] in "6789"  # noqa: PLR2004 - others are landlines
    return f"{national[:2]}9{national[2:]}" if mobile else national


def _without_ninth_digit(national: str) -> str:
    mobile = len(national) == 11 and national[2] == "9" and national[3] in "6789"  # noqa: PLR2004
    return national[:2] + national[3:] if mobile else national


def _with_01(national: str) -> str:
    """Return a Beninese number with the 01 that all of them got in 2024."""
    return f"01{national}" if len(national) == 8 else national  # noqa: PLR2004


def _without_01(national: str) -> str:
    return national[2:] if len(national) == 10 and national.startswith("01") else national  # noqa: PLR2004


RULES: Mapping[str, tuple[Callable[[str], str], Callable[[str], str]]] = {
    "+54": (_with_nine, _without_nine),
    "+52": (_without_one, _with_one),
    "+55": (_with_ninth_digit, _without_ninth_digit),
    "+229": (_with_01, _without_01),
}
"""Country -> how a national number is dialled today, and how else it may be spelled."""


def dialled(number: str) -> str:
    """Return a number in E.164 as it is dialled today, whatever its spelling."""
    for country, (today, _) in RULES.items():
        if number.startswith(country):
            return country + today(number.removeprefix(country))
    return number


def one_form(name: Identifier) -> Identifier:
    """Return an identifier in the one form in which it is compared; only phone numbers have several."""
    return identifier("phone", dialled(value_of(name))) if kind_of(name) == "phone" else name


def spellings(name: Identifier) -> tuple[Identifier, ...]:
    """Return all forms under which an identifier may have been stored: the one form first."""
    form = one_form(name)
    if kind_of(form) != "phone":
        return (form,)
    number = value_of(form)
    for country, (_, otherwise) in RULES.items():
        if number.startswith(country):
            other = country + otherwise(number.removeprefix(country))
            return tuple(dict.fromkeys((form, identifier("phone", other), name)))
    return (form,)
