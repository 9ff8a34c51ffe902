"""The stand-in for Meta's Graph API, for one number of ours. Cloud API: Messages, Webhook overrides, Error codes."""

import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from quart import Blueprint, Response, request

from bots.whatsapp import Account
from bots.whatsapp.errors import MEANINGS
from bots.whatsapp.simulator import webhooks
from bots.whatsapp.simulator.components import Fault
from bots.whatsapp.simulator.media import Media, media_view
from bots.whatsapp.simulator.network import OUTSIDE, Network
from bots.whatsapp.simulator.rules import read
from bots.whatsapp.simulator.templates import TemplateStore
from gateway.domain.channel.calls import Call
from gateway.domain.channel.secret import OwnSecret, Secret

OK = 200
ADDRESSES_LIVE = timedelta(minutes=5)
"""How long a file is at the address that Meta has told. Cloud API: Media, Retrieve media URL."""

STATUSES = {
    **dict.fromkeys((0, 190), 401),
    **dict.fromkeys((3, 10, 368, 131005, 131031, *range(200, 300)), 403),
    132001: 404,
    **dict.fromkeys((4, 80007, 130429, 131048, 131056), 429),
    **dict.fromkeys((1, 131000, 131016, 131057), 500),
    **dict.fromkeys((2, 133004), 503),
}
"""HTTP statuses by error code; all other errors are a 400."""

VERSION = re.compile(r"v2[1-9]\.0|v[3-9]\d\.0")
UPLOADED = ("application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4")
"""The types of files that the Resumable Upload API takes."""

BROKEN_PROXY = "<html><body><h1>502 Bad Gateway</h1></body></html>", 502

ERRORS = {str(code): meaning.words for code, meaning in MEANINGS.items()}

Answer = tuple[dict[str, Any] | str, int]


def demo_account(api_url: str) -> Account:
    """Return a number that lives on the stand-in at `api_url`, with fresh secrets."""
    return Account(
        phone_number_id=f"100200{secrets.randbelow(10**6):06}",
        waba_id="500600700800",
        access_token=Secret(f"EAA{secrets.token_urlsafe(32)}"),
        app_secret=Secret(secrets.token_hex(16)),
        verify_token=OwnSecret(secrets.token_urlsafe(24)),
        number="+79990000001",
        app_id="900800700600",
        api_url=api_url,
    )


class Server(Network):
    """Meta's HTTP API, on top of its network."""

    name = "whatsapp"
    errors = ERRORS
    too_many = "130429"

    def blueprint(self) -> Blueprint:
        """Return the Graph API, under the address of every version that Meta still serves."""
        blueprint = Blueprint(self.name, __name__)
        for path, name, handler, methods in (
            ("<number>/messages", "messages", self._messages, ["POST"]),
            ("<number>/media", "media", self._upload_media, ["POST"]),
            ("<business>/message_templates", "templates", self._templates, ["GET", "POST", "DELETE"]),
            ("<app>/uploads", "uploads", self._begin_upload, ["POST"]),
            ("<node>", "post", self._post_to, ["POST"]),
            ("<node>", "get", self._get_node, ["GET"]),
            ("<node>", "delete", self._delete_media, ["DELETE"]),
        ):
            view = _of_served_version(handler)
            blueprint.add_url_rule(f"/<version>/{path}", name, view, methods=methods, strict_slashes=False)
        blueprint.add_url_rule("/media/<key>", "file", self._download, methods=["GET"])
        return blueprint

    async def _messages(self, number: str) -> Answer:
        body = await request.get_json(force=True)
        if refusal := await self._check_call(number, self.account.phone_number_id):
            return refusal
        if isinstance(body, dict) and body.get("status") == "read":
            is_marked = self.mark_read(body.get("message_id", ""))
            return ({"success": True}, OK) if is_marked else _refusal(Fault(131009, "there is no such message"))
        return await self._accept_message(body)

    async def _accept_message(self, body: Any) -> Answer:
        message = read(body, self.templates)
        if isinstance(message, Fault):
            return _refusal(message)
        user = self.recipient_of(message)
        if self.window_sync and not message.template and self.outside_window(user):
            return _refusal(OUTSIDE)
        wamid = self.accept(user, message, body)
        if self.receipts_first:
            await self.quiet()
        if self.faults.loses_this_answer():
            return BROKEN_PROXY
        person = self.identity(user)
        names = {"wa_id": person.phone or user} if message.to else {"user_id": person.bsuid or user}
        status = {"message_status": "accepted"} if message.template else {}
        return {
            "messaging_product": "whatsapp",
            "contacts": [{"input": message.to or message.recipient, **names}],
            "messages": [{"id": wamid, **status}],
        }, OK

    async def _post_to(self, node: str) -> Answer:
        """Handle a post to a number, a template, or an upload: Meta distinguishes them by the id."""
        if node.startswith("upload:"):
            return await self._upload(node)
        store = TemplateStore(self.templates, self.template_id)
        if node in store.ids():
            return await self._check_call(node, node) or _answer(store.edit(node, await request.get_json(force=True)))
        return await self._configure(node)

    async def _templates(self, business: str) -> Answer:
        if refusal := await self._check_call(business, self.account.waba_id):
            return refusal
        store = TemplateStore(self.templates, self.template_id, self.page_size)
        if request.method == "GET":
            return _answer(store.page(request.args))
        if request.method == "DELETE":
            return _answer(store.delete(request.args))
        return _answer(store.create(await request.get_json(force=True), self.uploads))

    async def _begin_upload(self, app: str) -> Answer:
        if refusal := await self._check_call(app, self.account.app_id):
            return refusal
        if request.args.get("file_type") not in UPLOADED:
            return _refusal(Fault(100, f"file_type must be one of {', '.join(UPLOADED)}"))
        return {"id": f"upload:{secrets.token_hex(8)}"}, OK

    async def _upload(self, session: str) -> Answer:
        if refusal := await self._check_call(session, session, "OAuth"):
            return refusal
        handle = f"4::{secrets.token_hex(8)}"
        body = await request.get_data(as_text=False)
        self.uploads[handle] = body if isinstance(body, bytes) else body.encode()
        return {"h": handle}, OK

    async def _configure(self, number: str) -> Answer:
        if refusal := await self._check_call(number, self.account.phone_number_id):
            return refusal
        configuration = (await request.get_json(force=True))["webhook_configuration"]
        url = configuration["override_callback_uri"]
        if url and not await self._answers(url, configuration.get("verify_token", "")):
            return _refusal(Fault(2200, "the callback URL did not answer with the challenge"))
        self.override = url
        return {"success": True}, OK

    async def _get_node(self, node: str) -> Answer:
        """Describe a number, a template, or an uploaded file."""
        store = TemplateStore(self.templates, self.template_id)
        known = {self.account.phone_number_id, *store.ids(), *self.media}
        if refusal := await self._check_call(node, node if node in known else ""):
            return refusal
        if node in self.media:
            until = int((self.clock() + ADDRESSES_LIVE).timestamp())
            return media_view(node, self.media[node], f"{self.account.api_url}/media/{node}?ext={until}"), OK
        return (store.item(node, request.args) if node in store.ids() else self._number(node)), OK

    def _number(self, number: str) -> dict[str, Any]:
        callbacks = {"application": self.webhook_url} | ({"phone_number": self.override} if self.override else {})
        number_fields = {
            "webhook_configuration": callbacks,
            "verified_name": "Demo shop",
            "display_phone_number": self.account.number,
            "status": "CONNECTED",
            "quality_rating": self.quality,
            "whatsapp_business_manager_messaging_limit": "TIER_10K",
            "health_status": {"can_send_message": "AVAILABLE", "entities": []},
        }
        fields = request.args.get("fields", "verified_name,display_phone_number,quality_rating").split(",")
        return {"id": number, **{field: number_fields[field] for field in fields if field in number_fields}}

    async def _upload_media(self, number: str) -> Answer:
        if refusal := await self._check_call(number, self.account.phone_number_id):
            return refusal
        form, file = await request.form, (await request.files).get("file")
        if file is None or form.get("messaging_product") != "whatsapp":
            return _refusal(Fault(100, "file and messaging_product are required"))
        media = Media(form.get("type") or file.mimetype, file.read())
        if fault := media.fault:
            return _refusal(fault)
        key = str(next(self._ids))
        self.media[key] = media
        return {"id": key}, OK

    async def _delete_media(self, node: str) -> Answer:
        if refusal := await self._check_call(node, node if node in self.media else ""):
            return refusal
        del self.media[node]
        return {"success": True}, OK

    async def _download(self, key: str) -> Response:
        has_expired = int(request.args.get("ext", "0")) < self.clock().timestamp()
        if await self._check_call(key, key if key in self.media else "") or has_expired:
            return Response("", 404)
        return Response(self.media[key].body, content_type=self.media[key].mime)

    async def _check_call(self, node: str, expected: str, scheme: str = "Bearer") -> Answer | None:
        """Return what stops any call: a planned fault, a wrong token, another node. None: the call may go on."""
        if code := await self.faults.next_error():
            return _refusal(Fault(int(code), "as the test wished"))
        token = request.headers.get("Authorization", "")
        if not hmac.compare_digest(token.encode(), f"{scheme} {self.account.access_token.reveal()}".encode()):
            return _refusal(Fault(190, f"Malformed access token {token}"))
        return None if node == expected else _refusal(Fault(33, f"there is no {node}"))

    async def _answers(self, url: str, token: str) -> bool:
        """Tell whether a new callback passes Meta's handshake."""
        challenge = str(secrets.randbelow(10**10))
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": token}
        return await self.post_webhook(Call("GET", url, {}, b"", self.clock(), query)) == (OK, challenge)


def _of_served_version(handler: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    """Wrap a method so that it exists in the versions that Meta serves. Graph API: Versioning."""

    async def view(version: str, **names: str) -> Answer:
        if not VERSION.fullmatch(version):
            return _refusal(Fault(2500, f"Unknown path components: /{version}"))
        return await handler(**names)

    return view


def _answer(outcome: dict[str, Any] | Fault) -> Answer:
    return _refusal(outcome) if isinstance(outcome, Fault) else (outcome, OK)


def _refusal(fault: Fault) -> Answer:
    error = {**webhooks.error(fault), "type": "OAuthException", "fbtrace_id": secrets.token_hex(8)}
    return {"error": error}, STATUSES.get(fault.code, 400)
