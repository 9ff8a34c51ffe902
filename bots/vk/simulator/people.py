"""The people behind the stand-in for VK: their actions, and the events that follow. VK API: Events in communities."""

import secrets
from abc import ABC
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import msgspec

from bots.simulation.simulation import Bubble, Clock, Phone
from bots.vk import Account
from bots.vk.account import is_group
from bots.vk.simulator.files import FileStore
from bots.vk.simulator.webhooks import Webhooks
from gateway.domain.channel.file import File

USERS = 1_999_999_973
PRESS_LIVES = timedelta(minutes=1)
CLIENT = {
    "button_actions": ["text", "open_link", "callback"],
    "keyboard": True,
    "inline_keyboard": True,
    "carousel": True,
    "lang_id": 0,
}


class People(Webhooks, ABC):
    """Everybody who has this community on their phone. `echoes`: whether VK reports our own messages to us.

    A person who has denied the community's messages is `blocked`.
    """

    def __init__(self, account: Account, webhook_url: str, clock: Clock) -> None:
        super().__init__(account, webhook_url, clock)
        self.echoes = True
        self.files = FileStore(account.group_id, f"{account.api_url}/upload")
        self._allowed: set[str] = set()
        self._presses: dict[str, datetime] = {}
        self._text_keys: dict[str, set[str]] = {}
        self._ids = count(1001)
        self._versions = count(10_000_001)
        self._numbers: Counter[str] = Counter()

    def user_of(self, phone: str) -> str:
        """Return the id of the person with this number."""
        return str(int(phone.removeprefix("+")) * 48_271 % USERS + 1)

    async def say(self, user: str, text: str) -> None:
        self._write(user, text)

    async def share_file(self, user: str, body: bytes, name: str, content_type: str) -> None:
        """Send a file as the app does: pictures and recordings as such, others as documents."""
        await self.share_album(user, [File(name, content_type, body)])

    async def share_album(self, user: str, files: Sequence[File]) -> None:
        """Send files together, in one message."""
        shared = [self.files.share(int(user), file.body, file.name, file.content_type) for file in files]
        self._write(user, "", attachments=shared)

    async def say_in_chat(self, chat: str, user: str, text: str) -> None:
        """Write in a group chat that the community is in; `chat` is its id, from 2000000001 on."""
        self._write(chat, text, from_id=int(user))

    async def start(self, user: str, code: str = "") -> None:
        """Press the Start button of a chat that is still empty."""
        self._write(user, "Начать", payload='{"command":"start"}', **({"ref": code} if code else {}))

    async def press(self, user: str, bubble: str, button: str) -> None:
        """Press a button. One that opens a page sends us nothing; one of a keyboard writes its text."""
        message = next(message for message in self.phone(user).screen if message.id == bubble)
        choice = next(choice for choice in message.buttons if choice.text == button)
        if choice.url:
            return
        if choice.text in self._text_keys.get(bubble, ()):
            self._write(user, choice.text, **({"payload": choice.reply} if choice.reply else {}))
            return
        event_id = secrets.token_hex(6)
        self._presses[event_id] = self.clock()
        self.phone(user).last_wrote_at = self.clock()
        event = {
            "user_id": int(user),
            "peer_id": int(user),
            "event_id": event_id,
            "payload": msgspec.json.decode(choice.reply),
            "conversation_message_id": int(bubble.partition("/")[2]),
        }
        self._post_event("message_event", event)

    async def allow(self, user: str, key: str = "") -> None:
        """Press "Allow messages" on our site; `key` is the code that the widget there was given."""
        self._allowed.add(user)
        self.phone(user).blocked = False
        self._post_event("message_allow", {"user_id": int(user), "key": key})

    async def deny(self, user: str) -> None:
        """Deny the community's messages as this person."""
        self._allowed.discard(user)
        self.phone(user).blocked = True
        self._post_event("message_deny", {"user_id": int(user)})

    async def reply_as_operator(self, user: str, text: str) -> None:
        """Write to the person as one of the shop's operators, in the community's own inbox."""
        self._send_as_community(self.phone(user), text, admin_author_id=1)

    def may_write(self, phone: Phone) -> bool:
        """Tell whether the community may write to this person. A first message counts as permission until it is
        withdrawn.
        """
        has_permission = phone.last_wrote_at is not None or phone.user in self._allowed
        return has_permission and not phone.blocked

    def _write(self, peer: str, text: str, **fields: Any) -> None:
        phone = self.phone(peer)
        if not is_group(peer) and (phone.blocked or phone.last_wrote_at is None):
            phone.blocked = False
            self._post_event("message_allow", {"user_id": int(peer), "key": ""})
        phone.last_wrote_at = self.clock()
        message = self._message(phone, text, {"from_id": int(peer), "out": 0, **fields})
        self._show(phone, message, Bubble(id="", mine=True, at=self.clock(), text=text, state="read"))
        self._post_event("message_new", {"message": message, "client_info": CLIENT})

    def _send_as_community(
        self, phone: Phone, text: str, bubble: Bubble | None = None, **fields: Any
    ) -> dict[str, Any]:
        """Send a message in the community's name, and VK's echo of it."""
        message = self._message(phone, text, {"from_id": -self.account.group_id, "out": 1, **fields})
        bubble = bubble or Bubble(id="", mine=False, at=self.clock(), text=text)
        bubble.state = "sent" if not phone.reachable else "read" if phone.reads else "delivered"
        self._show(phone, message, bubble)
        if self.echoes:
            self._post_event("message_reply", message)
        return message

    def _message(self, phone: Phone, text: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Build a message. Ids are counted per conversation, so that those of two people are the same."""
        self._numbers[phone.user] += 1
        return {
            "id": 0 if is_group(phone.user) else next(self._ids),
            "version": next(self._versions),
            "date": int(self.clock().timestamp()),
            "peer_id": int(phone.user),
            "conversation_message_id": self._numbers[phone.user],
            "text": text,
            "attachments": [],
            "fwd_messages": [],
            "important": False,
            "is_hidden": False,
            "random_id": 0,
            **fields,
        }

    @staticmethod
    def _show(phone: Phone, message: dict[str, Any], bubble: Bubble) -> None:
        bubble.id = f"{phone.user}/{message['conversation_message_id']}"
        phone.screen.append(bubble)
