"""The stand-in for VK's API, and for the people behind it. VK API: Requests, messages.send."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any

from quart import Blueprint, Response, jsonify, request

from bots.simulation.simulation import Accepted, Bubble, Clock, Phone, utcnow
from bots.vk import Account
from bots.vk.account import is_group
from bots.vk.errors import MEANINGS
from bots.vk.simulator import rules
from bots.vk.simulator.deletion import DELETABLE, delete
from bots.vk.simulator.files import FIELDS
from bots.vk.simulator.keyboards import buttons_of, text_labels
from bots.vk.simulator.people import PRESS_LIVES, People
from bots.vk.simulator.rules import PEER_CODES, VkError, invalid_parameter, number
from gateway.domain.channel.secret import OwnSecret, Secret
from gateway.domain.model.nouns import Button

REMEMBERED = timedelta(hours=1)


def demo_account(api_url: str) -> Account:
    """Return a community that lives on the stand-in under `api_url`, with fresh secrets."""
    return Account(
        group_id=77_001_000 + secrets.randbelow(1000),
        access_token=Secret(f"vk1.a.{secrets.token_urlsafe(48)}"),
        secret=OwnSecret(secrets.token_hex(20)),
        confirmation=secrets.token_hex(4),
        api_url=api_url,
        screen_name="demo_shop",
        intents=("purchase_update",),
    )


class Server(People):
    """VK's server, for one community. `answered` holds the presses that we have answered, by event_id, in order."""

    name = "vk"
    too_many = "6"
    errors: Mapping[str, str] = {str(code): meaning.words for code, meaning in MEANINGS.items()}

    def __init__(self, account: Account, webhook_url: str, clock: Clock = utcnow) -> None:
        super().__init__(account, webhook_url, clock)
        self.answered: list[str] = []
        self._sent: dict[tuple[str, int], tuple[datetime, dict[str, Any]]] = {}
        self._methods: dict[str, Callable[[Mapping[str, str]], Awaitable[Any]]] = {
            "messages.send": self._send,
            "messages.delete": self._delete,
            "messages.edit": self._edit,
            "messages.markAsRead": self._acknowledge,
            "messages.setActivity": self._acknowledge,
            "messages.sendMessageEventAnswer": self._answer_press,
            "users.get": self._users,
            "groups.getById": self._groups,
            **self.callbacks.methods,
            **self.files.methods,
        }

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint(self.name, __name__)
        blueprint.add_url_rule("/method/<method>", view_func=self._method, methods=["GET", "POST"])
        blueprint.post("/upload/<kind>")(self._upload)
        blueprint.get("/files/<key>")(self._file)
        return blueprint

    async def _method(self, method: str) -> Response:
        """Answer a call, always with HTTP 200."""
        params = request.args.to_dict() | (await request.form).to_dict()
        try:
            answer = {"response": await self._response(method, params)}
        except VkError as error:
            return jsonify(rules.error_body(error, params))
        if method == "messages.send" and self.faults.loses_this_answer():
            return Response("<html><h1>502 Bad Gateway</h1></html>", 502, content_type="text/html")
        return jsonify(answer)

    async def _response(self, method: str, params: Mapping[str, str]) -> Any:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or params.get("access_token", "")
        if not compare_digest(token.encode(), self.account.access_token.reveal().encode()):
            raise VkError(5, "User authorization failed: invalid access_token (4).")
        if planned := await self.faults.next_error():
            fault = VkError(int(planned))
            if method == "messages.send" and fault.code in PEER_CODES and rules.is_for_many(params):
                return [rules.failed_entry(peer, fault) for peer in rules.peers_of(params)]
            raise fault
        if method not in self._methods:
            raise VkError(3, "Unknown method passed")
        if not params.get("v"):
            raise VkError(8, "Invalid request: v is required")
        return await self._methods[method](params)

    async def _send(self, params: Mapping[str, str]) -> list[dict[str, Any]] | int:
        """Send to every peer by itself; an error with one of them is in its entry. One peer is answered with an id."""
        random_id, text = rules.random_id_of(params), rules.shown_text(params)
        buttons, peers = buttons_of(params), rules.peers_of(params)
        entries = [self._send_to(peer, random_id, text, buttons, params) for peer in peers]
        if rules.is_for_many(params):
            return entries
        if error := entries[0].get("error"):
            raise VkError(error["code"], error["description"])
        return int(entries[0]["message_id"])

    def _send_to(
        self, peer: str, random_id: int, text: str, buttons: list[Button], params: Mapping[str, str]
    ) -> dict[str, Any]:
        sent_at, previous = self._sent.get((peer, random_id), (self.clock(), None))
        if random_id and previous and self.clock() - sent_at < REMEMBERED:
            return previous
        try:
            self._check(self.phone(peer), params)
        except VkError as error:
            if error.code not in PEER_CODES:
                raise
            return rules.failed_entry(peer, error)
        entry = self._accept(self.phone(peer), text, buttons, params)
        self._sent[peer, random_id] = self.clock(), entry
        return entry

    def _accept(self, phone: Phone, text: str, buttons: list[Button], params: Mapping[str, str]) -> dict[str, Any]:
        media, now = params.get("attachment", ""), self.clock()
        bubble = Bubble(id="", mine=False, at=now, text=text, buttons=buttons, media=media)
        message = self._send_as_community(phone, text, bubble, random_id=int(params["random_id"]))
        self._text_keys[bubble.id] = text_labels(params)
        self.accepted.append(Accepted(id=bubble.id, user=phone.user, at=now, text=text, request=dict(params)))
        number = message["conversation_message_id"]
        return {"peer_id": int(phone.user), "message_id": message["id"], "conversation_message_id": number}

    def _check(self, phone: Phone, params: Mapping[str, str]) -> None:
        """Raise VkError unless this may be sent to this peer, now and with this intent."""
        intent = params.get("intent", "default")
        if not all(map(self.files.has, rules.attachments_of(params))):
            raise invalid_parameter("attachment is invalid")
        if is_group(phone.user):
            return
        if not self.may_write(phone):
            raise VkError(901, "Can't send messages for users without permission")
        if intent != "default" and intent not in self.account.intents:
            raise VkError(943, "Cannot use this intent")
        if intent == "default" and not self._in_window(phone):
            raise VkError(950, "Can't send message, reply timed out")

    def _in_window(self, phone: Phone) -> bool:
        """Tell whether VK's rule allows a message now: within a day of the person's last message."""
        hours = self.account.window_hours
        last_wrote_at = phone.last_wrote_at
        return not hours or (last_wrote_at is not None and self.clock() - last_wrote_at < timedelta(hours=hours))

    async def _delete(self, params: Mapping[str, str]) -> list[dict[str, Any]]:
        return delete(self._conversation(params), params, self.clock())

    async def _edit(self, params: Mapping[str, str]) -> int:
        """Change a message of ours that is less than a day old."""
        phone, text = self._conversation(params), rules.shown_text(params)
        number = params.get("cmid") or params.get("conversation_message_id", "")
        bubble = next((bubble for bubble in phone.screen if bubble.id == f"{phone.user}/{number}"), None)
        if bubble is None or bubble.mine or self.clock() - bubble.at >= DELETABLE:
            raise VkError(909, "Can't edit this message, because it's too old")
        bubble.text, bubble.buttons = text, buttons_of(params)
        return 1

    async def _acknowledge(self, params: Mapping[str, str]) -> int:
        self._conversation(params)
        return 1

    def _conversation(self, params: Mapping[str, str]) -> Phone:
        peer = str(number(params, "peer_id"))
        if peer not in self.phones:
            raise VkError(936, "Contact not found")
        return self.phones[peer]

    async def _users(self, params: Mapping[str, str]) -> list[dict[str, Any]]:
        users = [user for user in params.get("user_ids", "").split(",") if user in self.phones]
        names = {"last_name": "", "can_access_closed": True, "is_closed": False}
        return [{"id": int(user), "first_name": self.phones[user].name, **names} for user in users]

    async def _groups(self, _: Mapping[str, str]) -> dict[str, Any]:
        screen_name = self.account.screen_name
        names = {"name": "Demo shop", "screen_name": screen_name, "is_closed": 0, "type": "group"}
        photos = {f"photo_{size}": "https://vk.com/images/community_200.png" for size in (50, 100, 200)}
        return {"groups": [{"id": self.account.group_id, **names, **photos}], "profiles": []}

    async def _answer_press(self, params: Mapping[str, str]) -> int:
        event_id, _, _ = params.get("event_id", ""), number(params, "user_id"), number(params, "peer_id")
        pressed_at = self._presses.get(event_id)
        if pressed_at is None or self.clock() - pressed_at > PRESS_LIVES:
            raise invalid_parameter("event_id is invalid")
        self.answered.append(event_id)
        return 1

    async def _file(self, key: str) -> Response:
        """Serve a person's file: whoever has the address may have it."""
        body = self.files.shared.get(key)
        return Response(status=404) if body is None else Response(body, content_type="application/octet-stream")

    async def _upload(self, kind: str) -> Response:
        form_files = await request.files
        files = {field: (file.filename or "", file.read()) for field, file in form_files.items()}
        return jsonify(self.files.post(kind, files)) if kind in FIELDS else Response(status=404)
