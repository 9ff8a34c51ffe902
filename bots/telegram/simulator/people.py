"""The people behind the stand-in for Telegram: their actions, and the updates that follow. Bot API: Update."""

import json
import secrets
from abc import ABC
from collections import Counter
from collections.abc import Sequence
from itertools import count
from typing import Any

from bots.simulation.simulation import Bubble, Clock, Phone, Simulator
from bots.telegram import Account
from bots.telegram.inbound.webhook import SECRET_HEADER
from bots.telegram.simulator import objects
from bots.telegram.simulator.checks.files import File
from gateway.domain.channel.calls import Call
from gateway.domain.channel.file import File as SharedFile

CHAT_OF_NUMBER = 0x1A2B3C4D5E6F7
"""XORed with a phone number, it gives a chat id that does not look like one; no two people share an id."""

SHARED = {"image/": "photo", "video/": "video", "audio/ogg": "voice", "audio/": "audio"}
"""As what the apps send files, by the beginning of their type."""


class People(Simulator, ABC):
    """Everybody who has this bot on their phone. `allowed`: the kinds of updates asked for, all if none is named.

    `uploads` holds the files that Telegram has, by their ids.
    `waiting` holds the updates that happened while there was no webhook; `new_group_ids` the ids of upgraded groups.
    """

    def __init__(self, account: Account, webhook_url: str, clock: Clock) -> None:
        super().__init__(webhook_url, clock)
        self.account = account
        self.secret = account.webhook_secret.reveal()
        self.allowed: list[str] = []
        self.waiting: list[dict[str, Any]] = []
        self.new_group_ids: dict[str, str] = {}
        self.uploads: dict[str, bytes] = {}
        self._queries: set[str] = set()
        self._messages: dict[str, dict[str, Any]] = {}
        self._update_ids = count(700_000_001)
        self._message_ids: Counter[str] = Counter()

    def user_of(self, phone: str) -> str:
        """Return the chat id of the person with this number."""
        return str(int(phone.removeprefix("+")) ^ CHAT_OF_NUMBER)

    async def say(self, user: str, text: str) -> None:
        """Send a text as this person. Someone who has blocked the bot has to press Restart first."""
        if self.phone(user).blocked:
            await self.unblock(user)
        self._write(user, text, text=text, **objects.entities_of(text))

    async def start(self, user: str, code: str = "") -> None:
        """Press the Start button: the app does not show the code that it sends."""
        await super().start(user, code)
        self.phone(user).screen[-1].text = "/start"

    async def share_album(self, user: str, files: Sequence[SharedFile]) -> None:
        """Send files together: each is a message of its own. Bot API: Message, media_group_id."""
        album = secrets.token_hex(8)
        for file in files:
            self._share(user, file.body, file.name, file.content_type, media_group_id=album)

    async def share_file(self, user: str, body: bytes, name: str, content_type: str) -> None:
        """Send a file as the apps do: pictures, videos and recordings as such, others as documents."""
        self._share(user, body, name, content_type)

    def _share(self, user: str, body: bytes, name: str, content_type: str, **about: str) -> None:
        kind = next((kind for mime, kind in SHARED.items() if content_type.startswith(mime)), "document")
        item = objects.file_of(kind, File("", name, content_type, body))
        self.uploads[(item[-1] if kind == "photo" else item)["file_id"]] = body
        self._write(user, "", **{kind: item}, **about)

    async def share_contact(self, user: str) -> None:
        """Send the person's own number, without the plus, as many of Telegram's apps do."""
        number = str(int(user) ^ CHAT_OF_NUMBER)
        contact = {"phone_number": number, "first_name": self.phone(user).name, "user_id": int(user)}
        self._write(user, f"+{number}", contact=contact)

    async def press(self, user: str, bubble: str, button: str) -> None:
        """Press a button. One that opens a page sends the bot nothing."""
        phone = self.phone(user)
        message = next(message for message in phone.screen if message.id == bubble)
        choice = next(choice for choice in message.buttons if choice.text == button)
        if choice.url:
            return
        query = str(secrets.randbits(62))
        self._queries.add(query)
        phone.last_wrote_at = self.clock()
        callback_query = {
            "id": query,
            "from": objects.user_of(phone),
            "message": self._messages[bubble],
            "chat_instance": f"-{query}",
        }
        self._report_update("callback_query", callback_query | {"data": choice.reply})

    async def block(self, user: str) -> None:
        """Block the bot as this person."""
        self._membership(user, "member", "kicked")

    async def unblock(self, user: str) -> None:
        """Unblock the bot as this person, as pressing Restart does."""
        self._membership(user, "kicked", "member")

    def upgrade(self, group: str) -> str:
        """Turn a group into a supergroup, as its owner does by changing some settings. Returns its new id."""
        self.new_group_ids[group] = supergroup = f"-100{group.removeprefix('-')}"
        self.phone(supergroup, self.phone(group).name)
        return supergroup

    def _write(self, user: str, screen_text: str, **content: Any) -> None:
        phone = self.phone(user)
        phone.last_wrote_at = self.clock()
        message = self._message(phone, objects.user_of(phone), content)
        phone.screen.append(
            Bubble(id=objects.key_of(message), mine=True, at=phone.last_wrote_at, text=screen_text, state="read")
        )
        self._report_update("message", message)

    def _membership(self, user: str, old: str, new: str) -> None:
        phone = self.phone(user)
        phone.blocked = new == "kicked"
        change = {"chat": objects.chat_of(phone), "from": objects.user_of(phone), "date": self._now()}
        self._report_update(
            "my_chat_member",
            change | {f"{age}_chat_member": self._member(status) for age, status in (("old", old), ("new", new))},
        )

    def _member(self, status: str) -> dict[str, Any]:
        return {"user": self._bot(), "status": status} | ({"until_date": 0} if status == "kicked" else {})

    def _report_update(self, kind: str, content: dict[str, Any]) -> None:
        """Post an update, if the bot wants its kind. Without a webhook, updates wait for one."""
        if self.allowed and kind not in self.allowed:
            return
        update = {"update_id": next(self._update_ids), kind: content}
        if self.webhook_url:
            self._post_update(update)
        else:
            self.waiting.append(update)

    def _post_update(self, update: dict[str, Any]) -> None:
        headers = {"content-type": "application/json"} | ({SECRET_HEADER: self.secret} if self.secret else {})
        self.deliver(Call("POST", self.webhook_url, headers, json.dumps(update).encode(), self.clock()))

    def _message(self, phone: Phone, sender: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
        """Build and store a message. Ids are counted per chat, so that those of two chats are the same."""
        self._message_ids[phone.user] += 1
        message = {
            "message_id": self._message_ids[phone.user],
            "from": sender,
            "chat": objects.chat_of(phone),
            "date": self._now(),
        }
        self._messages[objects.key_of(message)] = message | content
        return message | content

    def _now(self) -> int:
        return int(self.clock().timestamp())

    def _bot(self) -> dict[str, Any]:
        number = int(self.account.token.reveal().partition(":")[0])
        return {"id": number, "is_bot": True, "first_name": "Shop", "username": self.account.username or "shop_bot"}
