"""Fixtures of the pages' tests: an operator without scripts, and one with a real browser."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from gateway.domain.api.roles import Role
from tests.support.client import ApiClient
from tests.support.processes.chromium import ARGUMENTS
from tests.webhooks.pages.visitor import PASSWORD, Visitor, add_user

OPERATOR, ADMIN = "olga@shop.example", "irina@shop.example"
PATIENCE = 20_000
REPORT_VIOLATIONS = (
    "addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective}`))"
)


@pytest.fixture
async def visitor(demo: ApiClient) -> AsyncIterator[Visitor]:
    """Yield an operator who has signed in, in a browser without scripts."""
    await add_user(demo, OPERATOR)
    async with Visitor.of(demo) as visitor:
        assert (await visitor.sign_in(OPERATOR)).status == 200
        yield visitor


@pytest.fixture
async def admin(demo: ApiClient) -> AsyncIterator[Visitor]:
    """Yield an administrator who has signed in, in a browser without scripts."""
    await add_user(demo, ADMIN, Role.ADMIN)
    async with Visitor.of(demo) as visitor:
        assert (await visitor.sign_in(ADMIN)).status == 200
        yield visitor


@pytest.fixture
def complaints() -> list[str]:
    """Collect the browser's complaints: errors and warnings in its console, breaches of the policy, failed requests."""
    return []


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Yield a browser that has no page open yet."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        expect.set_options(timeout=PATIENCE)
        yield browser
        await browser.close()


@pytest.fixture
async def page(demo: ApiClient, browser: Browser, complaints: list[str]) -> AsyncIterator[Page]:
    """Yield a tab of an operator who has signed in. A complaint, or a request to another origin, fails the test."""
    await add_user(demo, OPERATOR)
    context = await browser.new_context(base_url=demo.environment.url, viewport={"width": 1280, "height": 800})
    page = await watched_page(context, demo.environment.url, complaints)
    await page.goto("/ui/login")
    await page.get_by_label("E-mail").fill(OPERATOR)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/ui/**")
    yield page
    assert complaints == []


async def watched_page(context: BrowserContext, origin: str, complaints: list[str]) -> Page:
    """Open a tab whose complaints are collected, and which reaches no other origin."""
    context.set_default_timeout(PATIENCE)
    await context.add_init_script(REPORT_VIOLATIONS)
    page = await context.new_page()
    page.on(
        "console",
        lambda line: complaints.append(f"{line.text} {line.location}") if line.type in {"error", "warning"} else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request", lambda request: None if request.url.startswith((origin, "data:")) else complaints.append(request.url)
    )
    return page
