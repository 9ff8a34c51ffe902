"""Helpers of the tests with many messages, people and workers: they send, wait, and read the simulators' records."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from bots.simulation.simulation import Accepted
from bots.viber.simulator.server import Server as Viber
from bots.whatsapp.simulator.server import Server as WhatsApp
from gateway.domain.model.nouns import Address, Session
from gateway.runtime.runtime import Runtime, opened
from storage.people import sessions
from tests.support.client import PHONE, ApiClient, until
from webhooks.demo.environment import ACCOUNT, running_worker

SMS = {"channel": "sms", "text": "In short."}
LONG = "a" * 4000 + "\n" + "b" * 4000
ENDS = ("SENT", "DELIVERED", "READ", "UNDELIVERED", "EXPIRED", "ERROR", "CANCELLED")


def phone(number: int) -> str:
    """Return the phone number of the person with this index."""
    return f"+7900{number:07}"


def phones(count: int, first: int = 100) -> list[dict[str, Any]]:
    """Return `count` destinations with distinct phone numbers."""
    return [{"phone": phone(first + number)} for number in range(count)]


async def open_conversations(client: ApiClient, channel: str, people: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give each of these people an open conversation. Returns destinations that name the chat and the phone."""
    return list(await asyncio.gather(*(_open_conversation(client, channel, person["phone"]) for person in people)))


async def _open_conversation(client: ApiClient, channel: str, number: str) -> dict[str, Any]:
    simulator, now = client.environment.simulators[channel], client.environment.runtime.clock()
    address = Address(channel, ACCOUNT, simulator.user_of(number))
    simulator.phone(address.user).last_wrote_at = now
    if isinstance(simulator, Viber):
        simulator.subscribed.add(address.user)
    open_chat = Session(address.key, address, started_at=now, last_inbound_at=now, window_from_at=now)
    await sessions.change(client.environment.runtime.db, address.key, lambda session: session or open_chat)
    return {"phone": number, "chatSessionId": address.key}


async def post_message(
    client: ApiClient,
    destinations: Sequence[dict[str, Any]],
    *channels: dict[str, Any],
    bulk: str | None = None,
    **fields: Any,
) -> list[Any]:
    """Post one message to all of these destinations. Returns the response's items, accepted or refused."""
    message = {"destinations": list(destinations), "channels": list(channels), **fields}
    status, answer = await client.post("/api/v1/messages", {"bulkId": bulk, "messages": [message]})
    assert status == 202, answer
    return list(answer["messages"])


async def send_all(
    client: ApiClient, destinations: Sequence[dict[str, Any]], *channels: dict[str, Any], **fields: Any
) -> list[str]:
    """Post one message to all of these destinations, which have to be accepted. Returns the ids."""
    return [item["id"] for item in await post_message(client, destinations, *channels, **fields)]


async def send_one(client: ApiClient, *channels: dict[str, Any], **fields: Any) -> str:
    """Send a message to `PHONE`. Returns its id."""
    return (await send_all(client, [{"phone": PHONE}], *channels, **fields))[0]


async def cancel(client: ApiClient, **selector: Any) -> tuple[int, Any]:
    """Request to cancel a message, group or bulk. Returns the status and the response."""
    async with client.http.delete("/api/v1/messages", json=selector) as response:
        return response.status, await response.json()


async def account(client: ApiClient, name: str) -> Any:
    """Return the account as the API shows it."""
    async with client.http.get("/api/v1/accounts?webhooks=no") as response:
        accounts = (await response.json())["accounts"]
    return next(account for account in accounts if account["account"] == name)


async def wait_for_state(client: ApiClient, name: str, state: str) -> Any:
    """Wait until the account is held, trying or open. Returns the account."""

    async def account_in_state() -> Any:
        view = await account(client, name)
        return view if view["state"] == state else None

    return await until(account_in_state)


def advance_clock(client: ApiClient, **length: float) -> None:
    """Put the clock forward and make the worker look at the queue at once."""
    client.pass_time(timedelta(**length) / timedelta(hours=1))
    client.environment.runtime.outbox_bell.set()


async def wait_for_worker(client: ApiClient) -> None:
    """Wait until the worker has processed all that is due by now, by sending a last message and awaiting it."""
    await client.wait_for(await send_one(client, {"channel": "sms", "text": "Look!"}), "DELIVERED")


async def wait_for_all(client: ApiClient, ids: Iterable[str], *statuses: str) -> list[Any]:
    """Wait until each message has one of `statuses`, by default any final one. Returns their stories."""
    async with asyncio.timeout(40):
        return [await client.wait_for(key, *(statuses or ENDS)) for key in ids]


def whatsapp(client: ApiClient) -> WhatsApp:
    """Return the simulator of WhatsApp by its own class, which offers more than the common one."""
    simulator = client.environment.simulators["whatsapp"]
    assert isinstance(simulator, WhatsApp)
    return simulator


def accepted_messages(
    client: ApiClient, channel: str, condition: Callable[[Accepted], bool] = lambda _: True
) -> list[Accepted]:
    """Return the messages that the provider accepted and that fulfil the condition, in its order."""
    return [message for message in client.environment.simulators[channel].accepted if condition(message)]


def texts(client: ApiClient, channel: str) -> list[str]:
    """Return the texts that the provider accepted, in its order."""
    return [message.text for message in accepted_messages(client, channel)]


def attempt_statuses(story: Any) -> list[tuple[str, str]]:
    """Return the channel and status of each attempt."""
    return [(attempt["channel"], attempt["status"]) for attempt in story["attempts"]]


def decisions_text(story: Any) -> str:
    """Return the texts of all decisions, one per line."""
    return "\n".join(line["text"] for line in story["decisions"])


@asynccontextmanager
async def another_worker(client: ApiClient) -> AsyncIterator[Runtime]:
    """Run one more worker over the same database, clock and providers, and yield its runtime."""
    runtime = client.environment.runtime
    async with opened(runtime.settings, runtime.clock) as worker_runtime, running_worker(worker_runtime):
        yield worker_runtime
