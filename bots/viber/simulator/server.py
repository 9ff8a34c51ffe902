"""The stand-in for chatapi.viber.com. REST Bot API: Send message, Broadcast message, Webhooks, Get account info."""

import hmac
import secrets
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from quart import Blueprint, Response, jsonify, request

from bots.simulation.simulation import Clock, utcnow
from bots.viber import Account
from bots.viber.errors import STATUSES
from bots.viber.simulator.people import People
from bots.viber.simulator.rules import Fault, Webhook, read, takes_webhook
from gateway.domain.channel.secret import Secret

UNKNOWN = "99"
WITHIN_SESSION, CHARGED = 1, 2
"""billing_status: of a message within a session, and of one that the account pays for."""

DETAILS_EVERY, MOST_DETAILS, MOST_ONLINE = timedelta(hours=12), 2, 100
HIDDEN = {"subscribed", "unsubscribed"}
"""Events that everybody gets, so get_account_info does not list them."""

Answer = Mapping[str, Any]


class Server(People):
    """Viber's server, for one bot.

    troubles: a status for every message to a certain person. broadcasts: how many broadcasts were taken.
    may_broadcast: whether Viber has allowed broadcasts to this account.
    """

    name = "viber"
    too_many = "12"
    errors: Mapping[str, str] = {str(status): words for status, (_, words) in STATUSES.items()} | {
        UNKNOWN: "a status that nobody knows"
    }

    def __init__(self, account: Account, webhook_url: str, clock: Clock = utcnow) -> None:
        super().__init__(account, webhook_url, clock)
        self.troubles: dict[str, int] = {}
        self.may_broadcast = True
        self.broadcasts = 0
        self._asked: defaultdict[str, list[datetime]] = defaultdict(list)

    def blueprint(self) -> Blueprint:
        blueprint = Blueprint(self.name, __name__)
        for name, answer in (
            ("send_message", self._send_message),
            ("broadcast_message", self._broadcast_message),
            ("set_webhook", self._set_webhook),
            ("get_account_info", self._account_info),
            ("get_user_details", self._user_details),
            ("get_online", self._online),
        ):
            blueprint.add_url_rule(f"/{name}", name, self._with_common_checks(answer), methods=["POST"])
        blueprint.add_url_rule("/files/<key>", "file", self._file, methods=["GET"])
        return blueprint

    async def _file(self, key: str) -> Response:
        """Serve a person's file: whoever has the address may have it."""
        body = self.files.get(key)
        return Response(status=404) if body is None else Response(body, content_type="application/octet-stream")

    def _with_common_checks(
        self, handler: Callable[[bytes], Awaitable[Answer | Fault]]
    ) -> Callable[[], Awaitable[Response]]:
        """Wrap a method in what all share: the token, the faults, and an answer 200 whatever happens."""

        async def view() -> Response:
            body: bytes = await request.body
            token = request.headers.get("X-Viber-Auth-Token") or _token_in(body)
            if not hmac.compare_digest(token.encode(), self.account.auth_token.reveal().encode()):
                return _json_response(Fault(2, f"invalidAuthToken: {token}"))
            if planned := await self.faults.next_error():
                return _json_response(Fault(int(planned), "as the test wished"))
            result = await handler(body)
            if request.path.endswith("_message") and self.faults.loses_this_answer():
                return Response("<html><h1>502 Bad Gateway</h1></html>", 502, content_type="text/html")
            return _json_response(result)

        return view

    async def _send_message(self, body: bytes) -> Answer | Fault:
        message = read(body)
        if isinstance(message, Fault):
            return message
        if not message.receiver:
            return Fault(4, "missingData: receiver")
        if fault := self._refusal(message.receiver):
            return fault
        billing, token = WITHIN_SESSION if self.in_session(message.receiver) else CHARGED, self.next_token()
        self.accept(message, message.receiver, token)
        return {"message_token": self.format_token(token), "billing_status": billing}

    async def _broadcast_message(self, body: bytes) -> Answer | Fault:
        message = read(body)
        if isinstance(message, Fault):
            return message
        if not self.may_broadcast:
            return Fault(20, "broadcastNotAllowed")
        if not message.broadcast_list:
            return Fault(4, "missingData: broadcast_list")
        self.broadcasts += 1
        token, failed_list = self.next_token(), []
        for receiver in message.broadcast_list:
            if fault := self._refusal(receiver):
                failed_list.append({"receiver": receiver, "status": fault.status, "status_message": fault.message})
            else:
                self.accept(message, receiver, token)
        return {"message_token": self.format_token(token), "failed_list": failed_list}

    def _refusal(self, user: str) -> Fault | None:
        if not self.webhook_url:
            return Fault(10, "webhookNotSet")
        if trouble := self.troubles.get(user):
            return Fault(trouble, "as the test wished")
        if user not in self.phones:
            return Fault(5, "receiverNotRegistered")
        return None if user in self.subscribed else Fault(6, "receiverNotSubscribed")

    async def _set_webhook(self, body: bytes) -> Answer | Fault:
        """Test a new address at once; set it only if it answers."""
        try:
            webhook = msgspec.json.decode(body, type=Webhook)
        except msgspec.DecodeError as error:
            return Fault(3, f"badData: {error}")
        if webhook.url and not await self._answers(webhook.url):
            return Fault(1, "invalidUrl")
        self.webhook_url, self.event_types = webhook.url, webhook.event_types
        return {"event_types": webhook.event_types}

    async def _answers(self, url: str) -> bool:
        if not takes_webhook(url):
            return False
        status, _ = await self.post_webhook(self.callback("webhook", {}, url=url))
        return status == 200  # noqa: PLR2004 - no other success will do

    async def _account_info(self, _: bytes) -> Answer | Fault:
        return {
            "id": "pa:75346594275468546724",
            "name": self.account.name,
            "uri": self.account.uri,
            "webhook": self.webhook_url,
            "event_types": [name for name in self.event_types if name not in HIDDEN],
            "subscribers_count": len(self.subscribed),
            "category": "Companies, Brands & Products",
            "country": "RU",
            "members": [],
        }

    async def _user_details(self, body: bytes) -> Answer | Fault:
        """Describe a subscriber, whom a bot may ask for twice in twelve hours."""
        user = _fields(body).get("id")
        if not isinstance(user, str):
            return Fault(4, "missingData: id")
        if fault := self._refusal(user):
            return fault
        since = self.clock() - DETAILS_EVERY
        self._asked[user] = [at for at in self._asked[user] if at > since]
        if len(self._asked[user]) >= MOST_DETAILS:
            return Fault(12, "tooManyRequests")
        self._asked[user].append(self.clock())
        device = {
            "primary_device_os": "android 14",
            "viber_version": "23.0",
            "device_type": "phone",
            "mcc": 250,
            "mnc": 1,
        }
        return {"user": {**self._user(user), **device}}

    async def _online(self, body: bytes) -> Answer | Fault:
        ids = _fields(body).get("ids")
        if not isinstance(ids, list) or not 0 < len(ids) <= MOST_ONLINE:
            return Fault(3, f"badData: ids are a list of up to {MOST_ONLINE}")
        return {"users": [self._online_status(str(user)) for user in ids]}

    def _online_status(self, user: str) -> Answer:
        if user not in self.subscribed:
            return {"id": user, "online_status": 3, "online_status_message": "tryLater"}
        is_on = self.phone(user).reachable
        return {
            "id": user,
            "online_status": 0 if is_on else 1,
            "online_status_message": "online" if is_on else "offline",
        }


def demo_account(api_url: str) -> Account:
    """Return a bot that lives on the stand-in at `api_url`, with a fresh token."""
    token = "-".join(secrets.token_hex(8) for _ in range(3))
    return Account(Secret(token), "Demo shop", uri="demoshop", api_url=api_url)


def _fields(body: bytes) -> dict[str, Any]:
    """Return the fields of a request, or none if it is no JSON object."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


def _token_in(body: bytes) -> str:
    """Return the token that stands in the body, where some clients put it."""
    return str(_fields(body).get("auth_token", ""))


def _json_response(answer: Answer | Fault) -> Response:
    if isinstance(answer, Fault):
        return jsonify(status=answer.status, status_message=answer.message)
    return jsonify(status=0, status_message="ok", chat_hostname="SN-CHAT-05_", **answer)
