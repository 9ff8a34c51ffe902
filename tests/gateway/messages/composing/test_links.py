"""Tests short links: one for each recipient, with counted clicks, and never a redirect to anywhere else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.domain.api.links import CODE, Shortening
from gateway.domain.model.nouns import Button, Content
from tests.support.client import PHONE, ApiClient
from tests.support.workload import accepted_messages, advance_clock, phones, post_message, send_all, texts

NOW = datetime(2026, 11, 24, tzinfo=UTC)
BASE = "https://go.shop.ru"
LONG = "https://shop.ru/orders/17?from=sms&utm_campaign=" + "november" * 20
STEP = {"channel": "sms", "text": f"Pay here: {LONG}."}


def shorten(text: str) -> tuple[str, list[str]]:
    """Shorten the links of a text. Returns the text with LINK for each short link, and the links' targets."""
    shortening = Shortening(BASE, "m1", NOW, timedelta(days=1))
    short = shortening.content(Content(text)).text
    for link in shortening.links:
        short = short.replace(f"{BASE}/{link.id}", "LINK")
    return short, [link.target for link in shortening.links]


@pytest.mark.parametrize(
    ("text", "short", "targets"),
    [
        ("no address", "no address", []),
        ("See https://a.ru/x, now", "See LINK, now", ["https://a.ru/x"]),
        ("(https://a.ru/x)", "(LINK)", ["https://a.ru/x"]),
        ("https://a.ru/x_(y)", "LINK", ["https://a.ru/x_(y)"]),
        ("https://a.ru/?a=1&b=2!", "LINK!", ["https://a.ru/?a=1&b=2"]),
        ("https://a.ru https://b.ru https://a.ru", "LINK LINK LINK", ["https://a.ru", "https://b.ru"]),
        ("HTTPS://пример.рф/", "LINK", ["HTTPS://пример.рф/"]),
        ("https://пример.рф/я", "LINK", ["https://пример.рф/я"]),
        ("https://user:secret@a.ru/", "https://user:secret@a.ru/", []),
        ("javascript:alert(1) ftp://a.ru http://", "javascript:alert(1) ftp://a.ru http://", []),
        ("https://a..ru/", "https://a..ru/", []),
        ("https://a.ru/" + "x" * 2048, "https://a.ru/" + "x" * 2048, []),
    ],
)
def test_addresses_in_texts(text: str, short: str, targets: list[str]) -> None:
    assert shorten(text) == (short, targets)


@given(st.text())
def test_any_text_stays_the_same_but_for_its_addresses(text: str) -> None:
    shortening = Shortening(BASE, "m1", NOW, timedelta(days=1))
    short = shortening.content(Content(text)).text
    for link in shortening.links:
        short = short.replace(f"{BASE}/{link.id}", link.target)
    assert short == text


def test_buttons() -> None:
    shortening = Shortening(BASE, "m1", NOW, timedelta(days=1))
    content = shortening.content(Content("a", buttons=(Button("Pay", url="https://a.ru/"), Button("No", reply="no"))))
    assert content.buttons[0].url == f"{BASE}/{shortening.links[0].id}"
    assert content.buttons[1] == Button("No", reply="no")


def test_a_list_of_addresses_stays_one_beyond_twenty() -> None:
    text = " ".join(f"https://a.ru/{number % 10_000}" for number in range(20_000))
    short, targets = shorten(text)
    assert targets == [f"https://a.ru/{number}" for number in range(20)]
    assert short.split()[:22] == ["LINK"] * 20 + ["https://a.ru/20", "https://a.ru/21"]
    assert short.split()[10_000:10_021] == ["LINK"] * 20 + ["https://a.ru/20"]


def test_codes() -> None:
    shortening = Shortening(BASE, "m1", NOW, timedelta(days=1))
    codes = {shortening.short(f"https://a.ru/{number}") for number in range(1000)}
    assert len(codes) == 1000
    assert all(CODE.fullmatch(link.id) for link in shortening.links)


async def follow(url: str, agent: str = "Safari", method: str = "GET") -> tuple[int, str | None, Any]:
    """Request a link without a key. Returns status, target and response."""
    async with aiohttp.request(method, url, headers={"User-Agent": agent}, allow_redirects=False) as response:
        return response.status, response.headers.get("Location"), response


async def links(demo: ApiClient, key: str) -> list[Any]:
    return list((await demo.story(key))["shortLinks"])


async def test_each_recipient_has_their_own_and_clicks_are_counted(demo: ApiClient) -> None:
    first, second = await send_all(demo, phones(2), STEP, useShortLinks=True)
    await demo.wait_for(first, "DELIVERED")
    await demo.wait_for(second, "DELIVERED")
    (first_link,), (second_link,) = await links(demo, first), await links(demo, second)
    assert first_link["code"] != second_link["code"]
    assert sorted(texts(demo, "sms")) == sorted(f"Pay here: {link['url']}." for link in (first_link, second_link))
    status, target, response = await follow(first_link["url"])
    assert (status, target) == (302, LONG)
    assert response.headers["Cache-Control"] == "no-store"
    await follow(first_link["url"], "WhatsApp/2.2")
    await follow(first_link["url"], method="HEAD")
    advance_clock(demo, hours=1)
    await follow(first_link["url"])
    async with demo.http.get(f"/api/v1/shortLinks/{first_link['code']}") as response:
        link = await response.json()
    assert (link["clicks"], link["previews"]) == (2, 1)
    assert link["firstClickAt"] < link["lastClickAt"]
    assert (await links(demo, second))[0]["clicks"] == 0


@pytest.mark.parametrize("tail", [".", ")", "/", "!", "...", "»", "。", "/?utm=1", "_", "&nbsp;", "и так далее"])
async def test_marks_that_a_messenger_took_for_a_part_of_the_link_lead_on(demo: ApiClient, tail: str) -> None:
    (key,) = await send_all(demo, phones(1), STEP, useShortLinks=True)
    (link,) = await links(demo, key)
    assert (await follow(link["url"] + tail))[:2] == (302, LONG)
    assert [(await follow(link["url"] + other))[0] for other in ("A", "7/")] == [404, 404]
    assert (await links(demo, key))[0]["clicks"] == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"User-Agent": "Mozilla/5.0 (Linux; Android 8.0) Google-PageRenderer Google"},
        {"User-Agent": ""},
        {"User-Agent": "Safari", "Sec-Purpose": "prefetch;prerender"},
        {"User-Agent": "Safari", "Purpose": "preview"},
    ],
)
async def test_who_only_looks_is_not_counted_as_a_click(demo: ApiClient, headers: dict[str, str]) -> None:
    (key,) = await send_all(demo, phones(1), STEP, useShortLinks=True)
    (link,) = await links(demo, key)
    async with aiohttp.request("GET", link["url"], headers=headers, allow_redirects=False) as response:
        assert response.status == 302
    (link,) = await links(demo, key)
    assert (link["clicks"], link["previews"], link["firstClickAt"]) == (0, 1, None)


async def test_addresses_with_letters_of_other_alphabets(demo: ApiClient) -> None:
    target = "https://пример.рф/заказ/17?имя=Анна#далее"
    (key,) = await send_all(demo, phones(1), {"channel": "sms", "text": target}, useShortLinks=True)
    (link,) = await links(demo, key)
    status, location, _ = await follow(link["url"])
    assert link["target"] == target
    assert status == 302
    assert location == (
        "https://xn--e1afmkfd.xn--p1ai/%D0%B7%D0%B0%D0%BA%D0%B0%D0%B7/17"
        "?%D0%B8%D0%BC%D1%8F=%D0%90%D0%BD%D0%BD%D0%B0#%D0%B4%D0%B0%D0%BB%D0%B5%D0%B5"
    )


async def test_parts_are_counted_anew(demo: ApiClient) -> None:
    short = (await post_message(demo, phones(1), STEP, useShortLinks=True))[0]
    long = (await post_message(demo, phones(1), STEP, useShortLinks=False))[0]
    assert (short["plan"][0]["parts"], long["plan"][0]["parts"]) == (1, 2)


async def test_where_nobody_says_only_sms_is_made_short_and_only_if_people_can_follow(demo: ApiClient) -> None:
    steps = [{"channel": "whatsapp", "text": LONG}, {"channel": "sms", "text": LONG}]
    runtime = demo.environment.runtime
    for base, count in (("https://go.shop.ru", 1), ("", 0)):
        runtime.settings = replace(runtime.settings, short_url=base)
        (key,) = await send_all(demo, phones(1), *steps)
        assert len(await links(demo, key)) == count
    (key,) = await send_all(demo, phones(1), *steps, useShortLinks=True)
    assert len(await links(demo, key)) == 1
    await demo.wait_for(key, "DELIVERED", "UNDELIVERED", "READ")


async def test_a_link_that_is_none_and_one_that_has_expired(demo: ApiClient) -> None:
    (key,) = await send_all(demo, [{"phone": PHONE}], STEP, useShortLinks=True)
    (link,) = await links(demo, key)
    base = link["url"].rpartition("/")[0]
    for code in ("nothing1", "x", "%00", "a" * 500, link["code"][:-1]):
        status, target, response = await follow(f"{base}/{code}")
        assert (status, target) == (404, None)
        assert response.headers["Content-Type"].startswith("text/html")
    advance_clock(demo, days=91)
    assert (await follow(link["url"]))[:2] == (410, None)


async def test_the_same_request_again_makes_no_second_message(demo: ApiClient) -> None:
    body = {"messages": [{"destinations": [{"phone": PHONE}], "channels": [STEP], "useShortLinks": True}]}
    answers = [await demo.post("/api/v1/messages", body, **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert answers[0] == answers[1]
    key = answers[0][1]["messages"][0]["id"]
    await demo.wait_for(key, "DELIVERED")
    (line,) = accepted_messages(demo, "sms")
    assert any(link["url"] in line.text for link in await links(demo, key))


async def test_all_of_them_in_pages(demo: ApiClient) -> None:
    await send_all(demo, phones(5), STEP, useShortLinks=True)
    codes: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        async with demo.http.get("/api/v1/shortLinks", params=query) as response:
            page = await response.json()
        codes += [link["code"] for link in page["shortLinks"]]
        cursor = page["cursor"]
    assert len(codes) == len(set(codes)) == 5
