"""A new channel is a folder and a line: tests/bots/pigeon is the folder, and the line is in the fixture."""

from collections.abc import AsyncIterator

import pytest

import bots
from gateway.runtime.settings.settings import Settings
from tests import test_architecture as architecture
from tests.support.client import PHONE, ApiClient
from webhooks.demo.environment import opened_environment

PIGEON = {"channel": "pigeon", "text": "Your order has been sent."}
SMS = {"channel": "sms", "text": "Order sent."}
LOFT = f"loft-{PHONE.removeprefix('+')}"


@pytest.fixture
async def demo(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ApiClient]:
    monkeypatch.setitem(bots.CHANNELS, "pigeon", "tests.bots.pigeon")
    async with opened_environment(settings) as environment, ApiClient.of(environment) as client:
        await client.post("/api/v1/contacts", {"phone": PHONE, "identifier": f"loft:{LOFT}"})
        yield client


async def test_it_offers_what_every_channel_offers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(bots.CHANNELS, "pigeon", "tests.bots.pigeon")
    await architecture.test_a_channels_package_offers_what_it_has_to("pigeon")
    await architecture.test_a_channels_simulator_offers_what_it_has_to("pigeon")


async def test_the_bot_answers(demo: ApiClient) -> None:
    assert (await demo.say("pigeon", "/start")).text.startswith("Hello")
    assert "/stop" in (await demo.press("pigeon", "/help")).text


async def test_a_notification_arrives(demo: ApiClient) -> None:
    story = await demo.wait_for(await demo.send(PIGEON, SMS), "DELIVERED")
    assert [(attempt["channel"], attempt["status"]) for attempt in story["attempts"]] == [("pigeon", "DELIVERED")]
    assert demo.answers("pigeon")[-1].text == PIGEON["text"]
    assert demo.answers("sms") == []


@pytest.mark.parametrize("why", ["a lost pigeon", "a refusal"])
async def test_a_failure_falls_back_to_sms(demo: ApiClient, why: str) -> None:
    simulator = demo.environment.simulators["pigeon"]
    simulator.phone(LOFT).reachable = why != "a lost pigeon"
    if why == "a refusal":
        simulator.faults.fail(422)
    story = await demo.wait_for(await demo.send(PIGEON, SMS), "DELIVERED")
    assert [(attempt["channel"], attempt["status"]) for attempt in story["attempts"]] == [
        ("pigeon", "UNDELIVERED"),
        ("sms", "DELIVERED"),
    ]
    assert "pigeon" in story["attempts"][0]["reason"]
    assert demo.answers("sms")[-1].text == SMS["text"]


async def test_a_passing_storm_is_waited_out(demo: ApiClient) -> None:
    demo.environment.simulators["pigeon"].faults.fail(503)
    story = await demo.wait_for(await demo.send(PIGEON, SMS), "DELIVERED")
    assert [attempt["channel"] for attempt in story["attempts"]] == ["pigeon"]
    assert len(demo.environment.simulators["pigeon"].accepted) == 1


async def test_its_webhook_wants_the_secret_and_keeps_what_it_cannot_read(demo: ApiClient) -> None:
    channel = demo.environment.runtime.channel("pigeon")
    assert channel
    assert (await channel.binding()).url == f"{demo.environment.url}/webhooks/pigeon/demo"
    letter = b'{"kind": "letter", "id": "2", "from": "loft-79000000001", "text": "/start"}'
    body = b'[{"kind": "letter", "id": "1"}, 5, ' + letter + b"]"
    for secret, status in (("guessed", 401), (channel.settings.secret.reveal(), 200)):  # type: ignore[attr-defined]
        headers = {"X-Loft-Secret": secret}
        async with demo.http.post("/webhooks/pigeon/demo", data=body, headers=headers) as response:
            assert response.status == status
    assert (await demo.answer("pigeon", 0)).text.startswith("Hello")
