"""The people behind the stand-in: they open the chat, write, press, subscribe and unsubscribe.

REST Bot API: Callbacks.
"""

from abc import ABC
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from bots.simulation.simulation import Bubble
from bots.viber.simulator.connection import Connection
from bots.viber.simulator.messages import SendRequest
from bots.viber.simulator.rules import read

Json = dict[str, Any]


class People(Connection, ABC):
    """Everything that people do with a bot in Viber."""

    async def open_chat(self, user: str, code: str = "") -> Bubble | None:
        """Open the chat, by a link with this code; return the welcome message that our answer shows, if any.

        This neither subscribes the person nor opens a session. Viber repeats the event until it is answered.
        """
        is_subscribed = user in self.subscribed
        fields = {
            "type": "open",
            "user": self._user(user),
            "subscribed": is_subscribed,
            **({"context": code} if code else {}),
        }
        async with self._fifo:
            await self._repeat_until_taken(self.callback("conversation_started", fields))
            _, answer = self.answers[-1]
        welcome = read(answer.encode())
        if is_subscribed or not isinstance(welcome, SendRequest):
            return None
        return self.show(self.phone(user), welcome, self.next_token())

    async def start(self, user: str, code: str = "") -> None:
        """Press the welcome's button. Subscribers see no welcome, so they write instead."""
        welcome = await self.open_chat(user, code)
        if welcome and welcome.buttons:
            await self.press(user, welcome.id, welcome.buttons[0].text)
        else:
            await self.say(user, "/start")

    async def say(self, user: str, text: str) -> None:
        self.write(user, {"type": "text", "text": text}, text)

    async def share_file(self, user: str, body: bytes, name: str, content_type: str) -> None:
        """Send a file as the app does: pictures and videos as such, others as files."""
        kind = {"image": "picture", "video": "video"}.get(content_type.partition("/")[0], "file")
        self.files[key := token_hex(16)] = body
        url = f"{self.account.api_url}/files/{key}"
        self.write(user, {"type": kind, "media": url, "file_name": name, "size": len(body)})

    async def press(self, user: str, bubble: str, button: str) -> None:
        """Press a button: the app writes its action in the person's name, and shows it unless it is silent.

        Here a silent reply is shown by the button's text, so that the screen shows that it was pressed.
        """
        key = next(key for key in self._keys[bubble] if key.label == button)
        message = {"type": "text", "text": key.action_body}
        if key.action_type in {"none", "location-picker", "share-phone"}:
            return
        if key.action_type == "open-url":
            self.post("message", {"sender": self._user(user), "message": message, "silent": key.silent})
        else:
            self.write(user, message, button if key.silent else key.action_body, silent=key.silent)

    async def subscribe(self, user: str) -> None:
        """Press "Receive messages" in the bot's details."""
        self.subscribed.add(user)
        self.phone(user).blocked = False
        self.post("subscribed", {"user": self._user(user)})

    async def unsubscribe(self, user: str) -> None:
        """Stop the bot's messages as this person."""
        self.subscribed.discard(user)
        self.phone(user).blocked = True
        self.post("unsubscribed", {"user_id": user})

    def write(self, user: str, message: Json, screen_text: str = "", *, silent: bool = False) -> None:
        """Send any message as this person. This subscribes them, and no other event reports that.

        It opens a session where none is running, and does not prolong a running one.
        """
        phone, now, token = self.phone(user), self.clock(), self.next_token()
        phone.last_wrote_at, phone.blocked = now, False
        self.subscribed.add(user)
        if not self.in_session(user):
            self.sessions[user] = now
        media = message.get("media", "")
        phone.screen.append(
            Bubble(id=f"{user}/{token}", mine=True, at=now, text=screen_text, media=media, state="sent")
        )
        self.post("message", {"sender": self._user(user), "message": message, "silent": silent}, token)

    def _user(self, user: str) -> Mapping[str, Any]:
        return {"id": user, "name": self.phone(user).name, "language": "ru", "country": "RU", "api_version": 10}
