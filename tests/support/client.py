"""A client of the gateway's HTTP API for tests: it sends requests as a business would and waits for the results."""

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
"""Seconds that a test waits for a result."""

T = TypeVar("T")


@dataclass(frozen=True)
class Caller:
    """A client that calls a gateway with an API key."""

    http: aiohttp.ClientSession

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        """Post `body` as JSON. Returns the status and the decoded response."""
        async with self.http.post(path, json=body, headers=headers) as response:
            return response.status, await response.json()


@asynccontextmanager
async def opened_caller(url: str, key: str) -> AsyncIterator[Caller]:
    """Open a caller of the gateway at `url`."""
    async with aiohttp.ClientSession(url, headers={"Authorization": f"Bearer {key}"}) as http:
        yield Caller(http)


@dataclass(frozen=True)
class ApiClient(Caller):
    """A caller with the API key of a demo environment, which also reaches that environment's simulators."""

    environment: Environment

    @classmethod
    @asynccontextmanager
    async def of(cls, environment: Environment) -> AsyncIterator["ApiClient"]:
        """Open a client of this environment."""
        async with opened_caller(environment.url, environment.key) as caller:
            yield cls(caller.http, environment)

    async def send(self, *channels: dict[str, Any], **destination: Any) -> str:
        """Send one message to one person. Returns its id."""
        body = {"messages": [{"destinations": [destination or {"phone": PHONE}], "channels": list(channels)}]}
        status, answer = await self.post("/api/v1/messages", body)
        assert status == 202, answer
        assert "id" in answer["messages"][0], answer
        return str(answer["messages"][0]["id"])

    async def story(self, key: str) -> Any:
        """Return the message as the API shows it, with all its attempts and decisions."""
        async with self.http.get(f"/api/v1/messages/{key}") as response:
            return await response.json()

    async def wait_for(self, key: str, *statuses: str) -> Any:
        """Wait until the message has one of these statuses. Returns its story."""
        return await self._wait_until(key, lambda story: story["status"] in statuses)

    async def wait_for_attempt(self, key: str, channel: str, status: str, cause: str | None = None) -> Any:
        """Wait until the last attempt has this channel, status and cause. Returns the message's story."""
        return await self._wait_until(key, lambda story: _last_attempt(story, cause) == (channel, status, cause))

    async def wait_for_decision(self, key: str, words: str) -> Any:
        """Wait until a decision's text contains `words`. Returns the message's story."""
        return await self._wait_until(key, lambda story: any(words in line["text"] for line in story["decisions"]))

    async def _wait_until(self, key: str, condition: Callable[[Any], bool]) -> Any:
        async def matching_story() -> Any:
            story = await self.story(key)
            return story if condition(story) else None

        try:
            return await until(matching_story)
        except TimeoutError:
            raise AssertionError(f"not as expected: {await self.story(key)}") from None

    def screen(self, channel: str, phone: str = PHONE) -> list[Bubble]:
        """Return what the person sees on this channel, oldest first."""
        simulator = self.environment.simulators[channel]
        return simulator.phone(simulator.user_of(phone)).screen

    async def say(self, channel: str, text: str, phone: str = PHONE) -> Bubble:
        """Write to the bot as the person. Returns the bot's next answer."""
        simulator = self.environment.simulators[channel]
        user, before = simulator.user_of(phone), len(self.answers(channel, phone))
        await simulator.say(user, text)
        return await self.answer(channel, before, phone)

    async def press(self, channel: str, button: str, phone: str = PHONE) -> Bubble:
        """Press a button under the bot's last message as the person. Returns the bot's next answer."""
        simulator, answers = self.environment.simulators[channel], self.answers(channel, phone)
        await simulator.press(simulator.user_of(phone), answers[-1].id, button)
        return await self.answer(channel, len(answers), phone)

    def answers(self, channel: str, phone: str = PHONE) -> list[Bubble]:
        """Return the bot's messages on the person's screen, oldest first."""
        return [bubble for bubble in self.screen(channel, phone) if not bubble.mine]

    async def answer(self, channel: str, index: int, phone: str = PHONE) -> Bubble:
        """Wait for the bot's answer with this index and return it."""

        async def answer_at_index() -> Bubble | None:
            answers = self.answers(channel, phone)
            return answers[index] if len(answers) > index else None

        return await until(answer_at_index)

    def pass_time(self, hours: float) -> None:
        """Put the environment's clock forward."""
        self.environment.runtime.clock.ahead += timedelta(hours=hours)


async def until(condition: Callable[[], Awaitable[T | None]], patience: float = PATIENCE) -> T:
    """Call `condition` until its result is true, and return that result. Raises TimeoutError after `patience` s."""
    async with asyncio.timeout(patience):
        while not (result := await condition()):  # noqa: ASYNC110 - the awaited change happens in other processes
            await asyncio.sleep(0.02)
        return result


def _last_attempt(story: Any, cause: str | None) -> tuple[Any, Any, Any]:
    last = story["attempts"][-1] if story["attempts"] else {"channel": "", "status": "", "cause": None}
    return last["channel"], last["status"], last["cause"] if cause else None
