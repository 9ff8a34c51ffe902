"""Connects Viber with people's phones and our webhook. REST Bot API: Callbacks, Message receipts callbacks."""

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
from bots.viber.simulator.messages import Key, SendRequest
from gateway.domain.channel.calls import Call

SESSION = timedelta(hours=24)
FIRST_TOKEN = 4912661846655238145
"""Tokens are larger than a double can hold exactly."""

OFF = 0.05
"""Seconds between checks whether a phone that is off is on again."""


class Connection(Simulator, ABC):
    """Viber's side of the calls and receipts. `subscribed`: the people whom the bot may write to.

    sessions: when each person's current or last session began. charged: the messages that went out in no session.
    files: those that people sent, by the end of their addresses.
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
        self.files: dict[str, bytes] = {}
        self._last_token = FIRST_TOKEN
        self._keys: dict[str, list[Key]] = {}
        self._rejections: deque[str] = deque()
        self._phones_off: set[asyncio.Task[None]] = set()

    def user_of(self, phone: str) -> str:
        """Return an id that looks like Viber's, with + and / in some of them."""
        return b64encode(sha256(phone.encode()).digest()[:16]).decode()

    async def close(self) -> None:
        for task in self._phones_off:
            task.cancel()
        await asyncio.gather(*self._phones_off, return_exceptions=True)
        await super().close()

    def reject_later(self, words: str) -> None:
        """Let the person's app reject the next accepted message, for this reason."""
        self._rejections.append(words)

    def in_session(self, user: str) -> bool:
        """Tell whether a message to this person would be free now."""
        began = self.sessions.get(user)
        return began is not None and self.clock() < began + SESSION

    def next_token(self) -> int:
        """Return a message token that was not used before."""
        self._last_token += 1
        return self._last_token

    def format_token(self, token: int) -> int | str:
        """Return a token as this server writes it."""
        return str(token) if self.string_tokens else token

    def post(self, event: str, fields: Mapping[str, object], token: int | None = None) -> None:
        """Call the webhook, if it wants this event."""
        if self.webhook_url and (event not in EVENTS or event in self.event_types):
            self.deliver(self.callback(event, fields, token))

    def callback(self, event: str, fields: Mapping[str, object], token: int | None = None, url: str = "") -> Call:
        """Return a signed call of our webhook, or of another address."""
        now, token = self.clock(), self.next_token() if token is None else token
        head = {"event": event, "timestamp": int(now.timestamp() * 1000), "message_token": self.format_token(token)}
        body = msgspec.json.encode({**head, "chat_hostname": "SN-CHAT-05_", **fields})
        signature_header = {"X-Viber-Content-Signature": sign(self.account.auth_token, body)}
        return Call(
            "POST", url or self.webhook_url, {"Content-Type": "application/json", **signature_header}, body, now
        )

    def accept(self, request: SendRequest, user: str, token: int) -> None:
        """Record a message of ours, and send it to the person's phone."""
        phone = self.phone(user)
        bubble = self.show(phone, request, token)
        entry = Accepted(id=bubble.id, user=user, at=bubble.at, text=request.shown, request=request.as_json())
        self.accepted.append(entry)
        if not self.in_session(user):
            self.charged.append(entry)
        if phone.reachable:
            self._report(phone, bubble, token)
            return
        task = asyncio.create_task(self._report_when_on(phone, bubble, token))
        self._phones_off.add(task)
        task.add_done_callback(self._phones_off.discard)

    def show(self, phone: Phone, request: SendRequest, token: int) -> Bubble:
        """Show a message of ours on a person's screen; return its bubble."""
        text, media = request.shown, request.media or ""
        bubble = Bubble(id=f"{phone.user}/{token}", mine=False, at=self.clock(), text=text, media=media, state="sent")
        bubble.buttons, self._keys[bubble.id] = request.buttons, request.keys
        phone.screen.append(bubble)
        return bubble

    async def _report_when_on(self, phone: Phone, bubble: Bubble, token: int) -> None:
        while not phone.reachable:  # noqa: ASYNC110 - whoever holds the phone switches it on
            await asyncio.sleep(OFF)
        self._report(phone, bubble, token)

    def _report(self, phone: Phone, bubble: Bubble, token: int) -> None:
        """Report to us what the person's app reports to Viber."""
        fields = {"user_id": phone.user}
        if self._rejections:
            bubble.state = "failed"
            self.post("failed", fields | {"desc": self._rejections.popleft()}, token)
            return
        bubble.state = "read" if phone.reads else "delivered"
        for event in ("delivered", "seen") if phone.reads else ("delivered",):
            self.post(event, fields, token)
