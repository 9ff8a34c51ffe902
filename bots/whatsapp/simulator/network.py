"""WhatsApp's network as Meta's servers see it: people's phones, what reaches them, and what Meta reports to us."""

import re
from collections import deque
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from itertools import count
from typing import Any
from uuid import uuid4

from bots.simulation.simulation import Accepted, Bubble, Clock, Phone, Simulator, utcnow
from bots.whatsapp import Account
from bots.whatsapp.inbound.messages import is_phone
from bots.whatsapp.simulator import webhooks
from bots.whatsapp.simulator.components import Fault, Template
from bots.whatsapp.simulator.media import Media
from bots.whatsapp.simulator.rules import phone_view
from bots.whatsapp.simulator.types.message import Message
from gateway.domain.channel.calls import Call
from gateway.domain.model.nouns import Button

WINDOW = timedelta(hours=24)
OUTSIDE = Fault(131047, "more than 24 hours have passed since the customer last replied to this number")
UNREACHABLE = Fault(131026, "the message cannot be delivered")


def demo_templates() -> dict[tuple[str, str], Template]:
    """Return the templates that the demo begins with, by name and language."""
    return {
        ("order_update", "ru"): {"body": "Здравствуйте, {{name}}, ваш заказ {{order}} готов.", "buttons": ["Спасибо"]},
        ("order_update", "en"): {"body": "Hello {{name}}, your order {{order}} is ready.", "buttons": ["Thanks"]},
    }


class Network(Simulator):
    """The part of Meta that is no HTTP API.

    templates: (name, language) -> an approved template. window_sync: refuse outside the 24 hours at once, instead of in
    a late status as Meta mostly does. hold_receipts: keep statuses until `release_receipts`. receipts_first: we get a
    status before the call that sent the message is answered. page_size: templates on a page of Meta's list, at most.
    uploads: the files uploaded for templates, by handle; media: those uploaded to be sent, by id.
    wa_ids: number -> the id that Meta has for it, where that is another one.
    """

    def __init__(self, account: Account, webhook_url: str, clock: Clock = utcnow) -> None:
        super().__init__(webhook_url, clock)
        self.account = account
        self.templates = demo_templates()
        self.window_sync = False
        self.hold_receipts = False
        self.receipts_first = False
        self.override = ""
        self.quality = "GREEN"
        self.page_size = 100
        self.uploads: dict[str, bytes] = {}
        self.media: dict[str, Media] = {}
        self._ids = count(900100200)
        self._held_calls: list[Call] = []
        self._late_codes: deque[int] = deque()
        self._bsuids: dict[str, str] = {}
        self._hidden: set[str] = set()
        self.wa_ids: dict[str, str] = {}

    def user_of(self, phone: str) -> str:
        return phone.removeprefix("+")

    def known_as(self, user: str) -> str:
        return self.identity(user).bsuid

    def give_bsuid(self, user: str, bsuid: str, *, hide_phone: bool = False) -> None:
        """Let the person take a username: Meta names them by a business-scoped id, and perhaps no longer by number."""
        self._bsuids[user] = bsuid
        (self._hidden.add if hide_phone else self._hidden.discard)(user)

    async def say(self, user: str, text: str) -> None:
        self._write(user, {"type": "text", "text": {"body": text}}, text)

    async def share_file(self, user: str, body: bytes, name: str, content_type: str) -> None:
        """Send a file as the app does: pictures, videos and recordings as such, others as documents."""
        kind = content_type.partition("/")[0]
        kind = kind if kind in {"image", "video", "audio"} else "document"
        key, media = str(next(self._ids)), Media(content_type, body)
        self.media[key] = media
        file = {"id": key, "mime_type": content_type, "sha256": media.digest}
        self._write(user, {"type": kind, kind: file | ({"filename": name} if kind == "document" else {})}, "")

    async def react(self, user: str, bubble: str, emoji: str) -> None:
        """Put an emoji on a message, or remove it (an empty one)."""
        self._write(user, {"type": "reaction", "reaction": {"message_id": bubble, "emoji": emoji}}, emoji)

    async def press(self, user: str, bubble: str, button: str) -> None:
        message = next(message for message in self.phone(user).screen if message.id == bubble)
        choice = next(choice for choice in message.buttons if choice.text == button)
        if not choice.url:
            context = {"context": {"from": self.user_of(self.account.number), "id": bubble}}
            self._write(user, {**self._button_reply(bubble, choice), **context}, button)

    def fail_late(self, code: int, times: int = 1) -> None:
        """Accept the next messages, and report them as failed with this code."""
        self._late_codes.extend([code] * times)

    def release_receipts(self) -> None:
        """Send the statuses that were held back."""
        calls, self._held_calls = self._held_calls, []
        for call in calls:
            self.deliver(call)

    def set_template_status(self, name: str, language: str, event: str, reason: str = "NONE") -> None:
        """Approve, reject, pause or disable a template, and report it to the app's own callback URL."""
        template = self.templates[name, language]
        template["status"], template["reason"] = event, reason
        value = webhooks.template_status(self.template_id(name, language), name, language, event, reason)
        self.deliver(self._webhook(self.webhook_url, "message_template_status_update", value))

    def pending_templates(self) -> list[str]:
        waiting = (key for key, template in self.templates.items() if template.get("status") == "PENDING")
        return [f"{name}/{language}" for name, language in waiting]

    def judge_template(self, template: str, *, approve: bool) -> None:
        name, _, language = template.rpartition("/")
        event, reason = ("APPROVED", "NONE") if approve else ("REJECTED", "INVALID_FORMAT")
        self.set_template_status(name, language, event, reason)

    def template_id(self, name: str, language: str) -> str:
        """Return Meta's id of a template, assigned when it is first needed."""
        return self.templates[name, language].setdefault("id", str(next(self._ids)))

    def close_window(self, user: str) -> None:
        """Close the person's window at Meta, whatever we believe."""
        self.phone(user).last_wrote_at = None

    def outside_window(self, user: str) -> bool:
        """Tell whether the person wrote too long ago, or never."""
        wrote_at = self.phone(user).last_wrote_at
        return wrote_at is None or self.clock() - wrote_at >= WINDOW

    def recipient_of(self, message: Message) -> str:
        """Return the recipient of a message: their number, where Meta knows one.

        A number takes precedence over an id.
        """
        if message.to:
            number = re.sub(r"\D", "", message.to)
            return self.wa_ids.get(number, number)
        bsuid = message.recipient or ""
        users = (user for user in self.phones if self.identity(user).bsuid == bsuid)
        return next(users, bsuid)

    def accept(self, user: str, message: Message, request: Any) -> str:
        """Accept a message, and report what happens at the person's phone. Returns the message's wamid."""
        wamid, text, buttons, media = _new_wamid(), *phone_view(message, self.templates)
        self.accepted.append(Accepted(id=wamid, user=user, at=self.clock(), text=text, request=request))
        bubble = Bubble(id=wamid, mine=False, at=self.clock(), text=text, buttons=buttons, media=media, state="sent")
        phone = self.phone(user)
        phone.screen.append(bubble)
        fault = self._late_fault(phone, message)
        for status in ("failed",) if fault else _statuses_at(phone, message):
            bubble.state = status
            self._report(user, bubble, fault, message.biz_opaque_callback_data)
        return wamid

    def mark_read(self, wamid: str) -> bool:
        """Mark a person's message as read by us. Returns False where there is no such message."""
        bubbles = (bubble for phone in self.phones.values() for bubble in phone.screen if bubble.mine)
        if bubble := next((candidate for candidate in bubbles if candidate.id == wamid), None):
            bubble.state = "read"
        return bubble is not None

    def _late_fault(self, phone: Phone, message: Message) -> Fault | None:
        if self._late_codes:
            return Fault(self._late_codes.popleft(), "as the test wished")
        if message.template is None and self.outside_window(phone.user):
            return OUTSIDE
        return None if phone.reachable else UNREACHABLE

    def _button_reply(self, bubble: str, button: Button) -> dict[str, Any]:
        request = next(accepted.request for accepted in self.accepted if accepted.id == bubble)
        if request["type"] == "template":
            return {"type": "button", "button": {"payload": button.reply, "text": button.text}}
        kind = "list_reply" if request["interactive"]["type"] == "list" else "button_reply"
        return {"type": "interactive", "interactive": {"type": kind, kind: {"id": button.reply, "title": button.text}}}

    def _write(self, user: str, content: Mapping[str, Any], text: str) -> None:
        phone, wamid, now = self.phone(user), _new_wamid(), self.clock()
        phone.last_wrote_at = now
        phone.screen.append(Bubble(id=wamid, mine=True, at=now, text=text, state="sent"))
        value = webhooks.write(self.identity(user), wamid, now, content)
        self.deliver(self._webhook(self.override or self.webhook_url, "messages", value))

    def _report(self, user: str, bubble: Bubble, fault: Fault | None, key: str) -> None:
        person, now = self.identity(user), self.clock()
        if fault:
            value = webhooks.failure(person, bubble.id, now, fault, key)
        else:
            value = webhooks.report(person, bubble.id, now, bubble.state, key)
        call = self._webhook(self.override or self.webhook_url, "messages", value)
        if self.hold_receipts:
            self._held_calls.append(call)
        else:
            self.deliver(call)

    def _webhook(self, url: str, field: str, value: dict[str, Any]) -> Call:
        if field == "messages":
            number = {"phone_number_id": self.account.phone_number_id}
            metadata = {"display_phone_number": self.user_of(self.account.number), **number}
            value = {"messaging_product": "whatsapp", "metadata": metadata, **value}
        secret, waba_id = self.account.app_secret, self.account.waba_id
        return webhooks.call(url, waba_id, secret, self.clock(), field=field, value=value)

    def identity(self, user: str) -> webhooks.Identity:
        """Return what Meta shows of a person."""
        phone = user if is_phone(user) and user not in self._hidden else ""
        bsuid = self._bsuids.get(user) or _bsuid_of(user) if is_phone(user) else user
        return webhooks.Identity(self.phone(user).name, phone, bsuid)


def _bsuid_of(number: str) -> str:
    """Return the business-scoped id that Meta gives to the person with this number."""
    return f"RU.{int(sha256(number.encode()).hexdigest()[:13], 16)}"


def _statuses_at(phone: Phone, message: Message) -> tuple[str, ...]:
    """Return the statuses that Meta reports. A message from a blocked business stays at "sent", and so do reactions."""
    if phone.blocked or message.reaction:
        return ("sent",)
    return ("sent", "delivered", "read") if phone.reads else ("sent", "delivered")


def _new_wamid() -> str:
    return f"wamid.{uuid4().hex.upper()}"
