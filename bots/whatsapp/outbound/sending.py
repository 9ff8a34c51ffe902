"""Builds our messages in Meta's format and sends them. Cloud API: Messages, Interactive messages, Templates."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import quote

import aiohttp

from bots.whatsapp.errors import SUCCESS, refusal
from bots.whatsapp.inbound.messages import GROUP, is_group, is_phone
from bots.whatsapp.item import dig, items, word
from bots.whatsapp.outbound.pieces import NO_TEXT, kind_of
from bots.whatsapp.outbound.template_message import template
from bots.wire import wire
from bots.wire.downloads import GONE, Pieces, download
from bots.wire.files import file_name
from gateway.domain.channel.errors import Ambiguous, Refused, SendError
from gateway.domain.channel.secret import Secret
from gateway.domain.model.nouns import Button, Content, Media, TemplateMessage

MAX_BUTTONS, BUTTON_TITLE = 3, 20
ROW_TITLE, ROW_DESCRIPTION = 24, 72
LIST_LABEL = "☰"
MAX_REPLY = 128
"""Characters of a template button's payload; a reply button's and a row's id may be longer."""

NO_SUCH_FILE = (33, 100)
"""Meta's codes for an id under which it has nothing any more. Graph API: Handling errors."""

Json = dict[str, Any]


class Graph(NamedTuple):
    """Meta's Graph API below one of its nodes: a number of ours, or the root."""

    http: aiohttp.ClientSession
    node: str
    token: Secret

    async def call(self, method: str, path: str = "", json: Json | None = None) -> object:
        """Make a call and return its result. Raises SendError."""
        headers = {"Authorization": f"Bearer {self.token.reveal()}"}
        return _result(await wire.call(self.http, method, self.node + path, json=json, headers=headers))

    async def post_form(self, path: str, form: aiohttp.FormData) -> object:
        """Post a form and return the result. Raises SendError."""
        headers = {"Authorization": f"Bearer {self.token.reveal()}"}
        return _result(await wire.call(self.http, "POST", self.node + path, form=form, headers=headers))

    async def upload(self, path: str, body: bytes) -> object:
        """Upload a file's bytes and return the result (Graph API: Upload a file). Raises SendError."""
        headers = {"Authorization": f"OAuth {self.token.reveal()}", "file_offset": "0"}
        return _result(await wire.call(self.http, "POST", self.node + path, body=body, headers=headers))


def _result(reply: wire.Reply) -> object:
    if reply.status not in SUCCESS or not isinstance(reply.json, dict):
        raise refusal(reply)
    return reply.json


class Taken(NamedTuple):
    """What Meta answers to a message: its id, and the id that it has for the recipient's number, or ""."""

    wamid: str
    wa_id: str


async def send(graph: Graph, message: Json) -> Taken:
    """Send a message. Raises SendError."""
    result = await graph.call("POST", "/messages", message)
    wamid = word(next(iter(items(result, "messages")), None), "id")
    if not wamid:
        raise Ambiguous("Meta's answer names no message; it may have been sent")
    return Taken(wamid, word(next(iter(items(result, "contacts")), None), "wa_id"))


async def mark_read(graph: Graph, wamid: str) -> None:
    """Show the person that their message was read. Ignores errors, which harm nobody."""
    with suppress(SendError):
        await graph.call("POST", "/messages", {"messaging_product": "whatsapp", "status": "read", "message_id": wamid})


async def open_file(root: Graph, media_id: str) -> Pieces:
    """Return the bytes of a person's file, which are at an address of Meta's for five minutes. Cloud API: Media."""
    if not media_id:
        raise Refused(GONE)
    headers = {"Authorization": f"Bearer {root.token.reveal()}"}
    reply = await wire.call(root.http, "GET", f"{root.node}/{quote(media_id, safe='')}", headers=headers)
    if dig(reply.json, "error", "code") in NO_SUCH_FILE:
        raise Refused(GONE)
    return download(root.http, word(_result(reply), "url"), headers)


def render(user: str, message: Content | TemplateMessage, key: str) -> Json:
    """Return the request. A phone number or a group goes in `to`, a business-scoped user id in `recipient`."""
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "group" if is_group(user) else "individual",
        ("to" if is_phone(user) or is_group(user) else "recipient"): user.removeprefix(GROUP),
        "biz_opaque_callback_data": key,
        **(template(message) if isinstance(message, TemplateMessage) else _content(message)),
    }


def _content(content: Content) -> Json:
    if content.buttons:
        return {"type": "interactive", "interactive": _interactive(content)}
    if content.media:
        return _media(content.media, content.text)
    return {"type": "text", "text": {"body": content.text, "preview_url": False}}


def _media(media: Media, caption: str) -> Json:
    kind = kind_of(media)
    file = {"link": media.url} if media.url else {"id": media.id}
    if caption:
        file["caption"] = caption
    if kind == "document" and (name := file_name(media) if media.url else media.name):
        file["filename"] = name
    return {"type": kind, kind: file}


def _interactive(content: Content) -> Json:
    buttons, body = content.buttons, {"text": content.text or NO_TEXT}
    if len(buttons) == 1 and buttons[0].url:
        link = {"display_text": buttons[0].text[:BUTTON_TITLE], "url": buttons[0].url}
        return {"type": "cta_url", "body": body, "action": {"name": "cta_url", "parameters": link}}
    if len(buttons) <= MAX_BUTTONS and all(len(button.text) <= BUTTON_TITLE for button in buttons):
        titles = distinct([button.text for button in buttons], BUTTON_TITLE)
        answers = [{"id": _reply(button), "title": title} for button, title in zip(buttons, titles, strict=True)]
        action = {"buttons": [{"type": "reply", "reply": answer} for answer in answers]}
        return {"type": "button", "body": body, "action": action}
    titles = distinct([button.text for button in buttons], ROW_TITLE)
    rows = [_row(button, title) for button, title in zip(buttons, titles, strict=True)]
    return {"type": "list", "body": body, "action": {"button": LIST_LABEL, "sections": [{"rows": rows}]}}


def _row(button: Button, title: str) -> Json:
    row = {"id": _reply(button), "title": title}
    if len(button.text) > ROW_TITLE:
        row["description"] = button.text[:ROW_DESCRIPTION]
    return row


def distinct(titles: Sequence[str], limit: int) -> list[str]:
    """Return titles of at most `limit` characters; Meta takes no two that are equal, so the second gets a number."""
    result: list[str] = []
    for title in titles:
        fitting, number = title[:limit], 1
        while fitting in result:
            number += 1
            end = f" {number}"
            fitting = title[: limit - len(end)] + end
        result.append(fitting)
    return result


def takes_reply(reply: str) -> bool:
    """Tell whether a button can carry this reply. Cloud API: an id begins and ends with no space."""
    return len(reply) <= MAX_REPLY and reply == reply.strip()


def _reply(button: Button) -> str:
    return button.reply or button.text
