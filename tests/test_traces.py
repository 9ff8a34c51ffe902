"""What was said to providers is kept with the attempt, and never a secret in it."""

import asyncio
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from msgspec.structs import replace

import bots
from bots.traces import Exchange, listener, tracing
from bots.viber.simulator import Server as Viber
from bots.whatsapp.simulator import Server as WhatsApp
from gateway.runtime import read_accounts
from gateway.settings import Secret, Settings
from gateway.tracer import HIDDEN, Tracer, secrets_of
from storage import traces
from storage.database import Db
from tests.bench import accepted, all_ended, one, phones, seated
from tests.player import PHONE, Player, until
from webhooks.demo.town import opened_town

TEXT = {"text": "Your order is ready"}


async def calls_of(player: Player, key: str, attempts: int = 1) -> list[list[Any]]:
    """The calls of each attempt of a message, as the API tells them; they are written a moment later."""

    async def there() -> list[list[Any]] | None:
        found = [attempt["calls"] for attempt in (await player.story(key))["attempts"]]
        return found if len(found) >= attempts and all(found) else None

    return await until(there)


async def test_each_attempt_tells_its_calls(town: Player) -> None:
    """A refusal by WhatsApp, then the SMS: what was asked, what was answered, and how long it took."""
    await town.say("whatsapp", "/start")
    town.town.simulators["whatsapp"].faults.fail(131026)
    key = await town.send({"channel": "whatsapp", **TEXT}, {"channel": "sms", **TEXT})
    await town.ended(key, "DELIVERED")
    (refused,), (taken,) = await calls_of(town, key, 2)
    assert refused["request"]["method"] == "POST"
    assert refused["request"]["url"].endswith("/100200300400/messages")
    assert TEXT["text"] in refused["request"]["body"]
    assert (refused["answer"]["status"], "131026" in refused["answer"]["body"]) == (400, True)
    assert taken["answer"]["status"] == 201
    assert taken["milliseconds"] >= 0
    assert taken["error"] is None


async def test_a_broken_wire_is_told(town: Player) -> None:
    town.town.simulators["sms"].faults.lose_answers()
    key = await one(town, {"channel": "sms", **TEXT})
    ((lost, *_),) = await calls_of(town, key)
    assert (lost["answer"]["status"], "<html>" in lost["answer"]["body"]) == (502, True)


async def test_of_a_broadcast_each_has_the_call(town: Player) -> None:
    viber = town.town.simulators["viber"]
    assert isinstance(viber, Viber)
    to = await seated(town, "viber", phones(5))
    ids = await accepted(town, to, {"channel": "viber", **TEXT})
    await all_ended(town, ids)
    for key in ids:
        calls = (await calls_of(town, key))[0]
        assert len(calls) == 1, "its own, or the one of all"


async def test_no_secret_of_any_account_is_kept(town: Player) -> None:
    """Every channel sends, is refused, is told that its token is wrong and with which, and loses an answer."""
    accounts = read_accounts(town.town.runtime.settings)
    for channel in bots.CHANNELS:
        await town.say(channel, "/start")
        simulator = town.town.simulators[channel]
        await one(town, {"channel": channel, **TEXT})
        simulator.faults.lose_answers()
        await one(town, {"channel": channel, **TEXT})
    meta = town.town.simulators["whatsapp"]
    assert isinstance(meta, WhatsApp)
    meta.account = replace(meta.account, access_token=Secret("another-token-than-ours"))
    await one(town, {"channel": "whatsapp", **TEXT})
    secrets = [secret.reveal() for secret in secrets_of(accounts)]
    assert len(secrets) == 9
    db = town.town.runtime.db

    async def all_channels() -> list[Any] | None:
        kept = [document async for document in db["traces"].find()]
        asked = {document["url"].split("/")[3] for document in kept}
        told = any("Malformed" in document.get("answer", "") for document in kept)
        return kept if told and asked == set(bots.CHANNELS) else None

    kept = str(await until(all_channels))
    assert [secret for secret in secrets if secret in kept] == []
    assert HIDDEN in kept


async def test_a_secret_goes_however_it_is_written(db: Db) -> None:
    secret = 'a b"c/d:e+f'
    tracer = Tracer(db, [Secret(secret)], wanted=True)
    bodies = [b'{"t": "a b\\"c/d:e+f"}', b"t=a+b%22c%2Fd%3Ae%2Bf", b"t=a%20b%22c/d%3Ae%2Bf", secret.encode()]
    for body in bodies:
        tracer.keep("n", 0, [Exchange("POST", f"http://x/{secret}", 0, "text/plain", bytearray(body), len(body))])
    await tracer.close()
    lines = await traces.of(db, "n")
    assert len(lines) == len(bodies)
    assert all(HIDDEN in line.request and HIDDEN in line.url for line in lines)
    assert not any("b%22c" in line.request or "c/d" in line.request + line.url for line in lines)


async def test_files_and_long_bodies_are_kept_by_their_size(db: Db) -> None:
    tracer = Tracer(db, [], wanted=True)
    file = Exchange("POST", "u", 0, "multipart/form-data; boundary=x", bytearray(b"\xff\xd8"), 5_000_000)
    long = Exchange("POST", "u", 1, "application/json", bytearray(b"a" * 8192), 10_000)
    tracer.keep("n", 0, [file, long])
    await tracer.close()
    first, second = await traces.of(db, "n")
    assert first.request == "<multipart/form-data, 5000000 bytes>"
    assert second.request.endswith("a... <10000 bytes in all>")


async def test_a_database_that_is_away_fails_nobody(town: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(traces, "add", away)
    await town.ended(await town.send({"channel": "sms", **TEXT}), "DELIVERED")


async def test_who_wants_none_has_none(settings: Settings) -> None:
    async with opened_town(replace(settings, traced=timedelta(0))) as town, Player.of(town) as player:
        key = await one(player, {"channel": "sms", **TEXT})
        (story,) = await all_ended(player, [key])
        await asyncio.sleep(0.5)
        assert (await player.story(key))["attempts"][0]["calls"] == story["attempts"][0]["calls"] == []
        assert await town.runtime.db["traces"].find_one({}) is None


async def test_calls_that_nobody_traces_are_not_kept_and_queries_never() -> None:
    """Upload addresses of providers carry their proof in the query."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="here", headers={"Retry-After": "7"})

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url, mine = f"http://127.0.0.1:{runner.addresses[0][1]}/", list[Exchange]()
    async with aiohttp.ClientSession(trace_configs=[listener()]) as http:
        for traced in (False, True):
            with tracing(*([mine] if traced else [])):
                async with http.get(f"{url}?hash=secret") as response:
                    assert await response.text() == "here"
    await runner.cleanup()
    (exchange,) = mine
    assert exchange.url == f"{url}?..."
    assert (exchange.status, bytes(exchange.answer), exchange.retry_after) == (200, b"here", "7")
    assert PHONE not in str(exchange)
