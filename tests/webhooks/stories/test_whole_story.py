"""The whole API in one story, through the client: explain, schedule, cancel, send, callbacks, a click, an opt-out."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from gateway.client import Destination, Gateway, Message, Step
from gateway.domain.api.signing import verify
from tests.support.client import PHONE, ApiClient, until
from tests.support.http.callback_receiver import opened_callback_receiver

ANNA = Destination(phone="8 900 000-00-01", variables={"name": "Anna"})
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
LONG = "https://shop.ru/orders/17?" + "utm_source=sms&" * 10


async def test_the_whole_story(demo: ApiClient) -> None:
    async with opened_callback_receiver() as receiver, Gateway(demo.environment.url, demo.environment.key) as gateway:
        steps = [
            Step(channel="telegram", text="{{name}}, pay here: " + LONG),
            Step(channel="sms", text="{{name}}, pay here: " + LONG),
        ]
        callback_url = receiver.url

        def message(key: str, **more: Any) -> Message:
            return Message(
                id=key, destinations=[ANNA], channels=steps, use_short_links=True, callback_url=callback_url, **more
            )

        tomorrow = datetime.now(UTC) + timedelta(days=1)
        visit = message("visit-17", send_at=tomorrow)

        (explained,) = await gateway.validate(visit)
        assert explained.plan
        assert [step.explanation for step in explained.plan] == [
            "telegram: the person has not started the bot",
            "sms: no reply window on this channel -> free text",
        ]
        (scheduled,) = await gateway.send(visit)
        assert (scheduled.id, scheduled.status) == ("visit-17", "SCHEDULED")
        (cancelled,) = await gateway.cancel("visit-17")
        assert cancelled.result == "cancelled"

        (sent,) = await gateway.send(message("order-17", callback_data="17", category="marketing"))
        story = await gateway.ended(str(sent.id), every=0.05)
        assert [(attempt.channel, attempt.status) for attempt in story.attempts] == [
            ("telegram", "SKIPPED"),
            ("sms", "DELIVERED"),
        ]

        async def is_delivered() -> bool:
            return [event["newStatus"] for event in receiver.events_of("order-17")][-1:] == ["DELIVERED"]

        await until(is_delivered)
        (secret,) = demo.environment.runtime.settings.callback_secrets
        for headers, body in receiver.calls:
            verify(secret.reveal(), headers, body, datetime.now(UTC))
            assert json.loads(body)["id"] in {"order-17", "visit-17"}
        assert [event["newStatus"] for event in receiver.events_of("visit-17")] == ["CANCELLED"]
        assert {event["callbackData"] for event in receiver.events_of("order-17")} == {"17"}

        link = next(link for link in story.short_links if link.url in demo.screen("sms")[-1].text)
        async with aiohttp.request("GET", link.url, headers=BROWSER, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (302, LONG)
        clicks = {each.code: each.clicks for each in (await gateway.status("order-17")).short_links}
        assert clicks[link.code] == 1

        await demo.say("vk", "/start")
        await demo.post("/api/v1/optOuts", {"phone": PHONE, "reason": "by telephone"})
        (refused,) = await gateway.send(message("sale-18", category="marketing"))
        ended = await gateway.ended(str(refused.id), every=0.05)
        assert (ended.status, "opted out of marketing" in str(ended.decisions[0].text)) == ("UNDELIVERED", True)
        (service,) = await gateway.send(message("order-18"))
        assert (await gateway.ended(str(service.id), every=0.05)).status == "DELIVERED"
        assert [row.id async for row in gateway.messages(phone="9000000001", status="DELIVERED")] == [
            "order-18",
            "order-17",
        ]
