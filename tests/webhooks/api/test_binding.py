"""Accounts over HTTP: the state of each, and binding its webhook; a failure changes nothing and names the field."""

from typing import Any

import pytest
from msgspec.structs import replace

from bots.telegram.simulator.server import Server as Telegram
from tests.support.client import PHONE, ApiClient, until


async def accounts(demo: ApiClient, **query: str) -> dict[str, Any]:
    async with demo.http.get("/api/v1/accounts", params=query) as response:
        assert response.status == 200
        return {account["account"]: account for account in (await response.json())["accounts"]}


async def bind(demo: ApiClient, account: str = "telegram:demo", method: str = "POST") -> tuple[int, Any]:
    async with demo.http.request(method, f"/api/v1/accounts/{account}/binding") as response:
        return response.status, await response.json()


async def test_how_each_is(demo: ApiClient) -> None:
    await demo.say("telegram", "/start")
    await demo.wait_for(await demo.send({"channel": "sms", "text": "a"}), "DELIVERED")
    demo.environment.simulators["sms"].phone(PHONE).reachable = False
    await demo.wait_for(await demo.send({"channel": "sms", "text": "a"}), "UNDELIVERED", "DELIVERED")
    runtime = demo.environment.runtime
    await runtime.counts.write(runtime.db, runtime.clock())
    views = await accounts(demo)
    assert set(views) == {f"{name}:demo" for name in demo.environment.simulators}
    assert views["telegram:demo"]["lastInboundAt"] is not None
    assert views["vk:demo"]["lastInboundAt"] is None
    assert (views["sms:demo"]["sends"], views["sms:demo"]["state"]) == (2, "open")
    assert views["telegram:demo"]["webhook"]["expected"] == f"{demo.environment.url}/webhooks/telegram/demo"
    assert all(view["webhook"]["known"] for view in views.values())
    assert not any(view["webhook"]["known"] for view in (await accounts(demo, webhooks="no")).values())


@pytest.mark.parametrize("channel", ["telegram", "vk", "viber", "whatsapp", "sms"])
async def test_bound_and_unbound(demo: ApiClient, channel: str) -> None:
    for _ in range(2):
        status, view = await bind(demo, f"{channel}:demo")
        assert (status, view["known"]) == (201, True), view
        assert view["url"] in {view["expected"], None}
        assert view["problems"] == []
    status, view = await bind(demo, f"{channel}:demo", "DELETE")
    assert status == 201
    # Meta falls back to the app's own URL, which no call of a number can take away.
    assert view["url"] != view["expected"] or channel == "whatsapp"


async def test_what_is_wrong_is_named_and_nothing_is_changed(demo: ApiClient) -> None:
    await bind(demo)
    telegram = demo.environment.simulators["telegram"]
    assert isinstance(telegram, Telegram)
    before = telegram.webhook_url
    runtime = demo.environment.runtime
    telegram.faults.fail(401)
    status, view = await bind(demo)
    assert (status, view["details"]["field"]) == (409, "token, webhook_secret")
    settings = runtime.settings
    runtime.settings = replace(settings, public_url="http://gateway.shop.ru")
    status, view = await bind(demo)
    assert (status, view["details"]["field"]) == (409, "GATEWAY_PUBLIC_URL")
    runtime.settings = settings
    assert telegram.webhook_url == before

    async def is_bound() -> bool:
        problems = (await accounts(demo))["telegram:demo"]["webhook"]["problems"]
        return bool(problems == [])

    await until(is_bound)


async def test_no_such_account(demo: ApiClient) -> None:
    for account in ("telegram:other", "pigeon:demo", "telegram", "x"):
        for method in ("POST", "DELETE"):
            assert (await bind(demo, account, method))[0] == 404
