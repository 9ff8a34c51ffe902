"""Accounts as people watch them: a held one says why, a webhook that differs says so, and binding asks first."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.channel.rates import Rate
from storage.accounts import tallies
from tests.support.client import ApiClient, until
from tests.webhooks.pages.conftest import OPERATOR
from tests.webhooks.pages.visitor import Answer, Visitor
from webhooks.pages.accounts.accounts import limit_of
from webhooks.pages.accounts.hours import drawn

ELSEWHERE = "https://elsewhere.example/hook"


def card(shown: Answer, account: str) -> str:
    (section,) = shown.html.select(f'section[aria-label="{account}"]')
    return " ".join(section.get_text(" ").split())


async def test_each_account_says_how_it_stands(demo: ApiClient, visitor: Visitor) -> None:
    await demo.wait_for(await demo.send({"channel": "sms", "text": "Hi"}), "DELIVERED")
    shown = await visitor.get("/ui/accounts")
    assert len(shown.html.select("section.account")) == len(demo.environment.simulators)
    assert "Open" in card(shown, "sms:demo")
    assert "as expected" in card(shown, "whatsapp:demo")
    assert all(words in card(shown, "whatsapp:demo") for words in ("high GREEN", "to 10,000 people in a day TIER_10K"))
    assert shown.html.select("main form") == [], "an operator binds nothing"


async def test_a_card_has_the_last_day_hour_by_hour(demo: ApiClient, visitor: Visitor) -> None:
    runtime = demo.environment.runtime
    for hours, failed in ((1, True), (1, False), (0, False), (0, False)):
        counts = tallies.Counts()
        counts.count_send("sms:demo", failed=failed)
        await counts.write(runtime.db, runtime.clock() - timedelta(hours=hours))
    words = card(await visitor.get("/ui/accounts"), "sms:demo")
    assert "Sent, in 24 hours 4 · 25 % failed" in words
    assert re.search(r"Hour by hour From Sent Failed \d\d:00 2 1 \d\d:00 2 0", words)


def test_the_largest_hour_is_as_high_as_there_is_room_and_one_message_can_be_seen() -> None:
    now = datetime(2026, 11, 30, tzinfo=UTC)
    first, second, third = drawn([(now, 1000, 0), (now, 1, 1), (now, 0, 0)]).hours
    assert (first.height, second.height, second.failed_height, third.height) == (28, 1.5, 1.5, 0)


@pytest.mark.parametrize(
    ("ahead", "used", "waits"), [(None, 0, False), (0.5, 1, False), (34, 4, False), (44, 5, True), (-9, 0, False)]
)
def test_a_limit_says_how_much_of_it_is_used(ahead: float | None, used: int, waits: bool) -> None:  # noqa: FBT001
    now = datetime(2026, 11, 30, tzinfo=UTC)
    free_at = None if ahead is None else now + timedelta(seconds=ahead)
    limit = limit_of(Rate(6, timedelta(minutes=1), burst=5), free_at, now)
    assert (limit.used, limit.free_at is not None) == (used, waits)


async def test_a_held_account_says_why_and_since_when(demo: ApiClient, visitor: Visitor) -> None:
    demo.environment.simulators["sms"].faults.fail(20003)
    await demo.send({"channel": "sms", "text": "Hi"})

    async def held() -> str | None:
        words = card(await visitor.get("/ui/accounts"), "sms:demo")
        return words if "Held since" in words else None

    words = await until(held)
    assert "20003" in words
    assert "It is tried again at" in words


async def test_a_held_account_is_tried_when_somebody_says_so(demo: ApiClient, visitor: Visitor) -> None:
    assert (await demo.post("/api/v1/accounts/sms:demo/try", {}))[0] == 409
    demo.environment.simulators["sms"].faults.fail(20003)
    keys = [await demo.send({"channel": "sms", "text": text}) for text in ("One", "Two")]

    async def held() -> Answer | None:
        shown = await visitor.get("/ui/accounts")
        return shown if "2 messages wait, the oldest for" in card(shown, "sms:demo") else None

    tried = await visitor.send((await until(held)).form("/sms:demo/try"))
    assert tried.address == "/ui/accounts"
    for key in keys:
        await demo.wait_for(key, "DELIVERED")
    (entry, *_) = (await (await demo.http.get("/api/v1/audit?act=account.try")).json())["entries"]
    assert (entry["who"], entry["target"]) == (OPERATOR, "sms:demo")


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
