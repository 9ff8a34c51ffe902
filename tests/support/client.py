"""What a test does in a town: it calls the API over HTTP, as a business would, and waits for what comes of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import aiohttp

from bots.simulation.simulation import Bubble
from webhooks.demo.environment import Environment

PHONE = "+79000000001"
PATIENCE = 60.0
T = TypeVar("T")


@dataclass(frozen=True)
class Caller:
    """Who calls a gateway with a key."""

    http: aiohttp.ClientSession

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        async with self.http.post(path, json=body, headers=headers) as response:
            return response.status, await response.json()


@asynccontextmanager
async def opened_caller(url: str, key: str) -> AsyncIterator[Caller]:
    """A caller of the gateway at this address."""
    async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {key}"}) as http:
        yield Caller(http)


@dataclass(frozen=True)
class ApiClient(Caller):
    """A town and a caller with its API key."""

    environment: Environment

    @classmethod
    @asynccontextmanager
    async def of(cls, environment: Environment) -> AsyncIterator["ApiClient"]:
        async with opened_caller(environment.url, environment.key) as caller:
            yield cls(caller.http, environment)

    async def send(self, *channels: dict[str, Any], **destination: Any) -> str:
        """Send one message to one person; its id."""
        body = {"messages": [{"destinations": [destination or {"phone": PHONE}], "channels": list(channels)}]}
        status, answer = await self.post("/api/v1/messages", body)
        assert status == 202, answer
        assert "id" in answer["messages"][0], answer
        return str(answer["messages"][0]["id"])

    async def story(self, key: str) -> Any:
        async with self.http.get(f"/api/v1/messages/{key}") as response:
            return await response.json()

    async def wait_for(self, key: str, *statuses: str) -> Any:
        """The story, once it has one of these statuses."""
        return await self._told(key, lambda story: story["status"] in statuses)

    async def wait_for_attempt(self, key: str, channel: str, status: str, cause: str | None = None) -> Any:
        """The story, once its last attempt is on this channel, in this state, for this cause."""
        return await self._told(key, lambda story: _last(story, cause) == (channel, status, cause))

    async def wait_for_decision(self, key: str, words: str) -> Any:
        """The story, once a decision in it has these words."""
        return await self._told(key, lambda story: any(words in line["text"] for line in story["decisions"]))

    async def _told(self, key: str, wanted: Callable[[Any], bool]) -> Any:
        async def there() -> Any:
            story = await self.story(key)
            return story if wanted(story) else None

        try:
            return await until(there)
        except TimeoutError:
            raise AssertionError(f"not as expected: {await self.story(key)}") from None

    def screen(self, channel: str, phone: str = PHONE) -> list[Bubble]:
        simulator = self.environment.simulators[channel]
        return simulator.phone(simulator.user_of(phone)).screen

    async def say(self, channel: str, text: str, phone: str = PHONE) -> Bubble:
        """Write to the bot; what the bot answers."""
        simulator = self.environment.simulators[channel]
        user, before = simulator.user_of(phone), len(self.answers(channel, phone))
        await simulator.say(user, text)
        return await self.answer(channel, before, phone)

    async def press(self, channel: str, button: str, phone: str = PHONE) -> Bubble:
        """Press a button under the bot's last message; what the bot answers."""
        simulator, answers = self.environment.simulators[channel], self.answers(channel, phone)
        await simulator.press(simulator.user_of(phone), answers[-1].id, button)
        return await self.answer(channel, len(answers), phone)

    def answers(self, channel: str, phone: str = PHONE) -> list[Bubble]:
        return [bubble for bubble in self.screen(channel, phone) if not bubble.mine]

    async def answer(self, channel: str, index: int, phone: str = PHONE) -> Bubble:
        async def there() -> Bubble | None:
            answers = self.answers(channel, phone)
            return answers[index] if len(answers) > index else None

        return await until(there)

    def pass_time(self, hours: float) -> None:
        self.environment.runtime.clock.ahead += timedelta(hours=hours)


async def until(there: Callable[[], Awaitable[T | None]], patience: float = PATIENCE) -> T:
    """What `there` returns, as soon as it is something. Raises TimeoutError."""
    async with asyncio.timeout(patience):
        while not (found := await there()):  # noqa: ASYNC110 - what is waited for happens in other processes
            await asyncio.sleep(0.02)
        return found


def _last(story: Any, cause: str | None) -> tuple[Any, Any, Any]:
    last = story["attempts"][-1] if story["attempts"] else {"channel": "", "status": "", "cause": None}
    return last["channel"], last["status"], last["cause"] if cause else None
