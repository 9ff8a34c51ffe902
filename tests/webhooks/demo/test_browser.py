"""The demo's page in a real browser: the whole story, by mouse and keyboard."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, ViewportSize, async_playwright, expect

from tests.support.client import ApiClient
from tests.support.processes.chromium import ARGUMENTS
from webhooks.demo.demo import opened_page

pytestmark = pytest.mark.browser

PICTURES = Path(__file__).parent / "pictures"
DESKTOP, NARROW = (1280, 800), (390, 844)
PATIENCE = 20_000
REPORT_VIOLATIONS = (
    "addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective}`))"
)


@pytest.fixture
def complaints() -> list[str]:
    """Collect the browser's complaints: errors and warnings in its console, breaches of the policy, failed requests."""
    return []


@pytest.fixture
async def page(demo: ApiClient, chromium: str, tmp_path: Path, complaints: list[str]) -> AsyncIterator[Page]:
    """Open the demo's page in an empty browser. A complaint fails the test."""
    async with opened_page(demo.environment) as url, async_playwright() as playwright:
        browser = await playwright.chromium.launch_persistent_context(
            tmp_path, executable_path=chromium, args=ARGUMENTS, viewport=_size(DESKTOP)
        )
        browser.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        await browser.add_init_script(REPORT_VIOLATIONS)
        page = browser.pages[0]
        page.on("console", lambda line: complaints.append(line.text) if line.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(f"{request.url}: {request.failure}"))
        await page.goto(url)
        yield page
        assert complaints == []
        await browser.close()


async def test_the_story(page: Page) -> None:
    telegram, whatsapp, sms = (_phone(page, name) for name in ("Telegram", "WhatsApp", "SMS"))
    await _start(telegram)
    await telegram.get_by_role("button", name="Help, in Telegram").click()
    await expect(_bubbles(telegram).last).to_contain_text("get no more of them")
    await _start(whatsapp)
    await expect(whatsapp).to_contain_text("window open for 23 h")

    card = await _send(page, "read")
    await expect(card).to_contain_text("window open for 23 h → free text")
    await expect(_bubbles(whatsapp).last).to_contain_text("Hello Anna! Your order A-1042 is on its way.")
    await expect(_bubbles(whatsapp).last.get_by_role("img", name="Read")).to_be_visible()

    await page.get_by_role("button", name="+25 h").click()
    await expect(whatsapp).to_contain_text("window closed 1 h ago")
    card = await _send(page, "read")
    await expect(card).to_contain_text("window closed 1 h ago → template order_update/en")
    await expect(_bubbles(whatsapp).last).to_contain_text("Hello Anna, your order A-1042 is ready.")

    await whatsapp.get_by_role("switch").press("Space")
    await expect(whatsapp).to_contain_text("phone is off")
    card = await _send(page, "delivered")
    await expect(card).to_contain_text("whatsapp: failed 131026")
    await expect(card).to_contain_text("sms: delivered")
    await expect(_bubbles(sms).last).to_contain_text("Hello Anna! Your order A-1042 is on its way.")
    await expect(_bubbles(whatsapp).last.get_by_role("img", name="Not delivered")).to_be_visible()
    await expect(page.locator(".guide .done")).to_have_count(4)
    await _photograph(page, "story")


async def test_the_guide_plays_the_story_by_itself(page: Page) -> None:
    for name, outcome in (
        ("Press Start", ""),
        ("Send a notification", "read"),
        ("Let a day", "read"),
        ("Switch", "delivered"),
    ):
        step = page.get_by_role("listitem").filter(has=page.get_by_role("button", name=name))
        await expect(step).to_have_class("next")
        before = await page.locator("#cards article").count()
        await step.get_by_role("button").click()
        await expect(step).to_have_class("done")
        if outcome:
            await expect(page.locator("#cards article")).to_have_count(before + 1)
            await expect(page.locator("#cards article header .status").first).to_have_text(outcome)


async def test_a_mistake_is_told_beside_the_button(page: Page, complaints: list[str]) -> None:
    await page.get_by_label("Text").fill("Hello {{nobody}}")
    await page.get_by_label("Try").select_option(label="SMS only")
    await page.get_by_role("button", name="Send to Anna").click()
    await expect(page.get_by_role("alert")).to_contain_text("nobody")
    assert ["400" in complaint for complaint in complaints] == [True]
    complaints.clear()


async def test_the_channels_are_chosen_by_keyboard(page: Page) -> None:
    send = page.get_by_role("button", name="Send to Anna")
    for channel in ("WhatsApp", "SMS"):
        await page.get_by_role("checkbox", name=channel).press("Space")
    await expect(send).to_be_disabled()
    await page.get_by_role("checkbox", name="SMS").press("Space")
    await expect(page.get_by_label("Try")).to_have_value("sms")
    await page.get_by_label("Text").press("Tab")
    await send.press("Enter")
    await expect(_bubbles(_phone(page, "SMS")).last).to_contain_text("Hello Anna!")


async def _start(phone: Locator) -> None:
    await phone.get_by_role("button", name="Start", exact=True).click()
    await expect(_bubbles(phone).last).to_contain_text("Hello, Anna!")


async def _send(page: Page, status: str) -> Locator:
    """Press Send, and wait for the new notification to have this status. Returns its card."""
    cards = page.locator("#cards article")
    before = await cards.count()
    await page.get_by_role("button", name="Send to Anna").click()
    await expect(cards).to_have_count(before + 1)
    await expect(cards.first.locator("header .status")).to_have_text(status)
    return cards.first


def _phone(page: Page, title: str) -> Locator:
    return page.get_by_role("article", name=title, exact=True)


def _bubbles(phone: Locator) -> Locator:
    return phone.get_by_role("log").locator(".bubble")


async def _photograph(page: Page, name: str) -> None:
    """Take screenshots at both sizes in both colour schemes, and check that the page is no wider than its window."""
    PICTURES.mkdir(exist_ok=True)
    for size in (DESKTOP, NARROW):
        await page.set_viewport_size(_size(size))
        assert await page.evaluate("document.documentElement.scrollWidth") == size[0]
        await page.emulate_media(color_scheme="dark")
        await page.screenshot(path=PICTURES / f"{name}-{size[0]}-dark.png", animations="disabled")
        await page.emulate_media(color_scheme="light")
        await page.screenshot(path=PICTURES / f"{name}-{size[0]}-light.png", animations="disabled")


def _size(size: tuple[int, int]) -> ViewportSize:
    return {"width": size[0], "height": size[1]}
