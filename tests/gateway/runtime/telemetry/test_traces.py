"""Tests traces: the API shows the calls to providers with their attempt, for some days."""

import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import Any

import pytest
from msgspec import structs

import bots
from bots.viber.simulator.server import Server as Viber
from bots.wire.traces import HIDDEN
from gateway.domain.channel.secret import Secret
from gateway.runtime.runtime import read_accounts
from gateway.runtime.settings.settings import Settings
from gateway.runtime.telemetry.tracer import secrets_of
from storage.engine.database import connect
from storage.messages import traces
from tests.support.client import PHONE, ApiClient, until
from tests.support.http.file_server import opened_file_server
from tests.support.workload import LONG, open_conversations, phones, send_all, send_one, wait_for_all
from webhooks.demo.environment import opened_environment

TEXT = {"text": "Your order is ready"}


async def calls_of(client: ApiClient, key: str, attempts: int = 1) -> list[list[Any]]:
    """Wait until the calls of `attempts` attempts are stored. Returns each attempt's calls as the API shows them."""

    async def traced_calls() -> list[list[Any]] | None:
        calls = [attempt["calls"] for attempt in (await client.story(key))["attempts"]]
        return calls if len(calls) >= attempts and all(calls) else None

    return await until(traced_calls)


async def test_each_attempt_tells_its_calls(demo: ApiClient) -> None:
    """WhatsApp refuses and the SMS follows: the trace has request, response and duration of each."""
    await demo.say("whatsapp", "/start")
    demo.environment.simulators["whatsapp"].faults.fail(131026)
    key = await demo.send({"channel": "whatsapp", **TEXT}, {"channel": "sms", **TEXT})
    await demo.wait_for(key, "DELIVERED")
    (first_call,), (second_call,) = await calls_of(demo, key, 2)
    assert first_call["request"]["method"] == "POST"
    assert re.search(r"/\d+/messages$", first_call["request"]["url"])
    assert TEXT["text"] in first_call["request"]["body"]
    assert (first_call["answer"]["status"], "131026" in first_call["answer"]["body"]) == (400, True)
    assert second_call["answer"]["status"] == 201
    assert second_call["milliseconds"] >= 0
    assert second_call["error"] is None


async def test_a_broken_wire_is_told(demo: ApiClient) -> None:
    demo.environment.simulators["sms"].faults.lose_answers()
    key = await send_one(demo, {"channel": "sms", **TEXT})
    ((lost, *_),) = await calls_of(demo, key)
    assert (lost["answer"]["status"], "<html>" in lost["answer"]["body"]) == (502, True)


async def test_of_a_broadcast_each_has_the_call(demo: ApiClient) -> None:
    viber = demo.environment.simulators["viber"]
    assert isinstance(viber, Viber)
    destinations = await open_conversations(demo, "viber", phones(5))
    ids = await send_all(demo, destinations, {"channel": "viber", **TEXT})
    await wait_for_all(demo, ids)
    for key in ids:
        calls = (await calls_of(demo, key))[0]
        assert len(calls) == 1, "its own, or the one of all"


async def test_what_is_taken_back_is_told_with_its_attempt(demo: ApiClient) -> None:
    """The second half of a text is refused, the SMS goes out, and the first half is recalled."""
    destinations = await open_conversations(demo, "vk", [{"phone": PHONE}])
    demo.environment.simulators["vk"].faults.planned.extend(["", "914"])
    (key,) = await send_all(demo, destinations, {"channel": "vk", "text": LONG}, {"channel": "sms", **TEXT})
    await demo.wait_for(key, "DELIVERED")

    async def recall_call() -> list[str] | None:
        calls = (await calls_of(demo, key))[0]
        methods = [call["request"]["url"].rpartition("/")[2] for call in calls]
        return methods if "messages.delete" in methods else None

    assert await until(recall_call) == ["messages.send", "messages.send", "messages.delete"]


async def test_of_a_file_its_size_is_kept_and_of_its_address_no_proof(demo: ApiClient) -> None:
    destinations = await open_conversations(demo, "vk", [{"phone": PHONE}])
    async with opened_file_server() as file_server:
        picture = {"type": "image", "url": f"{file_server.url}/a.png"}
        (key,) = await send_all(demo, destinations, {"channel": "vk", "media": picture, **TEXT})
        await demo.wait_for(key, "SENT", "DELIVERED", "READ")
    server_call, upload_call, save_call, send_call = (await calls_of(demo, key))[0]
    assert server_call["answer"]["body"].count(f"/photo?{HIDDEN}") == 1
    assert upload_call["request"]["url"].endswith(f"/photo?{HIDDEN}")
    assert re.fullmatch(r"<multipart/form-data, \d+ bytes>", upload_call["request"]["body"])
    assert [call["answer"]["status"] for call in (save_call, send_call)] == [200, 200]


def change_token(simulator: Any) -> None:
    """Change the provider's token so that it no longer knows ours."""
    fields = structs.asdict(simulator.account)
    name, token = next((name, value) for name, value in fields.items() if isinstance(value, Secret))
    end = "b" if token.reveal().endswith("a") else "a"
    simulator.account = structs.replace(simulator.account, **{name: Secret(token.reveal()[:-1] + end)})


async def test_no_secret_of_any_account_is_kept(demo: ApiClient) -> None:
    """On every channel a message is sent, one loses its answer, and one is refused for an unknown token."""
    for channel in bots.CHANNELS:
        simulator = demo.environment.simulators[channel]
        troubles: list[Callable[[], None]] = [
            lambda: None,
            simulator.faults.lose_answers,
            partial(change_token, simulator),
        ]
        for person, trouble in zip(await open_conversations(demo, channel, phones(3)), troubles, strict=True):
            trouble()
            (key,) = await send_all(demo, [person], {"channel": channel, **TEXT})
            assert (await calls_of(demo, key))[0][0]["answer"]
    secrets = chain.from_iterable(secrets_of(read_accounts(demo.environment.runtime.settings)).values())
    values = [secret.reveal() for secret in secrets]
    documents = str([document async for document in demo.environment.runtime.db["traces"].find()])
    assert len(values) == 9
    assert [value for value in values if value in documents] == []
    assert f"Malformed access token Bearer {HIDDEN}" in documents, "Meta says it aloud"


async def test_a_database_that_is_away_fails_nobody(demo: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(traces, "add", away)
    await demo.wait_for(await demo.send({"channel": "sms", **TEXT}), "DELIVERED")


async def test_who_wants_none_has_none(settings: Settings) -> None:
    """What was to be written is written by the time that the gateway has ended."""
    async with opened_environment(structs.replace(settings, traced=timedelta(0))) as demo, ApiClient.of(demo) as client:
        (story,) = await wait_for_all(client, [await send_one(client, {"channel": "sms", **TEXT})])
        assert story["attempts"][0]["calls"] == []
    database = connect(str(settings.mongodb_uri), settings.database)
    assert await database["traces"].find_one({}) is None
    assert await database["notifications"].find_one({}), "it is the same database"
    database.client.close()
