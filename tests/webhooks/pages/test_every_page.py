"""Every page, in each look: everybody can read it, it fits a phone, and it breaks no rule of its own policy."""

from collections.abc import AsyncIterator
from typing import Literal

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, ViewportSize

from gateway.domain.api.roles import Role
from tests.support.client import ApiClient
from tests.webhooks.pages.conftest import OPERATOR, watched_page
from tests.webhooks.pages.places import NO_PAGES, PLACES
from tests.webhooks.pages.visitor import PASSWORD, add_user
from webhooks.app import create_app

DESK, PHONE = ViewportSize(width=1280, height=800), ViewportSize(width=390, height=844)
Colours = Literal["light", "dark"]

LOOKS: tuple[tuple[ViewportSize, Colours, str], ...] = (
    (DESK, "light", "en-GB"),
    (PHONE, "dark", "ru-RU"),
    (PHONE, "light", "en-GB"),
    (DESK, "dark", "ru-RU"),
)
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
SEEN = """() => ({
    headings: document.querySelectorAll("h1").length,
    title: document.title,
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
})"""


def test_each_page_is_looked_at() -> None:
    rules = create_app().url_map.iter_rules()
    pages = {rule.endpoint for rule in rules if rule.endpoint.startswith("ui.") and "GET" in (rule.methods or ())}
    assert pages == set(PLACES) | set(NO_PAGES)


@pytest.mark.browser
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("size", "colours", "language"), LOOKS, ids=["desk-en", "phone-ru", "phone-en", "desk-ru"])
async def test_everybody_can_read_every_page(
    demo: ApiClient, browser: Browser, size: ViewportSize, colours: Colours, language: str
) -> None:
    await add_user(demo, OPERATOR, Role.ADMIN)
    addresses, found = [await make(demo) for make in PLACES.values()], list[str]()
    context = await browser.new_context(
        base_url=demo.environment.url, viewport=size, color_scheme=colours, locale=language
    )
    page = await watched_page(context, demo.environment.url, found)
    await sign_in(page)
    for address in addresses:
        found += [f"{address}: {complaint}" async for complaint in _complaints(page, address)]
    await context.close()
    assert [line for line in found if "404" not in line] == []


@pytest.mark.browser
@pytest.mark.timeout(600)
async def test_every_page_shows_the_same_without_scripts(demo: ApiClient, browser: Browser) -> None:
    await add_user(demo, OPERATOR, Role.ADMIN)
    addresses = [await make(demo) for make in PLACES.values()]
    said = []
    for scripts in (True, False):
        context = await browser.new_context(base_url=demo.environment.url, java_script_enabled=scripts)
        page = await context.new_page()
        await sign_in(page)
        said.append([await _main(page, address) for address in addresses])
        await context.close()
    assert said[0] == said[1]


async def sign_in(page: Page) -> None:
    await page.goto("/ui/login")
    await page.locator("[name=email]").fill(OPERATOR)
    await page.locator("[name=password]").fill(PASSWORD)
    await page.locator("form.stack button").click()
    await page.wait_for_url("**/ui/**")


async def _main(page: Page, address: str) -> str:
    await page.goto(address)
    return " ".join((await page.locator("main").inner_text()).split())


async def _complaints(page: Page, address: str) -> AsyncIterator[str]:
    await page.goto(address)
    seen = await page.evaluate(SEEN)
    if seen["headings"] != 1 or not seen["title"] or seen["overflow"] > 0:
        yield str(seen)
    for rule in (await Axe().run(page, options=RULES)).response["violations"]:
        places = [node["target"] for node in rule["nodes"][:3]]
        yield f"{rule['id']}: {rule['help']} {places}"
