"""A stand-in for api.telegram.org and for the people behind it. Bot API: Making requests, Update."""

import json
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from bots.simulation import Accepted, Bubble, Clock, Phone, Simulator, utcnow
from bots.telegram import Account, objects, rules
from bots.telegram.inbound import SECRET_HEADER
from gateway.channel import Call
from gateway.settings import Secret

CHAT_OF_NUMBER = 0x1A2B3C4D5E6F7
"""Turns a phone number into a chat id that does not look like one, and back: no two people share an id."""


def demo_account(api_url: str) -> Account:
    """A bot that lives on the stand-in under `api_url`, with fresh secrets."""
    token = f"7{secrets.randbelow(10**9):09}:AA{secrets.token_hex(17)[:33]}"
    return Account(Secret(token), Secret(f"tg-{secrets.token_hex(16)}"), api_url, "demo_shop_bot")


class Server(Simulator):
    """Telegram, for one bot. `answered` holds the callback queries that the bot has answered, in order."""

    name = "telegram"
    errors = {code: refusal.description for code, refusal in rules.ERRORS.items()}  # noqa: RUF012

    def __init__(self, account: Account, webhook_url: str, clock: Clock = utcnow) -> None:
        super().__init__(webhook_url, clock)
        self.account = account
        self.secret = account.webhook_secret.reveal()
        self.allowed: list[str] = []
        self.answered: list[str] = []
        self.waiting: list[dict[str, Any]] = []
        self.moved: dict[str, str] = {}
        self._queries: set[str] = set()
        self._messages: dict[str, dict[str, Any]] = {}
        self._update_ids = count(700_000_001)
        self._message_ids: Counter[str] = Counter()
        self._methods: dict[str, Callable[[Mapping[str, str]], Any]] = {
            "getme": lambda _: self._bot() | {"can_join_groups": True},
            "sendmessage": self._send_message,
            **{f"send{kind.replace('_', '')}": self._sending(kind) for kind in objects.FILES},
            "answercallbackquery": self._answer_callback_query,
            "deletemessage": self._delete_message,
            "setwebhook": self._set_webhook,
            "deletewebhook": lambda _: self._unset_webhook(),
            "getwebhookinfo": lambda _: self._webhook_info(),
        }

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint(self.name, __name__)
        blueprint.add_url_rule("/bot<token>/<method>", view_func=self._call, methods=["POST"])
        return blueprint

    # People.

    def user_of(self, phone: str) -> str:
        return str(int(phone.removeprefix("+")) ^ CHAT_OF_NUMBER)

    async def say(self, user: str, text: str) -> None:
        """Writing to a bot that one has blocked takes pressing Restart first."""
        if self.phone(user).blocked:
            await self.unblock(user)
        self._write(user, text, text=text, **objects.entities_of(text))

    async def share_contact(self, user: str) -> None:
        """A person sends their own number, without the plus, as many of Telegram's apps do."""
        number = str(int(user) ^ CHAT_OF_NUMBER)
        contact = {"phone_number": number, "first_name": self.phone(user).name, "user_id": int(user)}
        self._write(user, f"+{number}", contact=contact)

    async def press(self, user: str, bubble: str, button: str) -> None:
        """A button that opens a page tells the bot nothing."""
        phone = self.phone(user)
        shown = next(shown for shown in phone.screen if shown.id == bubble)
        pressed = next(pressed for pressed in shown.buttons if pressed.text == button)
        if pressed.url:
            return
        query = str(secrets.randbits(62))
        self._queries.add(query)
        phone.last_wrote_at = self.clock()
        asked = {
            "id": query,
            "from": objects.user_of(phone),
            "message": self._messages[bubble],
            "chat_instance": f"-{query}",
        }
        self._tell("callback_query", asked | {"data": pressed.reply})

    async def block(self, user: str) -> None:
        self._membership(user, "member", "kicked")

    async def unblock(self, user: str) -> None:
        self._membership(user, "kicked", "member")

    def upgrade(self, group: str) -> str:
        """Turn a group into a supergroup, as its owner does by changing some settings; returns its new id."""
        self.moved[group] = moved = f"-100{group.removeprefix('-')}"
        self.phone(moved, self.phone(group).name)
        return moved

    def _write(self, user: str, shown: str, **content: Any) -> None:
        phone = self.phone(user)
        phone.last_wrote_at = self.clock()
        message = self._message(phone, objects.user_of(phone), content)
        phone.screen.append(
            Bubble(id=objects.key_of(message), mine=True, at=phone.last_wrote_at, text=shown, state="read")
        )
        self._tell("message", message)

    def _membership(self, user: str, old: str, new: str) -> None:
        phone = self.phone(user)
        phone.blocked = new == "kicked"
        change = {"chat": objects.chat_of(phone), "from": objects.user_of(phone), "date": self._now()}
        self._tell(
            "my_chat_member",
            change | {f"{age}_chat_member": self._member(status) for age, status in (("old", old), ("new", new))},
        )

    def _member(self, status: str) -> dict[str, Any]:
        return {"user": self._bot(), "status": status} | ({"until_date": 0} if status == "kicked" else {})

    # Webhooks.

    def _tell(self, kind: str, content: dict[str, Any]) -> None:
        """Without a webhook, updates wait for one."""
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

    def _set_webhook(self, params: Mapping[str, str]) -> bool:
        url, secret = params.get("url", ""), params.get("secret_token", "")
        if not url:
            return self._unset_webhook()
        rules.check_webhook(url, secret)
        self.webhook_url, self.secret = url, secret
        self.allowed = json.loads(params.get("allowed_updates", "[]"))
        while self.waiting:
            self._post_update(self.waiting.pop(0))
        return True

    def _unset_webhook(self) -> bool:
        self.webhook_url = ""
        return True

    def _webhook_info(self) -> dict[str, Any]:
        pending = len(self.waiting) + len(self._tasks)
        info = {"url": self.webhook_url, "has_custom_certificate": False, "pending_update_count": pending}
        failures = [status for status, _ in self.answers if not 200 <= status < 300]  # noqa: PLR2004
        if failures:
            reason = f"Wrong response from the webhook: {failures[-1]}" if failures[-1] else "Connection refused"
            info |= {"last_error_date": self._now(), "last_error_message": reason}
        return info | ({"allowed_updates": self.allowed} if self.allowed else {})

    # Calls.

    async def _call(self, token: str, method: str) -> ResponseReturnValue:
        try:
            result = await self._result(token, method.lower())
        except rules.Refused as refused:
            return refused.refusal.body(), refused.refusal.status
        if method.lower().startswith("send") and self.faults.loses_this_answer():
            return "<html><body><h1>502 Bad Gateway</h1></body></html>", 502
        return {"ok": True, "result": result}

    async def _result(self, token: str, method: str) -> Any:
        if token != self.account.token.reveal():
            raise rules.Refused(rules.UNAUTHORIZED)
        if planned := await self.faults.next_error():
            raise rules.Refused(rules.ERRORS[planned])
        if method not in self._methods:
            raise rules.Refused(rules.NO_SUCH_METHOD)
        return self._methods[method](await _params())

    def _send_message(self, params: Mapping[str, str]) -> dict[str, Any]:
        text = rules.text_of(params)
        return self._accept(params, text, "", {"text": text})

    def _sending(self, kind: str) -> Callable[[Mapping[str, str]], dict[str, Any]]:
        def send(params: Mapping[str, str]) -> dict[str, Any]:
            file, caption = rules.file_of(params, kind), rules.caption_of(params)
            content: dict[str, Any] = {kind: objects.file_of(kind, file)} | ({"caption": caption} if caption else {})
            return self._accept(params, caption, file, content)

        return send

    def _accept(self, params: Mapping[str, str], text: str, media: str, content: dict[str, Any]) -> dict[str, Any]:
        buttons = rules.buttons_of(params)
        phone = self._listener(params.get("chat_id", ""))
        if buttons:
            content["reply_markup"] = json.loads(params["reply_markup"])
        message = self._message(phone, self._bot(), content)
        key, now = objects.key_of(message), self.clock()
        self.accepted.append(Accepted(id=key, user=phone.user, at=now, text=text, request=dict(params)))
        phone.screen.append(_bubble(phone, Bubble(id=key, mine=False, at=now, text=text, buttons=buttons, media=media)))
        return message

    def _listener(self, chat: str) -> Phone:
        """The person or group with this id, if the bot may write to them."""
        if chat in self.moved:
            moved = {"migrate_to_chat_id": int(self.moved[chat])}
            raise rules.Refused(rules.Refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", moved))
        if chat not in self.phones:
            raise rules.Refused(rules.CHAT_NOT_FOUND)
        phone = self.phones[chat]
        if phone.blocked:
            raise rules.Refused(rules.BLOCKED)
        if phone.last_wrote_at is None and not objects.is_group(phone):
            raise rules.Refused(rules.NOT_STARTED)
        return phone

    def _answer_callback_query(self, params: Mapping[str, str]) -> bool:
        query = params.get("callback_query_id", "")
        if query not in self._queries:
            raise rules.bad("query is too old and response timeout expired or query ID is invalid")
        self.answered.append(query)
        return True

    def _delete_message(self, params: Mapping[str, str]) -> bool:
        phone = self._listener(params.get("chat_id", ""))
        key = f"{phone.user}/{params.get('message_id', '')}"
        if key not in self._messages:
            raise rules.bad("message to delete not found")
        del self._messages[key]
        phone.screen = [bubble for bubble in phone.screen if bubble.id != key]
        return True

    def _message(self, phone: Phone, sender: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
        """Ids are counted per chat, so that those of two chats are the same."""
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


async def _params() -> dict[str, str]:
    """A call's parameters, which come as a form or as JSON."""
    if request.is_json:
        given = await request.get_json()
        return {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    return {key: str(value) for key, value in (await request.form).items()}


def _bubble(phone: Phone, bubble: Bubble) -> Bubble:
    """What the person's app makes of it; the bot is never told."""
    bubble.state = "sent" if not phone.reachable else "read" if phone.reads else "delivered"
    return bubble
