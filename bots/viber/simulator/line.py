"""The line between Viber, the people's phones and our webhook. REST Bot API: Callbacks, Message receipts callbacks."""

import asyncio
from abc import ABC
from base64 import b64encode
from collections import deque
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from bots.simulation.simulation import Accepted, Bubble, Clock, Phone, Simulator, utcnow
from bots.viber import Account
from bots.viber.binding import EVENTS
from bots.viber.inbound.webhook import sign
from bots.viber.simulator.rules import Key, SendRequest
from gateway.domain.channel.calls import Call

SESSION = timedelta(hours=24)
FIRST_TOKEN = 4912661846655238145
"""Tokens are larger than a double can hold exactly."""

OFF = 0.05
"""Seconds between looks whether a phone that is off is on again."""


class Line(Simulator, ABC):
    """`subscribed`: whom the bot may write to. `sessions`: when a person's running or last session began.

    charged: the messages that went out in no session.
    string_tokens: write message tokens as strings, as some of Viber's servers do.
    """

    def __init__(self, account: Account, webhook_url: str, clock: Clock = utcnow) -> None:
        super().__init__(webhook_url, clock)
        self.account = account
        self.event_types: Collection[str] = EVENTS
        self.subscribed: set[str] = set()
        self.sessions: dict[str, datetime] = {}
        self.charged: list[Accepted] = []
        self.string_tokens = False
        self._last_token = FIRST_TOKEN
        self._keys: dict[str, list[Key]] = {}
        self._rejections: deque[str] = deque()
        self._phones_off: set[asyncio.Task[None]] = set()

    def user_of(self, phone: str) -> str:
        """As Viber's ids look, with + and / in some of them."""
        return b64encode(sha256(phone.encode()).digest()[:16]).decode()

    async def close(self) -> None:
        for task in self._phones_off:
            task.cancel()
        await asyncio.gather(*self._phones_off, return_exceptions=True)
        await super().close()

    def reject_later(self, words: str) -> None:
        """Have the next message that is taken be rejected by the person's app, for this reason."""
        self._rejections.append(words)

    def in_session(self, user: str) -> bool:
        """Would a message to this person be free now?"""
        begun = self.sessions.get(user)
        return begun is not None and self.clock() < begun + SESSION

    def next_token(self) -> int:
        self._last_token += 1
        return self._last_token

    def written(self, token: int) -> int | str:
        """A token as this server writes it."""
        return str(token) if self.string_tokens else token

    def post(self, event: str, fields: Mapping[str, object], token: int | None = None) -> None:
        """Call the webhook, if it wants this event."""
        if self.webhook_url and (event not in EVENTS or event in self.event_types):
            self.deliver(self.callback(event, fields, token))

    def callback(self, event: str, fields: Mapping[str, object], token: int | None = None, url: str = "") -> Call:
        """A signed call of our webhook, or of another address."""
        now, token = self.clock(), self.next_token() if token is None else token
        head = {"event": event, "timestamp": int(now.timestamp() * 1000), "message_token": self.written(token)}
        body = msgspec.json.encode({**head, "chat_hostname": "SN-CHAT-05_", **fields})
        signed = {"X-Viber-Content-Signature": sign(self.account.auth_token, body)}
        return Call("POST", url or self.webhook_url, {"Content-Type": "application/json", **signed}, body, now)

    def take(self, asked: SendRequest, user: str, token: int) -> None:
        """Write a message of ours into the book, and send it to the person's phone."""
        phone = self.phone(user)
        bubble = self.show(phone, asked, token)
        line = Accepted(id=bubble.id, user=user, at=bubble.at, text=asked.text, request=msgspec.to_builtins(asked))
        self.accepted.append(line)
        if not self.in_session(user):
            self.charged.append(line)
        if phone.reachable:
            self._report(phone, bubble, token)
            return
        task = asyncio.create_task(self._report_when_on(phone, bubble, token))
        self._phones_off.add(task)
        task.add_done_callback(self._phones_off.discard)

    def show(self, phone: Phone, asked: SendRequest, token: int) -> Bubble:
        """A message of ours on a person's screen."""
        text, media = asked.text, asked.media or ""
        bubble = Bubble(id=f"{phone.user}/{token}", mine=False, at=self.clock(), text=text, media=media, state="sent")
        bubble.buttons, self._keys[bubble.id] = asked.buttons, asked.keys
        phone.screen.append(bubble)
        return bubble

    async def _report_when_on(self, phone: Phone, bubble: Bubble, token: int) -> None:
        while not phone.reachable:  # noqa: ASYNC110 - whoever holds the phone switches it on
            await asyncio.sleep(OFF)
        self._report(phone, bubble, token)

    def _report(self, phone: Phone, bubble: Bubble, token: int) -> None:
        """What the person's app tells Viber, and Viber tells us."""
        told = {"user_id": phone.user}
        if self._rejections:
            bubble.state = "failed"
            self.post("failed", told | {"desc": self._rejections.popleft()}, token)
            return
        bubble.state = "read" if phone.reads else "delivered"
        for event in ("delivered", "seen") if phone.reads else ("delivered",):
            self.post(event, told, token)
