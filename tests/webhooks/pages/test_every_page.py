"""Every page, in each look: everybody can read it, it fits a phone, and it breaks no rule of its own policy."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, ViewportSize

from gateway.domain.api.roles import Role
from gateway.runtime.counting import write_counts
from tests.support.client import ApiClient
from tests.webhooks.pages.conftest import OPERATOR, watched_page
from tests.webhooks.pages.places import NO_PAGES, PLACES, Maker
from tests.webhooks.pages.visitor import PASSWORD, add_user
from webhooks.app import create_app

DESK, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)
Colours = Literal["light", "dark"]

LOOKS: dict[str, tuple[tuple[ViewportSize, Colours], ...]] = {
    "en-GB": ((DESK, "light"), (PHONE, "dark")),
    "ru-RU": ((PHONE, "light"), (DESK, "dark")),
}
"""In which sizes and colours a page is looked at in each language. It is loaded once in a language."""

THIRDS = [list(PLACES.values())[first::3] for first in range(3)]
"""The pages, in three tests that run side by side: axe takes most of a second for each look."""

RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
SEEN = """() => new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(() => seen({
    headings: document.querySelectorAll("h1").length,
    title: document.title,
    away: [...document.querySelectorAll("nav [aria-current]")].filter((link) => {
        const { left, right } = link.getBoundingClientRect();
        return left < 0 || right > innerWidth;
    }).map((link) => link.textContent),
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
}))))"""


def test_each_page_is_looked_at() -> None:
    rules = create_app().url_map.iter_rules()
    pages = {rule.endpoint for rule in rules if rule.endpoint.startswith("ui.") and "GET" in (rule.methods or ())}
    assert pages == set(PLACES) | set(NO_PAGES)


@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.parametrize("makers", THIRDS, ids=["first", "second", "third"])
async def test_everybody_can_read_every_page(demo: ApiClient, browser: Browser, makers: Sequence[Maker]) -> None:
    await add_user(demo, OPERATOR, Role.ADMIN)
    addresses, found, said = [await make(demo) for make in makers], list[str](), list[str]()
    await write_counts(
        demo.environment.runtime
    )  # what the makers did is plotted from now on, and not at some moment later
    for language, looks in LOOKS.items():
        async with tab(demo, browser, found, locale=language) as page:
            for address in addresses:
                await page.set_viewport_size(DESK)
                await page.goto(address)
                said.append(await _main(page))
                found += [f"{address}: {complaint}" async for complaint in _complaints(page, looks)]
    async with tab(demo, browser, found, locale="en-GB", viewport=DESK, java_script_enabled=False) as page:
        for address, shown in zip(addresses, said, strict=False):
            await page.goto(address)
            assert await _main(page) == shown, f"{address} shows something else without scripts"
    assert [line for line in found if "404" not in line] == []


@asynccontextmanager
async def tab(demo: ApiClient, browser: Browser, complaints: list[str], **options: Any) -> AsyncIterator[Page]:
    """Yield a tab of somebody who has signed in."""
    context = await browser.new_context(base_url=demo.environment.url, **options)
    page = await watched_page(context, demo.environment.url, complaints)
    await sign_in(page)
    yield page
    await context.close()


async def sign_in(page: Page) -> None:
    await page.goto("/ui/login")
    await page.locator("[name=email]").fill(OPERATOR)
    await page.locator("[name=password]").fill(PASSWORD)
    await page.locator("form.stack button").click()
    await page.wait_for_url("**/ui/**")


async def _main(page: Page) -> str:
    return " ".join((await page.locator("main").inner_text()).split())


async def _complaints(page: Page, looks: Sequence[tuple[ViewportSize, Colours]]) -> AsyncIterator[str]:
    for size, colours in looks:
        await page.set_viewport_size(size)
        await page.emulate_media(color_scheme=colours)
        seen = await page.evaluate(SEEN)
        if seen["headings"] != 1 or not seen["title"] or seen["overflow"] > 0 or seen["away"]:
            yield str(seen)
        for rule in (await Axe().run(page, options=RULES)).response["violations"]:
            places = [node["target"] for node in rule["nodes"][:3]]
            yield f"{rule['id']}: {rule['help']} {places}"
