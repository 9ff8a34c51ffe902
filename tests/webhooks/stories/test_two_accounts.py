"""Two accounts of each channel are two conversations with a person, though the provider's ids are the same at both."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

import bots
from gateway.runtime.settings.settings import Settings
from tests.support.client import PHONE, ApiClient
from tests.support.twins import OTHER, Twins, opened_twins
from tests.support.workload import accepted_messages, decisions_text
from webhooks.demo.environment import ACCOUNT

Block = Callable[[Any, str], Awaitable[None]]
BLOCKS: dict[str, Block] = {
    "telegram": lambda simulator, user: simulator.block(user),
    "vk": lambda simulator, user: simulator.deny(user),
    "viber": lambda simulator, user: simulator.unsubscribe(user),
}
"""How people block a bot, where the provider tells it."""

RECEIPTS = ("viber", "whatsapp", "sms")


@pytest.fixture
async def twins(settings: Settings) -> AsyncIterator[Twins]:
    async with opened_twins(settings) as both:
        yield both


async def get(client: ApiClient, path: str) -> Any:
    async with client.http.get(path) as response:
        assert response.status == 200, await response.text()
        return await response.json()


async def sessions(twins: Twins, channel: str) -> dict[str, Any]:
    """Return the conversations on the channel, by account."""
    found = (await get(twins.first, f"/api/v1/sessions?channel={channel}"))["sessions"]
    return {session["account"]: session for session in found}


async def chat(twins: Twins, session: Any) -> list[tuple[str, str]]:
    """Return the direction and text of the lines of a conversation."""
    lines = (await get(twins.first, f"/api/v1/sessions/{session['id']}/messages"))["messages"]
    return [(line["direction"], line["text"]) for line in lines]


async def send(client: ApiClient, channel: str, account: str, text: str = "News", **fields: Any) -> str:
    """Send the person a message from this account, which they are named to by their phone number. Returns its id."""
    message = {"destinations": [{"phone": PHONE}], "channels": [{"channel": channel, "account": account, "text": text}]}
    _, answer = await client.post("/api/v1/messages", {"messages": [message | fields]})
    return str(answer["messages"][0]["id"])


async def open_both(twins: Twins, channel: str) -> None:
    """Let the person start a chat with both accounts, by the links that were made for their number."""
    contact = (await twins.first.post("/api/v1/contacts", {"phone": PHONE}))[1]
    for client in (twins.first, twins.second):
        simulator = client.environment.simulators[channel]
        await simulator.start(simulator.user_of(PHONE), contact["startCode"])
        await client.answer(channel, 0)
    await twins.settle()


@pytest.mark.parametrize("channel", bots.CHANNELS)
async def test_one_call_at_both_accounts_is_said_twice_and_answered_by_each(twins: Twins, channel: str) -> None:
    await twins.first.say(channel, "/start")
    await twins.settle()
    twins.let_write(channel, PHONE)
    assert await twins.repeat(channel) > 0
    await twins.second.answer(channel, 0)
    await twins.repeat(channel)
    await twins.settle()
    both = await sessions(twins, channel)
    assert both.keys() == {ACCOUNT, OTHER}
    assert both[ACCOUNT]["userId"] == both[OTHER]["userId"]
    logs = [await chat(twins, both[name]) for name in (ACCOUNT, OTHER)]
    assert set(logs[0]) == set(logs[1]), "one channel's copies of our answers are among the calls"
    assert len(logs[0]) == len(set(logs[0])) == 2
    assert ("in", "/start") in logs[0]
    assert [len(accepted_messages(client, channel)) for client in (twins.first, twins.second)] == [1, 1]


@pytest.mark.parametrize("channel", bots.CHANNELS)
async def test_what_is_sent_leaves_from_the_account_that_is_named(twins: Twins, channel: str) -> None:
    await open_both(twins, channel)
    for name, text in ((ACCOUNT, "one"), (OTHER, "two")):
        await twins.first.wait_for(await send(twins.first, channel, name, text), "SENT", "DELIVERED", "READ")
    last_texts = [accepted_messages(client, channel)[-1].text for client in (twins.first, twins.second)]
    assert last_texts == ["one", "two"]


@pytest.mark.parametrize("channel", RECEIPTS)
async def test_a_receipt_at_the_other_account_is_of_no_message_of_this_one(twins: Twins, channel: str) -> None:
    """Not even where it names our own key."""
    await open_both(twins, channel)
    first, _ = twins.simulators(channel)
    first.deliveries.clear()
    first.faults.webhook_copies = 0
    key = await send(twins.first, channel, ACCOUNT)
    await twins.first.wait_for(key, "SENT")
    assert await twins.repeat(channel) > 0
    await twins.settle()
    assert (await twins.first.story(key))["status"] == "SENT"
    for delivery in first.deliveries:
        await first.post_webhook(delivery.call)
    await twins.first.wait_for(key, "DELIVERED", "READ")


@pytest.mark.parametrize("channel", BLOCKS)
async def test_who_blocks_one_bot_is_written_to_by_the_other(twins: Twins, channel: str) -> None:
    await open_both(twins, channel)
    first, _ = twins.simulators(channel)
    await BLOCKS[channel](first, first.user_of(PHONE))
    await twins.settle()
    assert [(await sessions(twins, channel))[name]["state"] for name in (ACCOUNT, OTHER)] == ["blocked", "open"]
    await twins.first.wait_for(await send(twins.first, channel, ACCOUNT), "UNDELIVERED")
    await twins.first.wait_for(await send(twins.first, channel, OTHER), "SENT", "DELIVERED", "READ")


@pytest.mark.parametrize("channel", bots.CHANNELS)
async def test_who_stops_one_bot_gets_service_of_the_other_and_marketing_of_none(twins: Twins, channel: str) -> None:
    await open_both(twins, channel)
    await twins.first.say(channel, "/stop")
    await twins.settle()
    assert [(await sessions(twins, channel))[name]["state"] for name in (ACCOUNT, OTHER)] == ["stopped", "open"]
    await twins.first.wait_for(await send(twins.first, channel, ACCOUNT), "UNDELIVERED")
    await twins.first.wait_for(await send(twins.first, channel, OTHER), "SENT", "DELIVERED", "READ")
    for name in (ACCOUNT, OTHER):
        key = await send(twins.first, channel, name, category="marketing")
        assert "opted out of marketing" in decisions_text(await twins.first.wait_for(key, "UNDELIVERED"))


@pytest.mark.parametrize("channel", bots.CHANNELS)
async def test_an_opt_out_of_a_person_holds_at_both_accounts(twins: Twins, channel: str) -> None:
    await open_both(twins, channel)
    await twins.first.post("/api/v1/optOuts", {"phone": PHONE, "kind": "all"})
    for name in (ACCOUNT, OTHER):
        key = await send(twins.first, channel, name)
        assert "opted out" in decisions_text(await twins.first.wait_for(key, "UNDELIVERED"))
