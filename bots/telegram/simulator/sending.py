"""The methods that send and change messages. Bot API: sendMessage and the others, editMessageText, copyMessage."""

import json
from abc import ABC
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import aiohttp

from bots.simulation.simulation import Accepted, Bubble, Phone
from bots.telegram import is_group
from bots.telegram.simulator import objects
from bots.telegram.simulator.checks import files, refusals, settings
from bots.telegram.simulator.checks.keyboards import buttons_of
from bots.telegram.simulator.checks.refusals import Refused, bad_request
from bots.telegram.simulator.checks.texts import caption_of, text_of
from bots.telegram.simulator.objects import Json
from bots.telegram.simulator.parameters import Parameters
from bots.telegram.simulator.people import People

ALBUM = ("photo", "video", "audio", "document")
REQUEST_TIME = aiohttp.ClientTimeout(total=5)


class Sending(People, ABC):
    """Everything by which the bot writes."""

    async def send_text(self, call: Parameters) -> Json:
        text = text_of(call.fields)
        return self._accept(call, text.text, "", {"text": text.text} | _non_empty(entities=text.entities))

    async def send_file(self, kind: str, call: Parameters) -> Json:
        content, file = await self._file(kind, call)
        return self._accept(call, content.get("caption", ""), file.reference or file.name, content)

    async def send_content(self, kind: str, call: Parameters) -> Json:
        content = objects.CONTENTS[kind](call)
        return self._accept(call, json.dumps(content[kind], ensure_ascii=False), "", content)

    async def send_album(self, call: Parameters) -> list[Json]:
        items: list[dict[str, str]] = call.decoded("media")
        if not 2 <= len(items) <= 10:  # noqa: PLR2004 - Bot API: sendMediaGroup
            raise bad_request("media group must include 2-10 items")
        if any(item.get("type") not in ALBUM for item in items):
            raise bad_request("can't parse InputMedia: type must be one of photo, video, document, audio")
        group = {"media_group_id": str(next(self._update_ids))}
        calls = [(item["type"], _item_call(item, call)) for item in items]
        contents = [await self._file(kind, item) for kind, item in calls]
        return [
            self._accept(item, content.get("caption", ""), file.reference or file.name, content | group)
            for (_, item), (content, file) in zip(calls, contents, strict=True)
        ]

    async def copy(self, call: Parameters) -> Json:
        original = self._existing(call, call.required("from_chat_id"), "message to copy not found")
        content = {name: value for name, value in original.items() if name not in HEAD}
        return {"message_id": self._accept(call, original.get("text", ""), "", content)["message_id"]}

    async def forward(self, call: Parameters) -> Json:
        original = self._existing(call, call.required("from_chat_id"), "message to forward not found")
        content = {name: value for name, value in original.items() if name not in HEAD}
        origin = {"type": "user", "sender_user": original["from"], "date": original["date"]}
        return self._accept(call, original.get("text", ""), "", content | {"forward_origin": origin})

    async def edit(self, what: str, call: Parameters) -> Json:
        """Change a message's text, caption or buttons; buttons that are not given again are gone."""
        message = self._existing(call, call.required("chat_id"), "message to edit not found")
        marked = {"text": text_of, "caption": caption_of}.get(what)
        content = {what: marked(call.fields).text} if marked else {}
        keyboard = {"reply_markup": call.decoded("reply_markup")} if call.fields.get("reply_markup") else {}
        changed = {name: value for name, value in message.items() if name != "reply_markup"} | content | keyboard
        if changed == message:
            raise bad_request(NOT_MODIFIED)
        key = objects.key_of(message)
        self._messages[key] = changed | {"edit_date": self._now()}
        bubble = next(bubble for bubble in self.phone(call.fields["chat_id"]).screen if bubble.id == key)
        bubble.text, bubble.buttons = content.get(what, bubble.text), buttons_of(call.fields)
        return self._messages[key]

    async def delete(self, call: Parameters) -> bool:
        phone = self._recipient(call.fields.get("chat_id", ""))
        key = f"{phone.user}/{call.fields.get('message_id', '')}"
        if key not in self._messages:
            raise bad_request("message to delete not found")
        settings.check_deletable(timedelta(seconds=self._now() - self._messages[key]["date"]))
        self._forget(phone, {key})
        return True

    async def delete_all(self, call: Parameters) -> bool:
        """Delete up to 100 messages; those that are not there are skipped."""
        phone, ids = self._recipient(call.required("chat_id")), call.decoded("message_ids")
        self._forget(phone, {f"{phone.user}/{number}" for number in ids})
        return True

    def _forget(self, phone: Phone, keys: set[str]) -> None:
        for key in keys:
            self._messages.pop(key, None)
        phone.screen = [bubble for bubble in phone.screen if bubble.id not in keys]

    def _existing(self, call: Parameters, chat: str, words: str) -> Json:
        """Return a message that is there. Raises Refused, with these words."""
        message = self._messages.get(f"{chat}/{call.fields.get('message_id', '')}")
        if message is None:
            raise bad_request(words)
        return message

    async def _file(self, kind: str, call: Parameters) -> tuple[Json, files.File]:
        """Return the content of a message with this file, and the file. A page on this machine is looked at."""
        file, caption = files.file_of(call.fields, call.uploads, kind), caption_of(call.fields)
        if files.is_url(file.reference) and settings.is_local(file.reference):
            files.check_fetched(await self._fetched(file.reference), kind)
        content = {kind: objects.file_of(kind, file)} | _non_empty(
            caption=caption.text, caption_entities=caption.entities
        )
        if file.body:
            item = content[kind][-1] if kind == "photo" else content[kind]
            self.uploads[item["file_id"]] = file.body
        return content, file

    async def _fetched(self, url: str) -> files.Fetched:
        self._http = self._http or aiohttp.ClientSession()
        try:
            async with self._http.get(url, timeout=REQUEST_TIME) as response:
                response.raise_for_status()
                return files.Fetched(response.content_type, len(await response.read()))
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise bad_request("failed to get HTTP URL content") from None

    def _accept(self, call: Parameters, text: str, media: str, content: Json) -> Json:
        params, buttons = call.fields, buttons_of(call.fields)
        phone = self._recipient(params.get("chat_id", ""))
        content |= self._reply(phone, params)
        if buttons:
            content["reply_markup"] = json.loads(params["reply_markup"])
        message = self._message(phone, self._bot(), content)
        key, now = objects.key_of(message), self.clock()
        self.accepted.append(Accepted(id=key, user=phone.user, at=now, text=text, request=dict(params)))
        phone.screen.append(
            _with_state(phone, Bubble(id=key, mine=False, at=now, text=text, buttons=buttons, media=media))
        )
        return message

    def _reply(self, phone: Phone, params: Mapping[str, str]) -> Json:
        """Return the message that this one answers, if it names one that is there. Raises Refused."""
        reply = json.loads(params.get("reply_parameters", "{}"))
        number = reply.get("message_id") or params.get("reply_to_message_id")
        if not number:
            return {}
        message = self._messages.get(f"{phone.user}/{number}")
        if message is None and not reply.get("allow_sending_without_reply"):
            raise bad_request("message to be replied not found")
        return {"reply_to_message": message} if message else {}

    def _recipient(self, chat: str) -> Phone:
        """Return the person or group with this id. Raises Refused where the bot may not write to them."""
        if chat in self.new_group_ids:
            parameters = {"migrate_to_chat_id": int(self.new_group_ids[chat])}
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refused(refusals.Refusal(400, words, parameters))
        if chat not in self.phones:
            raise Refused(refusals.CHAT_NOT_FOUND)
        phone = self.phones[chat]
        if phone.blocked:
            raise Refused(refusals.BLOCKED)
        if phone.last_wrote_at is None and not is_group(phone.user):
            raise Refused(refusals.NOT_STARTED)
        return phone


HEAD = {"message_id", "from", "chat", "date", "edit_date", "reply_markup", "reply_to_message", "media_group_id"}
"""The fields of a message that are not its content."""

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content "
    "and reply markup of the message"
)


def _item_call(item: Mapping[str, str], call: Parameters) -> Parameters:
    """Return an item of an album as the call that would send it by itself."""
    shared = {name: value for name, value in call.fields.items() if name != "media"}
    fields = {name: value if isinstance(value, str) else json.dumps(value) for name, value in item.items()}
    return Parameters({**shared, **fields, item["type"]: item.get("media", "")}, call.uploads)


def _non_empty(**fields: Any) -> Json:
    return {name: value for name, value in fields.items() if value}


def _with_state(phone: Phone, bubble: Bubble) -> Bubble:
    """Return the bubble in the state that the person's app gives it. The bot never learns it."""
    bubble.state = "sent" if not phone.reachable else "read" if phone.reads else "delivered"
    return bubble
