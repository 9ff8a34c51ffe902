"""What waits at the same moment and says the same goes out as one call. REST Bot API: Broadcast message."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bots.viber.api import MAX_JSON, Api, token_of
from bots.viber.errors import NotAllowed, of_receiver
from bots.wire.traces import Trace, current, tracing
from gateway.domain.channel.errors import Ambiguous, SendError, Unavailable
from gateway.domain.model.nouns import Content

PAUSE = 0.01
"""Seconds in which sends gather."""

MOST = 300
"""Receivers of one broadcast."""

RECEIVER_BYTES = 40
PLACEHOLDER = b"replace_me_with_"
"""How the names of Viber's placeholders begin: it would fill them in, and our texts are to arrive as they are."""

UNSENT, UNKNOWN = "it was given up before it was sent", "it was given up while it was being sent; it may have been sent"


@dataclass(frozen=True, eq=False)
class Letter:
    """One person's copy, who waits for its provider id, and whose trace its calls belong to."""

    receiver: str
    key: str
    sent: asyncio.Future[str]
    traces: tuple[Trace, ...] = field(default_factory=current)

    def taken(self, token: str) -> None:
        if not self.sent.done():
            self.sent.set_result(f"{self.receiver}/{token}")

    def failed(self, error: SendError) -> None:
        """An error of its own: those who wait hang their tracebacks on it."""
        if not self.sent.done():
            self.sent.set_exception(copy(error))


class Outbox:
    """The sends of one account. `wording` makes a content into a message without a receiver."""

    def __init__(
        self, api: Api, wording: Callable[[Content], Awaitable[Mapping[str, Any]]], *, broadcast: bool
    ) -> None:
        self._api = api
        self._wording = wording
        self._allowed = broadcast
        self._waiting: dict[Content, list[Letter]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def send(self, receiver: str, content: Content, key: str) -> str:
        """The provider id: the receiver and Viber's token, since a broadcast has one token for all. Raises SendError.

        Whoever gives up waiting takes only their own message back.
        """
        letter = Letter(receiver, key, asyncio.get_running_loop().create_future())
        if content in self._waiting:
            self._waiting[content].append(letter)
        else:
            self._waiting[content] = [letter]
            task = asyncio.create_task(self._deliver(content, self._waiting[content]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await letter.sent

    async def close(self) -> None:
        """Whatever was under way is given up, and those who wait for it are told."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # A task that is cancelled before it began never runs at all.
        for letter in [letter for letters in self._waiting.values() for letter in letters]:
            letter.failed(Unavailable(UNSENT))
        self._waiting.clear()

    async def _deliver(self, content: Content, letters: list[Letter]) -> None:
        fate: SendError = Unavailable(UNSENT)
        try:
            await asyncio.sleep(PAUSE if self._allowed else 0)
            del self._waiting[content]
            message = await self._wording(content)
            fate = Ambiguous(UNKNOWN)
            wanted = [letter for letter in letters if not letter.sent.done()]
            batches = parted(wanted, self._most(message))
            await asyncio.gather(*(self._together(message, batch) for batch in batches))
        except SendError as error:
            fate = error
        finally:
            for letter in letters:
                letter.failed(fate)

    def _most(self, message: Mapping[str, Any]) -> int:
        """How many receivers one call may have, the limit of its size in mind."""
        body = msgspec.json.encode(message)
        if not self._allowed or PLACEHOLDER in body:
            return 1
        return max(1, min(MOST, (MAX_JSON - len(body)) // RECEIVER_BYTES))

    async def _together(self, message: Mapping[str, Any], letters: Sequence[Letter]) -> None:
        if len(letters) > 1 and self._allowed:
            try:
                return await self._broadcast(message, letters)
            except NotAllowed:
                self._allowed = False
        await asyncio.gather(*(self._alone(message, letter) for letter in letters))
        return None

    async def _broadcast(self, message: Mapping[str, Any], letters: Sequence[Letter]) -> None:
        """Without our key: one tracking_data goes to everybody. Raises NotAllowed, and then nothing was sent."""
        receivers = [letter.receiver for letter in letters]
        try:
            with tracing(*(trace for letter in letters for trace in letter.traces)):
                answer = await self._api.call("broadcast_message", {**message, "broadcast_list": receivers})
            token, failed = token_of(answer), failures(answer)
        except NotAllowed:
            raise
        except SendError as error:
            for letter in letters:
                letter.failed(error)
            return
        for letter in letters:
            if letter.receiver in failed:
                letter.failed(failed[letter.receiver])
            else:
                letter.taken(token)

    async def _alone(self, message: Mapping[str, Any], letter: Letter) -> None:
        try:
            request = {**message, "receiver": letter.receiver, "tracking_data": letter.key}
            with tracing(*letter.traces):
                letter.taken(token_of(await self._api.call("send_message", request)))
        except SendError as error:
            letter.failed(error)


def parted(letters: Sequence[Letter], most: int) -> list[list[Letter]]:
    """Batches of at most so many, each with no receiver twice: Viber would not say which of the two it means."""
    batches: list[dict[str, Letter]] = []
    for letter in letters:
        room = next((batch for batch in batches if len(batch) < most and letter.receiver not in batch), None)
        if room is None:
            batches.append(room := {})
        room[letter.receiver] = letter
    return [list(batch.values()) for batch in batches]


def failures(answer: Mapping[str, Any]) -> dict[str, SendError]:
    """Whom the broadcast did not go to, and why."""
    entries = answer.get("failed_list")
    known = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return {str(one.get("receiver")): of_receiver(one.get("status"), one.get("status_message")) for one in known}
