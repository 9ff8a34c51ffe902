"""Accounts as people watch them: a held one says why, a webhook that differs says so, and binding asks first."""

from collections.abc import AsyncIterator

import pytest

from gateway.domain.api.roles import Role
from tests.support.client import ApiClient, until
from tests.webhooks.pages.visitor import Answer, Visitor, add_user

ADMIN = "irina@shop.example"
ELSEWHERE = "https://elsewhere.example/hook"


@pytest.fixture
async def admin(demo: ApiClient) -> AsyncIterator[Visitor]:
    """Yield an administrator who has signed in."""
    await add_user(demo, ADMIN, Role.ADMIN)
    async with Visitor.of(demo) as visitor:
        assert (await visitor.sign_in(ADMIN)).status == 200
        yield visitor


def card(shown: Answer, account: str) -> str:
    (section,) = shown.html.select(f'section[aria-label="{account}"]')
    return " ".join(section.get_text(" ").split())


async def test_each_account_says_how_it_stands(demo: ApiClient, visitor: Visitor) -> None:
    await demo.wait_for(await demo.send({"channel": "sms", "text": "Hi"}), "DELIVERED")
    shown = await visitor.get("/ui/accounts")
    assert len(shown.html.select("section.account")) == len(demo.environment.simulators)
    assert "Open" in card(shown, "sms:demo")
    assert "as expected" in card(shown, "whatsapp:demo")
    assert "quality GREEN" in card(shown, "whatsapp:demo")
    assert shown.html.select("main form") == [], "an operator binds nothing"


async def test_a_held_account_says_why_and_since_when(demo: ApiClient, visitor: Visitor) -> None:
    demo.environment.simulators["sms"].faults.fail(20003)
    await demo.send({"channel": "sms", "text": "Hi"})

    async def held() -> str | None:
        words = card(await visitor.get("/ui/accounts"), "sms:demo")
        return words if "Held since" in words else None

    words = await until(held)
    assert "20003" in words
    assert "It is tried again at" in words


async def test_a_webhook_that_differs_is_bound_after_asking(demo: ApiClient, admin: Visitor) -> None:
    form = (await admin.get("/ui/accounts")).form("/sms:demo/unbind")
    assert "sms:demo" in form.select("p")[0].text
    unbound = await admin.send(form)
    assert "is not set" in card(unbound, "sms:demo")
    demo.environment.simulators["sms"].webhook_url = ELSEWHERE
    demo.pass_time(hours=0.1)
    shown = await admin.get("/ui/accounts")
    assert ELSEWHERE in card(shown, "sms:demo")
    bound = await admin.send(shown.form("/sms:demo/bind"))
    assert "as expected" in card(bound, "sms:demo")
    acts = [
        row.select("td")[2].get_text(" ", strip=True)
        for row in (await admin.get("/ui/settings/audit")).html.select("tbody tr")
    ]
    assert [act.split(" sms:demo")[0] for act in acts] == ["bound an account", "unbound an account"]
