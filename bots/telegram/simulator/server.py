"""The stand-in for api.telegram.org and for the people behind it. Bot API: Making requests, Update."""

import json
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from quart import Blueprint, Response
from quart.typing import ResponseReturnValue

from bots.simulation.simulation import Clock, utcnow
from bots.telegram import Account
from bots.telegram.simulator import objects
from bots.telegram.simulator.checks import refusals, settings
from bots.telegram.simulator.checks.refusals import Refused, bad_request
from bots.telegram.simulator.parameters import Parameters, read_parameters
from bots.telegram.simulator.sending import Sending
from gateway.domain.channel.secret import OwnSecret, Secret

ACTIONS = {"typing", "choose_sticker", "find_location"} | {
    f"{verb}_{what}" for verb in ("upload", "record") for what in ("photo", "video", "voice", "document", "video_note")
}
MAX_ALERT = 200
MAX_DOWNLOAD, PATHS_LIVE = 20 * 1024 * 1024, timedelta(hours=1)
"""Bytes of a file that a bot can download, and how long it finds it under a path. Bot API: getFile."""

Method = Callable[[Parameters], Awaitable[Any]]


def demo_account(api_url: str) -> Account:
    """Return a bot that lives on the stand-in under `api_url`, with fresh secrets."""
    token = f"7{secrets.randbelow(10**9):09}:AA{secrets.token_hex(17)[:33]}"
    return Account(Secret(token), OwnSecret(f"tg-{secrets.token_hex(16)}"), api_url, "demo_shop_bot")


class Server(Sending):
    """Telegram's server, for one bot. `answered` holds the callback queries that the bot has answered, in order."""

    name = "telegram"
    errors = {code: refusal.description for code, refusal in refusals.ERRORS.items()}  # noqa: RUF012

    def __init__(self, account: Account, webhook_url: str, clock: Clock = utcnow) -> None:
        super().__init__(account, webhook_url, clock)
        self.answered: list[str] = []
        self._paths: dict[str, tuple[str, datetime]] = {}
        self._commands: list[settings.Command] = []
        self._methods: dict[str, Method] = self._sending_methods() | {
            "getme": self._get_me,
            "getchat": self._get_chat,
            "getfile": self._get_file,
            "sendchataction": self._send_chat_action,
            "answercallbackquery": self._answer_callback_query,
            "setmycommands": self._set_commands,
            "getmycommands": self._get_commands,
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "getwebhookinfo": self._webhook_info,
            "getupdates": self._get_updates,
        }

    def _sending_methods(self) -> dict[str, Method]:
        edited = {"text": "text", "caption": "caption", "replymarkup": "reply_markup"}
        return {
            "sendmessage": self.send_text,
            **{f"send{kind.replace('_', '')}": partial(self.send_file, kind) for kind in objects.FILES},
            **{f"send{kind}": partial(self.send_content, kind) for kind in objects.CONTENTS},
            "sendmediagroup": self.send_album,
            "copymessage": self.copy,
            "forwardmessage": self.forward,
            **{f"editmessage{name}": partial(self.edit, what) for name, what in edited.items()},
            "deletemessage": self.delete,
            "deletemessages": self.delete_all,
        }

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint(self.name, __name__)
        blueprint.add_url_rule("/bot<token>/<method>", view_func=self._call, methods=["GET", "POST"])
        blueprint.add_url_rule("/file/bot<token>/<path:path>", view_func=self._download, methods=["GET"])
        blueprint.add_url_rule("/<path:path>", view_func=_not_found, methods=["GET", "POST"])
        return blueprint

    async def _call(self, token: str, method: str) -> ResponseReturnValue:
        try:
            result = await self._result(token, method.lower())
        except Refused as error:
            return error.refusal.body(), error.refusal.status
        if method.lower().startswith("send") and self.faults.loses_this_answer():
            return "<html><body><h1>502 Bad Gateway</h1></body></html>", 502
        return {"ok": True, "result": result}

    async def _result(self, token: str, method: str) -> Any:
        if token != self.account.token.reveal():
            raise Refused(refusals.UNAUTHORIZED)
        if planned := await self.faults.next_error():
            raise Refused(refusals.ERRORS[planned])
        if method not in self._methods:
            raise Refused(refusals.NO_SUCH_METHOD)
        return await self._methods[method](await read_parameters())

    async def _download(self, token: str, path: str) -> ResponseReturnValue:
        file_id, told_at = self._paths.get(path, ("", self.clock()))
        body = self.uploads.get(file_id)
        if token != self.account.token.reveal() or body is None or self.clock() - told_at > PATHS_LIVE:
            return await _not_found(path)
        return Response(body, content_type="application/octet-stream")

    async def _get_me(self, _: Parameters) -> objects.Json:
        return self._bot() | {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }

    async def _get_chat(self, call: Parameters) -> objects.Json:
        return objects.full_chat_of(self._recipient(call.required("chat_id")))

    async def _get_file(self, call: Parameters) -> objects.Json:
        file_id = call.required("file_id")
        if file_id not in self.uploads:
            raise bad_request("invalid file_id")
        size, path = len(self.uploads[file_id]), f"documents/{secrets.token_hex(8)}"
        if size > MAX_DOWNLOAD:
            raise bad_request("file is too big")
        self._paths[path] = file_id, self.clock()
        return {
            "file_id": file_id,
            "file_unique_id": file_id[4:19],
            "file_size": size,
            "file_path": path,
        }

    async def _send_chat_action(self, call: Parameters) -> bool:
        self._recipient(call.required("chat_id"))
        if call.required("action") not in ACTIONS:
            raise bad_request("wrong parameter action in request")
        return True

    async def _set_commands(self, call: Parameters) -> bool:
        self._commands = settings.commands_of(call.required("commands"))
        return True

    async def _get_commands(self, _: Parameters) -> Any:
        return msgspec.to_builtins(self._commands)

    async def _get_updates(self, call: Parameters) -> list[objects.Json]:
        """Return the waiting updates, those from `offset` on; the ones before are confirmed by that."""
        if self.webhook_url:
            raise Refused(refusals.HAS_WEBHOOK)
        offset = int(call.fields.get("offset", "0"))
        self.waiting = [update for update in self.waiting if update["update_id"] >= offset]
        return self.waiting[: int(call.fields.get("limit", "100"))]

    async def _set_webhook(self, call: Parameters) -> bool:
        url, secret = call.fields.get("url", ""), call.fields.get("secret_token", "")
        if not url:
            return await self._delete_webhook(call)
        settings.check_webhook(url, secret)
        self.webhook_url, self.secret = url, secret
        self.allowed = json.loads(call.fields.get("allowed_updates", "[]"))
        while self.waiting:
            self._post_update(self.waiting.pop(0))
        return True

    async def _delete_webhook(self, _: Parameters) -> bool:
        self.webhook_url = ""
        return True

    async def _webhook_info(self, _: Parameters) -> objects.Json:
        pending = len(self.waiting) + len(self._tasks)
        info = {"url": self.webhook_url, "has_custom_certificate": False, "pending_update_count": pending}
        failures = [status for status, _ in self.answers if not 200 <= status < 300]  # noqa: PLR2004
        if failures:
            reason = f"Wrong response from the webhook: {failures[-1]}" if failures[-1] else "Connection refused"
            info |= {"last_error_date": self._now(), "last_error_message": reason}
        return info | ({"allowed_updates": self.allowed} if self.allowed else {})

    async def _answer_callback_query(self, call: Parameters) -> bool:
        query = call.fields.get("callback_query_id", "")
        if query not in self._queries:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        if len(call.fields.get("text", "")) > MAX_ALERT:
            raise bad_request("MESSAGE_TOO_LONG")
        self.answered.append(query)
        return True


async def _not_found(path: str) -> ResponseReturnValue:  # noqa: ARG001 - every path is answered so
    return refusals.NOT_FOUND.body(), refusals.NOT_FOUND.status
