"""Tests the Python client against a gateway: requests, repetitions, errors, and the API guide's examples."""

import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from quart import Quart, Response, request

from gateway.client import Destination, Gateway, GatewayError, Message, Step, problem
from tests.support.client import PHONE, ApiClient, until
from tests.support.docs import API, blocks
from tests.support.processes.commands import CommandResult, run
from tests.support.workload import texts
from webhooks.http.server import served

BLOCKS = blocks(API, "python")
EXAMPLES = [code for code in BLOCKS if "Gateway()" in code]
HI = Message(destinations=[Destination(phone=PHONE)], channels=[Step(channel="sms", text="Hi")])


@pytest.fixture
async def gateway(demo: ApiClient) -> AsyncIterator[Gateway]:
    async with Gateway(demo.environment.url, demo.environment.key) as client:
        yield client


async def test_send_and_see_how_it_ended(demo: ApiClient, gateway: Gateway) -> None:
    (item,) = await gateway.send(HI, bulk_id="b1")
    assert isinstance(item.id, str)
    story = await gateway.ended(item.id, every=0.05)
    assert (story.status, story.bulk_id, problem(item)) == ("DELIVERED", "b1", "")
    assert story.attempts[0].channel == "sms"
    assert [row.id async for row in gateway.messages(bulkId="b1")] == [item.id]


async def test_mistakes(gateway: Gateway) -> None:
    (item,) = await gateway.send(Message(destinations=[Destination(phone="1")], channels=HI.channels))
    assert problem(item).startswith("messages[0].destinations[0].phone: ")
    with pytest.raises(GatewayError) as no:
        await gateway.cancel()
    assert (no.value.status, str(no.value)) == (400, "give exactly one of id, groupId, bulkId")
    with pytest.raises(GatewayError) as refusal:
        await gateway.status("no/such message")
    assert refusal.value.status == 404


async def test_a_wrong_key_and_none(demo: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Gateway(demo.environment.url, "gw_wrong") as stranger:
        with pytest.raises(GatewayError) as no:
            await stranger.send(HI)
    assert no.value.status == 401
    monkeypatch.delenv("GATEWAY_KEY", raising=False)
    with pytest.raises(GatewayError, match="GATEWAY_KEY"):
        Gateway(demo.environment.url)


async def test_what_was_not_answered_is_repeated_and_sent_once(demo: ApiClient) -> None:
    """The gateway accepts the message, and its answer is lost twice on the way."""
    proxy, answers = Quart("proxy"), iter([502, 503, 0])

    @proxy.post("/api/v1/messages")
    async def pass_on() -> Response:
        key = request.headers["Idempotency-Key"]
        async with demo.http.post(
            "/api/v1/messages", data=await request.get_data(), headers={"Idempotency-Key": key}
        ) as response:
            lost = next(answers)
            return Response("lost" if lost else await response.read(), lost or response.status)

    async with served(proxy) as url, Gateway(url, demo.environment.key, pauses=(0.01, 0.01, 0.01)) as gateway:
        (item,) = await gateway.send(HI)
    await demo.wait_for(str(item.id), "DELIVERED")
    assert texts(demo, "sms") == ["Hi"]


@pytest.mark.parametrize("page", [b"<html>Welcome to the hotel</html>", b"", b"[]", b"\xff"])
async def test_somebody_else_answers(page: bytes) -> None:
    proxy = Quart("proxy")

    @proxy.get("/api/v1/messages/<_>")
    async def welcome(_: str) -> Response:
        return Response(page, 200)

    async with served(proxy) as url, Gateway(url, "key") as gateway:
        with pytest.raises(GatewayError) as no:
            await gateway.status("m1")
    assert no.value.status == 200


async def test_it_has_not_ended_before_its_required_step_has(demo: ApiClient, gateway: Gateway) -> None:
    """The first step is delivered at once, and the required one waits for its provider."""
    demo.environment.simulators["sms"].faults.fail(20429)
    await demo.say("whatsapp", "/start")
    steps = [Step(channel="whatsapp", text="Hi"), Step(channel="sms", text="Hi", required=True)]
    (item,) = await gateway.send(Message(destinations=HI.destinations, channels=steps))
    story = await gateway.ended(str(item.id), every=0.05)
    (status,) = (attempt.status for attempt in story.attempts if attempt.channel == "sms")
    assert status in {"SENT", "DELIVERED"}


async def test_nobody_is_there() -> None:
    async with Gateway("http://127.0.0.1:9", "key", pauses=()) as gateway:
        with pytest.raises(GatewayError) as no:
            await gateway.status("m1")
    assert no.value.status == 0


async def example(demo: ApiClient, folder: Path, number: int, **environ: str) -> CommandResult:
    """Run the guide's example with this number, word for word, as a program. Returns its result."""
    (folder / "example.py").write_text(EXAMPLES[number])
    environment = {"GATEWAY_URL": demo.environment.url, "GATEWAY_KEY": demo.environment.key}
    return await run(folder, sys.executable, "example.py", **environment, **environ)


async def test_the_first_example(demo: ApiClient, tmp_path: Path) -> None:
    result = await example(demo, tmp_path, 0)
    assert (result.out, result.err) == ("DELIVERED ['sms']\n", "")


async def test_the_third_example(
    demo: ApiClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = (block for block in BLOCKS if "verify(" in block)
    (secret,) = demo.environment.runtime.settings.callback_secrets
    monkeypatch.setenv("GATEWAY_CALLBACK_SECRET", secret.reveal())
    room: dict[str, Any] = {"__name__": "example"}
    exec(compile(code, "webhooks/README.md", "exec"), room)  # noqa: S102 - it is ours
    async with served(room["app"]) as url, Gateway(demo.environment.url, demo.environment.key) as gateway:
        async with aiohttp.request("POST", f"{url}/status", json={}) as response:
            assert response.status == 401
        message = Message(
            destinations=HI.destinations, channels=HI.channels, callback_url=f"{url}/status", callback_data="17"
        )
        (item,) = await gateway.send(message)
        lines: list[str] = []

        async def has_printed() -> bool:
            lines.extend(capsys.readouterr().out.splitlines())
            return f"{item.id} SENT -> DELIVERED 17" in lines

        await until(has_printed)
    assert lines[0] == f"{item.id} NEW -> PENDING 17"


async def test_the_second_example(demo: ApiClient, tmp_path: Path) -> None:
    result = await example(demo, tmp_path, 1)
    output = "telegram: the person has not started the bot\nsms: no reply window on this channel -> free text\n"
    assert (result.out, result.err) == (f"{output}visit-17 cancelled\n", "")
    demo.pass_time(timedelta(days=2) / timedelta(hours=1))
    assert (await demo.story("visit-17"))["status"] == "CANCELLED"
