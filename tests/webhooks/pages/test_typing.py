"""What editors of templates say while somebody types, without saving and without losing the place."""

import pytest
from playwright.async_api import Page, expect

from tests.support.client import ApiClient
from tests.webhooks.pages.places import a_draft, an_own_template


@pytest.mark.browser
async def test_an_editor_answers_while_somebody_types(demo: ApiClient, page: Page) -> None:
    await page.goto(await an_own_template(demo))
    text = page.locator("[name=text-1]")
    await text.fill("Order {{ordr}} is ready")
    await expect(page.locator("#checked")).to_contain_text("Step 2: alone uses {{ordr}}; did you mean {{order}}?")
    await expect(page.locator("#checked .phone")).to_contain_text("\u2039ordr\u203a is ready")
    await text.fill("Заказ " + "я" * 65)
    await expect(page.locator("#checked")).to_contain_text("Step 2: 71 letters, 2 parts")
    await text.fill("{{")
    await expect(page.locator("#checked [role=status]")).to_contain_text("Step 2, Text:")
    assert await text.evaluate("(field) => field === document.activeElement")
    await page.goto(await a_draft(demo))
    await page.locator("[name=footer]").fill("x" * 61)
    await expect(page.locator(".rooms .wrong")).to_have_text("Footer: 61 of 60")
