"""Tests that all processes together keep to the limits, and that nobody waits behind a bulk job."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from bots.simulation.simulation import Accepted
from gateway import worker
from gateway.domain.api.request import CancelRequest
from gateway.domain.channel.rates import Limits, Rate
from gateway.domain.model.notification import Priority
from gateway.messages.accepting.cancel import cancel as call_off
from gateway.messages.accepting.submit import submit
from gateway.runtime.limits.admission import Entry, Gate, NotYet
from gateway.runtime.limits.pace import MOST, Pace
from gateway.runtime.runtime import Clock, Runtime, opened
from gateway.runtime.settings import settings as written
from gateway.runtime.settings.settings import Settings
from storage.documents.documents import Db
from tests.support.client import PHONE, ApiClient, until
from tests.support.workload import (
    accepted_messages,
    account,
    another_worker,
    open_conversations,
    phones,
    send_all,
    wait_for_all,
)
from webhooks.demo.environment import opened_simulators, running_worker

SMS = {"channel": "sms", "text": "News"}
TEMPLATE = {"name": "order_update", "language": "en", "variables": {"name": "Anna", "order": "A-17"}}
BULK = 300
ACCOUNTS = """
[sms.demo]
account_sid = "AC1"
[sms.demo.limits]
account = "20/s"
person = "5/s burst 2"
[telegram.demo.limits]
account = "60/s"
person = "none"
[whatsapp.demo.limits]
template = "4/s"
"""


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Read the limits from an accounts file."""
    file = tmp_path / "accounts.toml"
    file.write_text(ACCOUNTS, "utf-8")
    return replace(settings, limits=written.load({"GATEWAY_ACCOUNTS": str(file)}).limits)


def is_never_early(lines: Sequence[Accepted], begin: datetime, interval: float, burst: int = 1) -> bool:
    """Return whether no message left before its moment, if the first might leave at `begin` (interval in seconds)."""
    moments = sorted(line.at for line in lines)
    due = [begin + timedelta(seconds=interval) * max(0, number + 1 - burst) for number in range(len(moments))]
    return all(moment >= least - timedelta(milliseconds=2) for moment, least in zip(moments, due, strict=True))


async def test_two_gateways_together_keep_to_an_accounts_rate(demo: ApiClient) -> None:
    """Each gateway gets half of the messages at the same moment and sends its own."""
    async with another_worker(demo) as second_runtime:
        begin = demo.environment.runtime.clock()
        halves = [_request(phones(30, first=first), "half") for first in (100, 200)]
        gateways = (demo.environment.runtime, second_runtime)
        await asyncio.gather(
            *(submit(runtime, body, "me", None) for runtime, body in zip(gateways, halves, strict=True))
        )
        await until(lambda: _has_all(accepted_messages(demo, "sms"), 60))
    assert len({line.user for line in accepted_messages(demo, "sms")}) == len(accepted_messages(demo, "sms")) == 60
    assert is_never_early(accepted_messages(demo, "sms"), begin, 1 / 20)


async def test_no_moment_is_given_twice(db: Db) -> None:
    """Two processes request moments of one account at once; together they get each moment, and none is left out."""
    step, now = timedelta(milliseconds=50), Clock()()
    gates = [Gate(db, {"a:b": Limits(account=Rate(1, step))}) for _ in range(2)]
    requests = [gates[number % 2].ask(Entry("a:b", f"a:b:{number}", Priority.REPLY), now) for number in range(40)]
    moments = [moment for answer in await asyncio.gather(*requests) if isinstance(answer, list) for moment in answer]
    assert sorted(moments) == [now + step * number for number in range(40)]


async def test_one_person_is_written_to_at_their_pace(demo: ApiClient) -> None:
    begin = demo.environment.runtime.clock()
    keys = await send_all(demo, [{"phone": PHONE}] * 8, SMS)
    await wait_for_all(demo, keys, "DELIVERED")
    assert len(accepted_messages(demo, "sms")) == 8
    assert is_never_early(accepted_messages(demo, "sms"), begin, 1 / 5, burst=2)


async def test_a_template_has_a_rate_of_its_own(demo: ApiClient) -> None:
    begin = demo.environment.runtime.clock()
    keys = await send_all(demo, phones(8), {"channel": "whatsapp", "template": TEMPLATE})
    await wait_for_all(demo, keys, "READ")
    assert len(accepted_messages(demo, "whatsapp")) == 8
    assert is_never_early(accepted_messages(demo, "whatsapp"), begin, 1 / 4)


async def test_the_settings_say_how_fast(demo: ApiClient) -> None:
    """Limits that the settings do not name stay as the provider has them."""
    limits = {name: (await account(demo, f"{name}:demo"))["limits"] for name in ("sms", "telegram", "whatsapp")}
    assert limits["sms"] == {"account": "20/s", "person": "5/s burst 2", "group": "none", "template": "none"}
    assert limits["telegram"] == {"account": "60/s", "person": "none", "group": "20/min burst 3", "template": "none"}
    assert limits["whatsapp"] == {"account": "80/s", "person": "1/6s burst 45", "group": "none", "template": "4/s"}


async def test_where_there_is_no_limit_nothing_is_counted(demo: ApiClient) -> None:
    (person,) = await open_conversations(demo, "telegram", [{"phone": PHONE}])
    keys = await send_all(demo, [person] * 5, {"channel": "telegram", "text": "News"})
    await wait_for_all(demo, keys, "SENT")
    names = [
        document["_id"]
        async for document in demo.environment.runtime.db["rate_limits"].find({"_id": {"$regex": "^tele"}})
    ]
    assert names == ["telegram:demo"]


async def test_nobody_waits_behind_a_mailing(demo: ApiClient) -> None:
    """An answer and a single message leave in the middle of a bulk job that uses the account's whole rate."""
    crowd = await open_conversations(demo, "telegram", phones(BULK))
    (person,) = await open_conversations(demo, "telegram", phones(1, first=900))
    await send_all(demo, crowd, {"channel": "telegram", "text": "News"})
    await until(lambda: _has_accepted(demo, 20))
    (single,), _ = await asyncio.gather(
        send_all(demo, [person], {"channel": "telegram", "text": "Single"}), demo.say("telegram", "/help")
    )
    await demo.wait_for(single, "SENT")
    await until(lambda: _has_accepted(demo, BULK + 2))
    order = [line.text for line in accepted_messages(demo, "telegram")]
    assert order.count("News") == BULK
    positions = [index for index, text in enumerate(order) if text != "News"]
    assert len(positions) == 2
    assert max(positions) < BULK - 60, "they have waited for the end of the bulk job"


async def _has_accepted(demo: ApiClient, count: int) -> bool:
    return len(accepted_messages(demo, "telegram")) >= count


async def test_a_template_that_has_to_wait_uses_up_nothing_of_its_account(db: Db) -> None:
    """A bulk job with a slow template must not use up what other messages may send."""
    second = timedelta(seconds=1)
    gate, now = Gate(db, {"a:b": Limits(account=Rate(1, second), template=Rate(1, 60 * second))}), Clock()()
    slow = Entry("a:b", "a:b:1", Priority.REPLY, template="a:b:t:en")
    assert await gate.ask(slow, now) == [now]
    answers = [await gate.ask(slow, now) for _ in range(3)]
    assert [answer.why for answer in answers if isinstance(answer, NotYet)] == [
        "at most 1 in 1 min of this template"
    ] * 3
    assert await gate.ask(Entry("a:b", "a:b:1", Priority.REPLY), now) == [now + second]


async def test_what_is_parked_belongs_to_no_process(settings: Settings) -> None:
    """The gateway that parked the messages is gone; they can still be cancelled, and another one sends the rest."""
    async with opened_simulators("http://127.0.0.1:9", Clock()) as (simulators, accounts):
        settings = replace(settings, accounts=accounts, lease=timedelta(seconds=5))
        book = simulators["sms"].accepted
        async with opened(settings) as first:
            await submit(first, _request(phones(60), "kept"), "caller", None)
            await submit(first, _request(phones(20, first=500), "called off"), "caller", None)
            await _park(first, 40)
            outcomes = await call_off(first, CancelRequest(bulk_id="called off"))
            rest = sum(not outcome.cancelled for outcome in outcomes)
        async with opened(settings) as second, running_worker(second):
            await until(lambda: _has_all(book, 60 + rest))
            await until(lambda: _none_is_due(second))
        assert len(book) == len({line.user for line in book}) == 60 + rest


def _request(people: list[dict[str, Any]], bulk: str) -> bytes:
    message = {"destinations": people, "channels": [SMS], "priority": "bulk"}
    return msgspec.json.encode({"bulkId": bulk, "messages": [message]})


async def _park(runtime: Runtime, count: int) -> None:
    """Let this gateway work until it has parked `count` messages, of which it takes as many as there are."""
    runtime.pace, stop = Pace(least=MOST), asyncio.Event()
    work = asyncio.create_task(worker.run(runtime, stop))
    collection = runtime.db["notifications"]

    async def are_parked() -> bool:
        return await collection.count_documents({"lane": "sms:demo/3"}) >= count

    await until(are_parked)
    stop.set()
    await work


async def _has_all(book: Sequence[Accepted], count: int) -> bool:
    return len(book) >= count


async def _none_is_due(runtime: Runtime) -> bool:
    return await runtime.db["notifications"].count_documents({"lane": "sms:demo/3"}) == 0
