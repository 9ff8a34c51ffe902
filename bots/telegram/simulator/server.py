"""The stand-in for api.telegram.org and for the people behind it. Bot API: Making requests, Update."""

import json
import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from quart import Blueprint, request
from quart.typing import ResponseReturnValue

from bots.simulation.simulation import Accepted, Bubble, Clock, Phone, utcnow
from bots.telegram import Account, is_group
from bots.telegram.simulator import objects, rules
from bots.telegram.simulator.people import People
from gateway.domain.channel.secret import OwnSecret, Secret


def demo_account(api_url: str) -> Account:
    """Return a bot that lives on the stand-in under `api_url`, with fresh secrets."""
    token = f"7{secrets.randbelow(10**9):09}:AA{secrets.token_hex(17)[:33]}"
    return Account(Secret(token), OwnSecret(f"tg-{secrets.token_hex(16)}"), api_url, "demo_shop_bot")


class Server(People):
    """Telegram's server, for one bot. `answered` holds the callback queries that the bot has answered, in order."""

    name = "telegram"
    title = "Telegram"
    errors = {code: refusal.description for code, refusal in rules.ERRORS.items()}  # noqa: RUF012

    def __init__(self, account: Account, webhook_url: str, clock: Clock = utcnow) -> None:
        super().__init__(account, webhook_url, clock)
        self.answered: list[str] = []
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

    async def _call(self, token: str, method: str) -> ResponseReturnValue:
        try:
            result = await self._result(token, method.lower())
        except rules.Refused as error:
            return error.refusal.body(), error.refusal.status
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
        phone = self._recipient(params.get("chat_id", ""))
        if buttons:
            content["reply_markup"] = json.loads(params["reply_markup"])
        message = self._message(phone, self._bot(), content)
        key, now = objects.key_of(message), self.clock()
        self.accepted.append(Accepted(id=key, user=phone.user, at=now, text=text, request=dict(params)))
        phone.screen.append(
            _with_state(phone, Bubble(id=key, mine=False, at=now, text=text, buttons=buttons, media=media))
        )
        return message

    def _recipient(self, chat: str) -> Phone:
        """Return the person or group with this id. Raises Refused where the bot may not write to them."""
        if chat in self.new_group_ids:
            parameters = {"migrate_to_chat_id": int(self.new_group_ids[chat])}
            raise rules.Refused(
                rules.Refusal(400, "Bad Request: group chat was upgraded to a supergroup chat", parameters)
            )
        if chat not in self.phones:
            raise rules.Refused(rules.CHAT_NOT_FOUND)
        phone = self.phones[chat]
        if phone.blocked:
            raise rules.Refused(rules.BLOCKED)
        if phone.last_wrote_at is None and not is_group(phone.user):
            raise rules.Refused(rules.NOT_STARTED)
        return phone

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

    def _answer_callback_query(self, params: Mapping[str, str]) -> bool:
        query = params.get("callback_query_id", "")
        if query not in self._queries:
            raise rules.bad_request("query is too old and response timeout expired or query ID is invalid")
        self.answered.append(query)
        return True

    def _delete_message(self, params: Mapping[str, str]) -> bool:
        phone = self._recipient(params.get("chat_id", ""))
        key = f"{phone.user}/{params.get('message_id', '')}"
        if key not in self._messages:
            raise rules.bad_request("message to delete not found")
        rules.check_deletable(timedelta(seconds=self._now() - self._messages[key]["date"]))
        del self._messages[key]
        phone.screen = [bubble for bubble in phone.screen if bubble.id != key]
        return True


async def _params() -> dict[str, str]:
    """Return a call's parameters, which come as a form or as JSON."""
    if request.is_json:
        fields = await request.get_json()
        return {key: value if isinstance(value, str) else json.dumps(value) for key, value in fields.items()}
    return {key: str(value) for key, value in (await request.form).items()}


def _with_state(phone: Phone, bubble: Bubble) -> Bubble:
    """Return the bubble in the state that the person's app gives it. The bot never learns it."""
    bubble.state = "sent" if not phone.reachable else "read" if phone.reads else "delivered"
    return bubble
