"""Joins equal messages that wait at the same moment into one call. REST Bot API: Broadcast message."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import msgspec

from bots.viber.api import MAX_JSON, Api, token_of
from bots.viber.errors import NotAllowed, receiver_failure
from bots.wire.traces import Trace, current, tracing
from gateway.domain.channel.errors import Ambiguous, SendError, Unavailable
from gateway.domain.model.nouns import Content

PAUSE = 0.01
"""Seconds for which a message waits for equal ones."""

MOST = 300
"""Receivers of one broadcast."""

RECEIVER_BYTES = 40
PLACEHOLDER = b"replace_me_with_"
"""How Viber's placeholders begin. A broadcast would fill them in, but our texts have to arrive unchanged."""

UNSENT, UNKNOWN = "it was given up before it was sent", "it was given up while it was being sent; it may have been sent"


@dataclass(frozen=True, eq=False)
class Letter:
    """One person's copy of a message. `provider_id` is set once it is sent; `traces` record the calls that carry it."""

    receiver: str
    key: str
    provider_id: asyncio.Future[str]
    traces: tuple[Trace, ...] = field(default_factory=current)

    def complete(self, token: str) -> None:
        """Set the provider id, unless the send was cancelled."""
        if not self.provider_id.done():
            self.provider_id.set_result(f"{self.receiver}/{token}")

    def fail(self, error: SendError) -> None:
        """Set an error of this letter's own: each waiting task adds its traceback to it."""
        if not self.provider_id.done():
            self.provider_id.set_exception(copy(error))


class Outbox:
    """The sends of one account. `build_message` makes a content into a message without a receiver."""

    def __init__(
        self, api: Api, build_message: Callable[[Content], Awaitable[Mapping[str, Any]]], *, broadcast: bool
    ) -> None:
        self._api = api
        self._build_message = build_message
        self._allowed = broadcast
        self._waiting: dict[Content, list[Letter]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def send(self, receiver: str, content: Content, key: str) -> str:
        """Send a message to one person and return the receiver and Viber's token: a broadcast has one token for all.

        Raises SendError. A task that is cancelled while it waits withdraws only its own message.
        """
        letter = Letter(receiver, key, asyncio.get_running_loop().create_future())
        if content in self._waiting:
            self._waiting[content].append(letter)
        else:
            self._waiting[content] = [letter]
            task = asyncio.create_task(self._deliver(content, self._waiting[content]))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await letter.provider_id

    async def close(self) -> None:
        """Cancel what is under way; everybody who waits for it gets an error."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # A task that is cancelled before its start never runs, so its letters have to be failed here.
        for letter in [letter for letters in self._waiting.values() for letter in letters]:
            letter.fail(Unavailable(UNSENT))
        self._waiting.clear()

    async def _deliver(self, content: Content, letters: list[Letter]) -> None:
        error: SendError = Unavailable(UNSENT)
        try:
            await asyncio.sleep(PAUSE if self._allowed else 0)
            del self._waiting[content]
            message = await self._build_message(content)
            error = Ambiguous(UNKNOWN)
            pending = [letter for letter in letters if not letter.provider_id.done()]
            batches = split_into_batches(pending, self._batch_size(message))
            await asyncio.gather(*(self._send_batch(message, batch) for batch in batches))
        except SendError as failure:
            error = failure
        finally:
            for letter in letters:
                letter.fail(error)

    def _batch_size(self, message: Mapping[str, Any]) -> int:
        """Return how many receivers one call may have within the limit of its size in bytes."""
        body = msgspec.json.encode(message)
        if not self._allowed or PLACEHOLDER in body:
            return 1
        return max(1, min(MOST, (MAX_JSON - len(body)) // RECEIVER_BYTES))

    async def _send_batch(self, message: Mapping[str, Any], letters: Sequence[Letter]) -> None:
        if len(letters) > 1 and self._allowed:
            try:
                return await self._broadcast(message, letters)
            except NotAllowed:
                self._allowed = False
        await asyncio.gather(*(self._send_single(message, letter) for letter in letters))
        return None

    async def _broadcast(self, message: Mapping[str, Any], letters: Sequence[Letter]) -> None:
        """Send one broadcast, without our key, because all receivers share one tracking_data.

        Raises NotAllowed where Viber refuses broadcasts, and then nothing was sent.
        """
        receivers = [letter.receiver for letter in letters]
        try:
            with tracing(*(trace for letter in letters for trace in letter.traces)):
                answer = await self._api.call("broadcast_message", {**message, "broadcast_list": receivers})
            token, errors = token_of(answer), failures(answer)
        except NotAllowed:
            raise
        except SendError as error:
            for letter in letters:
                letter.fail(error)
            return
        for letter in letters:
            if letter.receiver in errors:
                letter.fail(errors[letter.receiver])
            else:
                letter.complete(token)

    async def _send_single(self, message: Mapping[str, Any], letter: Letter) -> None:
        try:
            request = {**message, "receiver": letter.receiver, "tracking_data": letter.key}
            with tracing(*letter.traces):
                letter.complete(token_of(await self._api.call("send_message", request)))
        except SendError as error:
            letter.fail(error)


def split_into_batches(letters: Sequence[Letter], size: int) -> list[list[Letter]]:
    """Return batches of at most `size` letters, each without a receiver twice.

    Viber could not say which of a receiver's two letters it means.
    """
    batches: list[dict[str, Letter]] = []
    for letter in letters:
        target = next((batch for batch in batches if len(batch) < size and letter.receiver not in batch), None)
        if target is None:
            batches.append(target := {})
        target[letter.receiver] = letter
    return [list(batch.values()) for batch in batches]


def failures(answer: Mapping[str, Any]) -> dict[str, SendError]:
    """Return the error of each receiver that the broadcast did not reach."""
    entries = answer.get("failed_list")
    failed_entries = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return {
        str(entry.get("receiver")): receiver_failure(entry.get("status"), entry.get("status_message"))
        for entry in failed_entries
    }
