"""What the tests of many messages, people and workers share: requests with every field, crowds, further workers."""

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
from webhooks.demo.environment import ACCOUNT, working

SMS = {"channel": "sms", "text": "In short."}
LONG = "a" * 4000 + "\n" + "b" * 4000
ENDS = ("SENT", "DELIVERED", "READ", "UNDELIVERED", "EXPIRED", "ERROR", "CANCELLED")


def phone(number: int) -> str:
    """The number of the person with that number."""
    return f"+7900{number:07}"


def phones(count: int, first: int = 100) -> list[dict[str, Any]]:
    """So many people whom nobody else is, as destinations."""
    return [{"phone": phone(first + number)} for number in range(count)]


async def open_conversations(client: ApiClient, channel: str, people: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """These people in conversations that are open: as destinations that name the chat and the number."""
    return list(await asyncio.gather(*(_seated(client, channel, person["phone"]) for person in people)))


async def _seated(client: ApiClient, channel: str, number: str) -> dict[str, Any]:
    simulator, now = client.environment.simulators[channel], client.environment.runtime.clock()
    address = Address(channel, ACCOUNT, simulator.user_of(number))
    simulator.phone(address.user).last_wrote_at = now
    if isinstance(simulator, Viber):
        simulator.subscribed.add(address.user)
    open_chat = Session(address.key, address, started_at=now, last_inbound_at=now, window_from_at=now)
    await sessions.change(client.environment.runtime.db, address.key, lambda known: known or open_chat)
    return {"phone": number, "chatSessionId": address.key}


async def post_message(
    client: ApiClient, to: Sequence[dict[str, Any]], *channels: dict[str, Any], bulk: str | None = None, **fields: Any
) -> list[Any]:
    """The answer's items for one message to all of these, whatever they are."""
    message = {"destinations": list(to), "channels": list(channels), **fields}
    status, answer = await client.post("/api/v1/messages", {"bulkId": bulk, "messages": [message]})
    assert status == 202, answer
    return list(answer["messages"])


async def send_all(
    client: ApiClient, to: Sequence[dict[str, Any]], *channels: dict[str, Any], **fields: Any
) -> list[str]:
    """The ids of what was accepted, which has to be all."""
    return [item["id"] for item in await post_message(client, to, *channels, **fields)]


async def send_one(client: ApiClient, *channels: dict[str, Any], **fields: Any) -> str:
    """The id of a message to the one person."""
    return (await send_all(client, [{"phone": PHONE}], *channels, **fields))[0]


async def cancel(client: ApiClient, **named: Any) -> tuple[int, Any]:
    """Ask for a message, group or bulk to be cancelled."""
    async with client.http.delete("/api/v1/messages", json=named) as response:
        return response.status, await response.json()


async def account(client: ApiClient, name: str) -> Any:
    """How the API says that this account is."""
    async with client.http.get("/api/v1/accounts?webhooks=no") as response:
        told = (await response.json())["accounts"]
    return next(account for account in told if account["account"] == name)


async def wait_for_state(client: ApiClient, name: str, state: str) -> Any:
    """The account, as soon as it is held, trying or open."""

    async def there() -> Any:
        told = await account(client, name)
        return told if told["state"] == state else None

    return await until(there)


def advance_clock(client: ApiClient, **length: float) -> None:
    """Let time pass, and the worker know at once."""
    client.pass_time(timedelta(**length) / timedelta(hours=1))
    client.environment.runtime.outbox_bell.set()


async def wait_for_worker(client: ApiClient) -> None:
    """Return when the worker has had its look at all that is due by now: what came last has left."""
    await client.wait_for(await send_one(client, {"channel": "sms", "text": "Look!"}), "DELIVERED")


async def wait_for_all(client: ApiClient, ids: Iterable[str], *statuses: str) -> list[Any]:
    """The stories of all of these, once each has ended, in one of these ways if any is named."""
    async with asyncio.timeout(40):
        return [await client.wait_for(key, *(statuses or ENDS)) for key in ids]


def whatsapp(client: ApiClient) -> WhatsApp:
    """The stand-in for WhatsApp, which can do more than others."""
    simulator = client.environment.simulators["whatsapp"]
    assert isinstance(simulator, WhatsApp)
    return simulator


def accepted_messages(
    client: ApiClient, channel: str, wanted: Callable[[Accepted], bool] = lambda _: True
) -> list[Accepted]:
    """What the provider took of us, in its order."""
    return [line for line in client.environment.simulators[channel].accepted if wanted(line)]


def texts(client: ApiClient, channel: str) -> list[str]:
    return [line.text for line in accepted_messages(client, channel)]


def attempt_statuses(story: Any) -> list[tuple[str, str]]:
    return [(attempt["channel"], attempt["status"]) for attempt in story["attempts"]]


def decisions_text(story: Any) -> str:
    """All that was decided, a line each."""
    return "\n".join(line["text"] for line in story["decisions"])


@asynccontextmanager
async def another_worker(client: ApiClient) -> AsyncIterator[Runtime]:
    """One more gateway over the same database, clock and providers; it only works."""
    runtime = client.environment.runtime
    async with opened(runtime.settings, runtime.clock) as other, working(other):
        yield other
