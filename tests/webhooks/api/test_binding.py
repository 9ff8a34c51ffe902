"""Accounts over HTTP: how each is, and pointing its provider at us; what fails changes nothing and names the field."""

from typing import Any

import pytest
from msgspec.structs import replace

from bots.telegram.simulator.server import Server as Telegram
from tests.support.client import PHONE, ApiClient, until


async def accounts(demo: ApiClient, **asked: str) -> dict[str, Any]:
    async with demo.http.get("/api/v1/accounts", params=asked) as response:
        assert response.status == 200
        return {one["account"]: one for one in (await response.json())["accounts"]}


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
    found = await accounts(demo)
    assert set(found) == {f"{name}:demo" for name in demo.environment.simulators}
    assert found["telegram:demo"]["lastInboundAt"] is not None
    assert found["vk:demo"]["lastInboundAt"] is None
    assert (found["sms:demo"]["sends"], found["sms:demo"]["state"]) == (2, "open")
    assert found["telegram:demo"]["webhook"]["expected"] == f"{demo.environment.url}/webhooks/telegram/demo"
    assert all(one["webhook"]["known"] for one in found.values())
    assert not any(one["webhook"]["known"] for one in (await accounts(demo, webhooks="no")).values())


@pytest.mark.parametrize("channel", ["telegram", "vk", "viber", "whatsapp", "sms"])
async def test_bound_and_unbound(demo: ApiClient, channel: str) -> None:
    for _ in range(2):
        status, told = await bind(demo, f"{channel}:demo")
        assert (status, told["known"]) == (201, True), told
        assert told["url"] in {told["expected"], None}
        assert told["problems"] == []
    status, told = await bind(demo, f"{channel}:demo", "DELETE")
    assert status == 201
    # Meta falls back to the app's own URL, which no call of a number can take away.
    assert told["url"] != told["expected"] or channel == "whatsapp"


async def test_what_is_wrong_is_named_and_nothing_is_changed(demo: ApiClient) -> None:
    await bind(demo)
    telegram = demo.environment.simulators["telegram"]
    assert isinstance(telegram, Telegram)
    before = telegram.webhook_url
    runtime = demo.environment.runtime
    telegram.faults.fail(401)
    status, told = await bind(demo)
    assert (status, told["details"]["field"]) == (409, "token, webhook_secret")
    kept = runtime.settings
    runtime.settings = replace(kept, public_url="http://gateway.shop.ru")
    status, told = await bind(demo)
    assert (status, told["details"]["field"]) == (409, "GATEWAY_PUBLIC_URL")
    runtime.settings = kept
    assert telegram.webhook_url == before

    async def bound() -> bool:
        problems = (await accounts(demo))["telegram:demo"]["webhook"]["problems"]
        return bool(problems == [])

    await until(bound)


async def test_no_such_account(demo: ApiClient) -> None:
    for account in ("telegram:other", "pigeon:demo", "telegram", "x"):
        for method in ("POST", "DELETE"):
            assert (await bind(demo, account, method))[0] == 404
