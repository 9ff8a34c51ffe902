"""Viber in the whole gateway: a link, Start, a notification read, a job batch, and what happens when people leave."""

import asyncio
from typing import Any

from bots.viber.simulator.server import Server
from tests.support.client import PHONE, ApiClient, until

VIBER = {"channel": "viber", "text": "Order A-17 has been sent."}
SMS = {"channel": "sms", "text": "Order A-17 has been sent."}


def viber(demo: ApiClient) -> Server:
    server = demo.environment.simulators["viber"]
    assert isinstance(server, Server)
    return server


async def start_chat(demo: ApiClient, phone: str = PHONE) -> str:
    """Let the person come by their own link and press Start; return their id."""
    _, contact = await demo.post("/api/v1/contacts", {"phone": phone})
    code, server = contact["startCode"], viber(demo)
    assert contact["links"]["viber:demo"] == f"viber://pa?chatURI=demoshop&context={code}"
    user = server.user_of(phone)
    await server.start(user, code)
    await demo.answer("viber", 1, phone)
    return user


async def send_to_all(demo: ApiClient, phones: list[str]) -> Any:
    destinations = [{"phone": phone} for phone in phones]
    status, answer = await demo.post(
        "/api/v1/messages", {"messages": [{"destinations": destinations, "channels": [VIBER]}]}
    )
    assert status == 202, answer
    return answer["messages"]


async def test_whoever_came_by_the_link_is_reached_by_their_number(demo: ApiClient) -> None:
    await start_chat(demo)
    story = await demo.wait_for(await demo.send(VIBER, SMS), "READ")
    assert [attempt["channel"] for attempt in story["attempts"]] == ["viber"]
    assert "free session open" in story["decisions"][0]["text"]
    assert viber(demo).charged == []


async def test_a_day_later_it_is_charged_and_sent_all_the_same(demo: ApiClient) -> None:
    await start_chat(demo)
    demo.pass_time(hours=25)
    story = await demo.wait_for(await demo.send(VIBER, SMS), "READ")
    assert "free session closed 1 h ago" in story["decisions"][0]["text"]
    assert [line.text for line in viber(demo).charged] == [VIBER["text"]]


async def test_whoever_has_left_gets_an_sms(demo: ApiClient) -> None:
    user = await start_chat(demo)
    await viber(demo).unsubscribe(user)
    await viber(demo).quiet()
    story = await demo.wait_for(await demo.send(VIBER, SMS), "DELIVERED")
    assert story["attempts"][-1]["channel"] == "sms"


async def test_whoever_only_looked_gets_an_sms(demo: ApiClient) -> None:
    await viber(demo).open_chat(viber(demo).user_of(PHONE))
    story = await demo.wait_for(await demo.send(VIBER, SMS), "DELIVERED")
    assert story["attempts"][-1]["channel"] == "sms"
    assert viber(demo).accepted == []


async def test_a_mailing_goes_out_as_broadcasts(demo: ApiClient) -> None:
    phones = [f"+7916000{number:04}" for number in range(20)]
    await asyncio.gather(*(start_chat(demo, phone) for phone in phones))
    server = viber(demo)
    answers_before = len(server.accepted)
    messages = await send_to_all(demo, phones)

    async def all_taken() -> bool:
        return len(server.accepted) >= answers_before + len(phones)

    assert await until(all_taken)
    accepted = server.accepted[answers_before:]
    assert sorted(line.user for line in accepted) == sorted(server.user_of(phone) for phone in phones)
    assert server.broadcasts + sum(bool(line.request["tracking_data"]) for line in accepted) < len(phones)
    for message in messages:
        await demo.wait_for(message["id"], "READ")
