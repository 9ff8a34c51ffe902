"""Tests callbacks: every change is posted, signed and in order per message, until the receiver has accepted it."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bots.telegram.simulator.server import Server as Telegram
from bots.wire import files
from gateway.client import Destination, Gateway, Message, Step
from gateway.domain.api.signing import verify
from gateway.domain.channel.secret import OwnSecret
from gateway.messages.callbacks import callbacks, hosts
from gateway.runtime.settings.accounts import SettingsError
from gateway.runtime.settings.settings import Settings, load
from gateway.runtime.settings.tuning import Tuning
from storage.messages.callbacks import Call
from tests.support.client import PHONE, ApiClient, until
from tests.support.http.callback_receiver import CallbackReceiver, opened_callback_receiver
from tests.support.processes.cli import opened_cli
from tests.support.processes.processes import Web, Worker
from tests.support.workload import advance_clock, another_worker, phones, post_message, send_all, wait_for_all
from webhooks.demo.environment import Environment, opened_environment

SMS = {"channel": "sms", "text": "Hi"}
BAD_URLS = [
    "ftp://shop.ru/",
    "shop.ru",
    "http://",
    "http://user:secret@shop.ru/",
    "http://shop.ru/" + "a" * 3990,
    "http://a b.ru/",
    "https://shop.ru:0/",
]
PRIVATE = [
    "http://127.0.0.1:1/",
    "http://localhost/",
    "http://me.localhost./",
    "http://10.0.0.1/",
    "http://169.254.169.254/latest",
    "http://0.0.0.0/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[fe80::1%25eth0]/",
]
IN_DISGUISE = [
    "http://2130706433:{port}/callbacks",
    "http://0x7f.1:{port}/callbacks",
    "http://0177.0.0.1:{port}/callbacks",
]


@pytest.fixture
async def receiver() -> AsyncIterator[CallbackReceiver]:
    async with opened_callback_receiver() as receiver:
        yield receiver


async def test_every_change_in_order_and_signed(demo: ApiClient, receiver: CallbackReceiver) -> None:
    fields = {"callbackUrl": receiver.url, "callbackData": "заказ 17", "groupId": "g1"}
    (key,) = await send_all(demo, [{"phone": PHONE, "externalId": "crm-17"}], SMS, bulk="b1", **fields)
    await until(lambda: has_reported(receiver, key, "DELIVERED"))
    events = receiver.events_of(key)
    assert [event["newStatus"] for event in events] == ["PENDING", "SENT", "DELIVERED"]
    assert [event["oldStatus"] for event in events] == ["NEW", "PENDING", "SENT"]
    assert [event["sequence"] for event in events] == [1, 2, 3]
    assert [event["eventId"] for event in events] == [f"{key}:{number}" for number in (1, 2, 3)]
    assert events[2] == events[0] | events[2]
    assert {
        name: events[2][name] for name in ("groupId", "bulkId", "externalId", "channel", "callbackData", "partCount")
    } == {
        "groupId": "g1",
        "bulkId": "b1",
        "externalId": "crm-17",
        "channel": "sms",
        "callbackData": "заказ 17",
        "partCount": 1,
    }
    assert all("заказ 17".encode() in body for _, body in receiver.calls), "letters are written as they are"
    (secret,) = demo.environment.runtime.settings.callback_secrets
    for headers, body in receiver.calls:
        verify(secret.reveal(), headers, body, demo.environment.runtime.clock())


async def has_reported(receiver: CallbackReceiver, key: str, status: str) -> bool:
    return any(event["newStatus"] == status for event in receiver.events_of(key))


@pytest.mark.parametrize(
    ("event_choice", "good", "bad"),
    [
        ("all", ["PENDING", "SENT", "DELIVERED"], ["UNDELIVERED"]),
        ("final", ["DELIVERED"], ["UNDELIVERED"]),
        ("undelivered", [], ["UNDELIVERED"]),
    ],
)
async def test_only_what_is_wanted(
    demo: ApiClient, receiver: CallbackReceiver, event_choice: str, good: list[str], bad: list[str]
) -> None:
    fields = {"callbackUrl": receiver.url, "callbackEvents": event_choice}
    (sms_key,) = await send_all(demo, phones(1), SMS, **fields)
    (first_lost_key,) = await send_all(demo, phones(1), {"channel": "viber", "text": "a"}, **fields)
    await wait_for_all(demo, [sms_key, first_lost_key])
    await until(lambda: has_reported(receiver, first_lost_key, "UNDELIVERED"))
    (second_lost_key,) = await send_all(demo, phones(1), {"channel": "viber", "text": "a"}, **fields)
    await until(lambda: has_reported(receiver, second_lost_key, "UNDELIVERED"))
    assert [event["newStatus"] for event in receiver.events_of(sms_key)] == good
    assert [event["newStatus"] for event in receiver.events_of(first_lost_key)] == bad


async def test_what_is_not_taken_comes_again_and_the_rest_waits_for_it(
    demo: ApiClient, receiver: CallbackReceiver
) -> None:
    receiver.answers += [500, 503, 404]
    (key,) = await send_all(demo, phones(1), SMS, callbackUrl=receiver.url)
    await demo.wait_for(key, "DELIVERED")

    async def all_told() -> bool:
        assert len(receiver.calls) > 3 or receiver.accepted == []
        advance_clock(demo, seconds=20)
        demo.environment.runtime.callback_bell.set()
        return await has_reported(receiver, key, "DELIVERED")

    await until(all_told)
    assert [event["sequence"] for event in receiver.events_of(key)] == [1, 2, 3]
    assert len({headers["X-Gateway-Event"] for headers, _ in receiver.calls[:4]}) == 1


async def test_a_receiver_that_has_gone_makes_dead_letters_that_can_be_replayed(
    demo: ApiClient, receiver: CallbackReceiver
) -> None:
    receiver.answers += [410]
    (key,) = await send_all(demo, phones(1), SMS, callbackUrl=receiver.url)
    await until(lambda: has_reported(receiver, key, "DELIVERED"))
    assert [event["sequence"] for event in receiver.events_of(key)] == [2, 3]
    (letter,) = await dead_callbacks(demo)
    assert (letter["id"], letter["reason"], letter["what"]) == (f"{key}:1", "it answers 410", receiver.url)
    status, answer = await demo.post("/api/v1/deadLetters/replay", {"kind": "callbacks", "ids": [f"{key}:1", "x"]})
    assert status == 200
    assert [outcome["result"] for outcome in answer["deadLetters"]] == ["replayed", "unknown"]
    await until(lambda: has_reported(receiver, key, "PENDING"))
    assert await dead_callbacks(demo) == []


async def dead_callbacks(demo: ApiClient) -> list[Any]:
    async with demo.http.get("/api/v1/deadLetters", params={"kind": "callbacks"}) as response:
        return list((await response.json())["deadLetters"])


async def test_given_up_in_the_end(demo: ApiClient, receiver: CallbackReceiver) -> None:
    runtime = demo.environment.runtime
    quick = Tuning(callback_pauses=runtime.settings.tuning.callback_pauses[:2], host_failures=100)
    runtime.settings = replace(runtime.settings, tuning=quick)
    receiver.answers += [500] * 3
    (key,) = await send_all(demo, phones(1), SMS, callbackUrl=receiver.url, callbackEvents="final")

    async def given_up() -> list[Any]:
        advance_clock(demo, minutes=1)
        demo.environment.runtime.callback_bell.set()
        return await dead_callbacks(demo)

    (letter,) = await until(given_up)
    assert (letter["id"].partition(":")[0], letter["tries"]) == (key, 3)


async def test_a_redirect_is_not_followed(demo: ApiClient, receiver: CallbackReceiver) -> None:
    receiver.answers += [302]
    (key,) = await send_all(demo, phones(1), SMS, callbackUrl=receiver.url, callbackEvents="final")
    await until(lambda: is_kept_for_retry(demo, "it answers 302"))
    advance_clock(demo, minutes=1)
    demo.environment.runtime.callback_bell.set()
    await until(lambda: has_reported(receiver, key, "DELIVERED"))
    assert len(receiver.calls) == 2


async def is_kept_for_retry(demo: ApiClient, reason: str) -> bool:
    """Return whether a call is stored for a retry, which happens a moment after the receiver's answer."""
    return await demo.environment.runtime.db["callbacks"].find_one({"reason": reason}) is not None


async def test_a_host_that_is_away_holds_up_nobody_else(demo: ApiClient, receiver: CallbackReceiver) -> None:
    async with opened_callback_receiver() as hanging:
        hanging.hangs = True
        await send_all(demo, phones(60), SMS, callbackUrl=hanging.url)
        (key,) = await send_all(demo, phones(1), SMS, callbackUrl=receiver.url)
        await until(lambda: has_reported(receiver, key, "DELIVERED"))
        assert len(hanging.calls) <= hosts.AT_ONCE


@pytest.mark.parametrize("url", [*BAD_URLS, *PRIVATE])
async def test_where_nobody_can_be_told(demo: ApiClient, url: str) -> None:
    runtime = demo.environment.runtime
    runtime.settings = replace(runtime.settings, private_callbacks=False)
    (item,) = await post_message(demo, phones(1), SMS, callbackUrl=url)
    assert (item["error"]["code"] in {"bad_url", "invalid"}, item["error"]["field"]) == (
        True,
        "messages[0].callbackUrl",
    )


@pytest.mark.parametrize("disguise", [*IN_DISGUISE, "http://127.0.0.1:{port}/callbacks"])
async def test_private_addresses_are_found_when_they_are_looked_up(
    demo: ApiClient, receiver: CallbackReceiver, disguise: str
) -> None:
    url = disguise.format(port=receiver.url.split(":")[2].partition("/")[0])
    runtime = demo.environment.runtime
    call = Call("m:1", "m", 1, url, "{}", runtime.clock())
    async with files.session(private=False) as outward:
        runtime.outward, original = outward, runtime.outward
        problem = await callbacks.post(runtime, call)
        runtime.outward = original
    assert problem
    assert receiver.calls == []


async def test_without_a_secret_nothing_is_promised(demo: ApiClient) -> None:
    runtime = demo.environment.runtime
    runtime.settings = replace(runtime.settings, callback_secrets=())
    (item,) = await post_message(demo, phones(1), SMS, callbackUrl="https://shop.ru/")
    assert item["error"]["code"] == "no_secret"
    assert "GATEWAY_CALLBACK_SECRET" in item["error"]["message"]


async def test_two_workers_keep_the_order(demo: ApiClient, receiver: CallbackReceiver) -> None:
    """The receiver fails about every third call, at random."""
    runtime = demo.environment.runtime
    runtime.settings = replace(runtime.settings, tuning=Tuning(host_failures=10_000))
    chance = random.Random(7)
    receiver.answers += [500 if chance.random() < 0.3 else 200 for _ in range(200)]
    async with another_worker(demo):
        ids = await send_all(demo, phones(40), SMS, callbackUrl=receiver.url)
        await wait_for_all(demo, ids, "DELIVERED")  # with the clock put forward, their workers would lose their leases

        async def all_told() -> bool:
            advance_clock(demo, seconds=20)
            demo.environment.runtime.callback_bell.set()
            return all([await has_reported(receiver, key, "DELIVERED") for key in ids])

        await until(all_told, 60)
    for key in ids:
        assert list(dict.fromkeys(event["sequence"] for event in receiver.events_of(key))) == [1, 2, 3], key


async def test_a_change_is_told_though_the_process_ended_right_after_it(
    demo: ApiClient, receiver: CallbackReceiver
) -> None:
    """The change and its pending callback are one write, so another process finds the callback."""
    (key,) = await send_all(demo, phones(1), SMS, callbackUrl=receiver.url)
    await until(lambda: has_reported(receiver, key, "DELIVERED"))
    db = demo.environment.runtime.db
    await until(lambda: has_nothing_to_report(demo, key))
    await db["callbacks"].delete_many({})
    receiver.accepted.clear()
    await db["notifications"].update_one({"_id": key}, {"$set": {"untold": 3}})
    demo.environment.runtime.callback_bell.set()
    await until(lambda: has_reported(receiver, key, "DELIVERED"))
    assert [event["sequence"] for event in receiver.events_of(key)] == [1, 2, 3]


async def has_nothing_to_report(demo: ApiClient, key: str) -> bool:
    """Return whether no change is left to report. This is stored after the calls, which may be made before it."""
    return await demo.environment.runtime.db["notifications"].find_one({"_id": key, "untold": None}) is not None


async def test_what_happens_in_conversations_is_told_to_the_accounts_own_webhook(
    settings: Settings, receiver: CallbackReceiver
) -> None:
    with_callbacks = replace(settings, callbacks={"telegram:demo": receiver.url})
    async with opened_environment(with_callbacks) as environment, ApiClient.of(environment) as demo:
        await demo.say("telegram", "/start")
        await demo.say("telegram", "Hello")
        await demo.say("vk", "/start")
        await demo.say("telegram", "/stop")
        await block_bot(environment)

        async def all_there() -> bool:
            return len(receiver.accepted) >= 6

        await until(all_there)
    assert [event["event"] for event in receiver.accepted] == [
        "session.started",
        "message.inbound",
        "message.inbound",
        "session.stopped",
        "message.inbound",
        "session.blocked",
    ]
    assert [event.get("text") for event in receiver.accepted if event["event"] == "message.inbound"] == [
        "/start",
        "Hello",
        "/stop",
    ]
    assert len({event["session"] for event in receiver.accepted}) == 1
    assert sorted(event["sequence"] for event in receiver.accepted) == [
        event["sequence"] for event in receiver.accepted
    ]


async def block_bot(demo: Environment) -> None:
    """Block the bot as the person."""
    telegram = demo.simulators["telegram"]
    assert isinstance(telegram, Telegram)
    await telegram.block(telegram.user_of(PHONE))


@pytest.mark.parametrize(
    ("environ", "table", "problem"),
    [
        ({"GATEWAY_CALLBACK_SECRET": "short"}, "", "GATEWAY_CALLBACK_SECRET: a secret of at least 16"),
        (
            {"GATEWAY_CALLBACK_SECRET": "11111111111111111111"},
            "",
            "GATEWAY_CALLBACK_SECRET: this secret can be guessed",
        ),
        ({"GATEWAY_CALLBACK_SECRET": ",".join(["x7" * 10] * 3)}, "", "one secret, or two"),
        ({}, 'callback_url = "https://shop.ru/"', "[sms.main] callback_url: GATEWAY_CALLBACK_SECRET is needed"),
        ({"GATEWAY_CALLBACK_SECRET": "x7y8" * 10}, 'callback_url = "http://10.0.0.1/"', "leads to a private network"),
    ],
)
def test_settings(tmp_path: Path, environ: dict[str, str], table: str, problem: str) -> None:
    (tmp_path / "accounts.toml").write_text(f"[sms.main]\n{table}\n")
    with pytest.raises(SettingsError, match=problem.replace("[", r"\[")):
        load({"GATEWAY_ACCOUNTS": str(tmp_path / "accounts.toml"), **environ})


def test_two_secrets(tmp_path: Path) -> None:
    first, second = "3f9a" * 10, "b2c8" * 10
    settings = load({"GATEWAY_CALLBACK_SECRET": f"{first}, {second}"}, accounts=False)
    assert [secret.reveal() for secret in settings.callback_secrets] == [first, second]
    assert isinstance(settings.callback_secrets[0], OwnSecret)


@pytest.mark.faults
async def test_kill_9_loses_no_change_and_keeps_their_order(
    tmp_path: Path, settings: Settings, receiver: CallbackReceiver
) -> None:
    """The worker is killed again and again while it posts callbacks."""
    async with opened_cli(tmp_path, settings) as cli:
        environ = {
            **cli.environment,
            "GATEWAY_ACCOUNTS": str(tmp_path / "accounts.toml"),
            "GATEWAY_CALLBACK_SECRET": "3f9a" * 10,
            "GATEWAY_PRIVATE_CALLBACKS": "yes",
            "GATEWAY_LEASE": "2",
            "GATEWAY_DOUBT": "1",
        }
        key = (await cli.gateway("keys", "create", "shop")).out.strip()
        web, worker = Web("web", tmp_path, environ), Worker("worker", tmp_path, environ)
        await web.start()
        try:
            async with Gateway(web.url, key) as gateway:
                steps = [Step(channel="sms", text="Hi", success="sent")]
                people = [Destination(phone=destination["phone"]) for destination in phones(60)]
                message = Message(destinations=people, channels=steps, callback_url=receiver.url)
                ids = [str(item.id) for item in await gateway.send(message)]
            chance = random.Random(3)
            for _ in range(4):
                await worker.start()
                await asyncio.sleep(chance.uniform(0.05, 0.6))
                await worker.kill()
            await worker.start()

            async def all_ended() -> bool:
                return all(
                    {"SENT", "UNDELIVERED"} & {event["newStatus"] for event in receiver.events_of(key)} for key in ids
                )

            await until(all_ended, 60)
        finally:
            await worker.kill()
            await web.stop()
    for key in ids:
        events = {event["sequence"]: event for event in receiver.events_of(key)}
        assert list(events) == list(range(1, len(events) + 1)), key
        assert [event["oldStatus"] for event in events.values()][1:] == [
            event["newStatus"] for event in events.values()
        ][:-1]
