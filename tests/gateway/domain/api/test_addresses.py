"""Where a web address in a text begins and ends: as people write, in any script."""

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.api.addresses import find_addresses

REAL = [
    "https://a.ru",
    "http://a.ru/",
    "https://youtu.be/abcdefghij_",
    "https://youtu.be/-abc-",
    "https://ru.wikipedia.org/wiki/Москва",
    "https://ru.wikipedia.org/wiki/Ель_(значения)",
    "https://en.wikipedia.org/wiki/A_(b_(c))",
    "https://a.ru/?a[]=1&b[]",
    "https://a.ru/?filter[price][from]=1",
    "https://a.ru/x?q=a,b;c:d!e.f",
    "https://a.ru/#/route/7?x=1",
    "https://a.ru:8443/~anna/a%20b+c@d$e'f*g",
    "Https://A.ru/X",
    "HTTPS://A.RU",
    "https://web.archive.org/web/2020/https://a.ru/x",
    "https://a.ru/go?to=https://b.ru/y",
    "https://cors.ru/?http://b.ru",
    "https://пример.рф/заказ/17?имя=Анна#далее",
    "https://例え.jp/パス",
    "https://a.ru/e\u0301",
    "https://maps.app.goo.gl/AbC123",
    "https://ru.wikipedia.org/wiki/Москва–Петушки",
]
BEFORE = [
    "",
    "see ",
    "(",
    "[",
    "{",
    "«",
    "“",
    "„",
    "「",
    "（",
    "<",
    '"',
    "\n",
    "link=",
    "a:",
    "请看",
    "👍",
    "*",
    "'",
    "…",
]
AFTER = [
    *("", " now", ".", ",", ", and", ".)", ").", "!", "?!", "...", "…", ":", ";", "\n", "\u00a0", "\u200b"),
    *(
        ")",
        "]",
        "}",
        "))",
        "»",
        "»,",
        "”",
        "“",
        "」",
        "）",
        ">",
        '"',
        "。谢谢",
        "，好",
        "、",
        "！",
        "？",
        "؟",
        "،",
        "।",
        "՞",
        "၊",
    ),
    *("👍", "—новости", " - x", "|x", "\\n", ",https://b.ru", ";http://b.ru/", ".HTTPS://b.ru"),
]


def first(text: str) -> str:
    start, end = next(find_addresses(text))
    return text[start:end]


@pytest.mark.parametrize("address", REAL)
def test_an_address_between_any_two_texts_comes_out_whole(address: str) -> None:
    found = {(before, after): first(before + address + after) for before in BEFORE for after in AFTER}
    assert {places: other for places, other in found.items() if other != address} == {}


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("https://a.ru/1,https://b.ru/2", ["https://a.ru/1", "https://b.ru/2"]),
        ("https://a.ru/1https://b.ru/2", ["https://a.ru/1", "https://b.ru/2"]),
        ("_https://a.ru/x_ *https://b.ru* 'https://c.ru'", ["https://a.ru/x", "https://b.ru", "https://c.ru"]),
        ("(https://a.ru/x_(y)), (https://b.ru)", ["https://a.ru/x_(y)", "https://b.ru"]),
        ("https://a.ru/go?to=https://b.ru, https://c.ru", ["https://a.ru/go?to=https://b.ru", "https://c.ru"]),
        ("ftp://a.ru a.ru www.a.ru mailto:anna@a.ru", []),
    ],
)
def test_several(text: str, addresses: list[str]) -> None:
    assert [text[start:end] for start, end in find_addresses(text)] == addresses


@given(st.lists(st.sampled_from([*REAL, *BEFORE, *AFTER]), max_size=20).map("".join) | st.text())
def test_addresses_stand_in_the_text_one_after_another(text: str) -> None:
    places = [place for pair in find_addresses(text) for place in pair]
    assert places == sorted(places)
    assert all(text[start:].lower().startswith("http") for start in places[::2])


def steps_for(text: str) -> int:
    """Return how many functions are called to find all addresses of a text."""
    calls = 0

    def count(*_: Any) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        list(find_addresses(text))
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("part", ["https://a,", "https://a.ru/?=https://", "https://" + ")" * 50, "(((https://a)))"])
def test_the_work_grows_with_the_text_and_no_faster(part: str) -> None:
    assert steps_for(part * 2000) < 2.1 * steps_for(part * 1000)
