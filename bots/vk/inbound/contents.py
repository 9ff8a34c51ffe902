"""Translates a person's message into content that every channel understands. VK API: objects of attachments."""

from collections.abc import Iterator
from typing import Any

import msgspec

from bots.vk.inbound.updates import File, Message, Size, read
from gateway.domain.model.nouns import Content, Media

FILES = {
    "photo": "image",
    "graffiti": "image",
    "sticker": "sticker",
    "doc": "document",
    "audio_message": "voice",
    "audio": "audio",
    "video": "video",
}
"""Our media type for each of VK's attachment types; other attachments keep VK's word."""

NOT_ATTACHABLE = {"sticker", "graffiti", "link", "gift"}
"""Attachments without a name by which they could be sent again."""

NOT_SUPPORTED = "not_supported_button"


def kind_of(message: Message) -> str:
    """Return VK's own word for the kind of message, or "location" or "text"."""
    if message.attachments:
        return str(message.attachments[0].get("type", "attachment"))
    return "location" if message.geo else "text"


def content_of(message: Message) -> Content:
    """Return the text, below it the place and what is written on attachments and forwarded, and the attachments."""
    files = [media for attachment in message.attachments if (media := media_of(attachment))]
    text = "\n".join(filter(None, (message.text, *_details(message))))
    return Content(text, next(iter(files), None), others=tuple(files[1:]))


def own(message: Message, content: Content) -> str | None:
    """Return what the person wrote themself, where the content's text holds more: see Inbound.own."""
    return None if content.text == message.text else message.text


def _details(message: Message) -> Iterator[str]:
    """Yield the words of a place, a poll, a post and a comment, and of what is forwarded, in the order shown.

    VK API: message object, `fwd_messages`; wall post object, `copy_history`.
    """
    yield from _place(message.geo)
    waiting: list[Any] = [{"attachments": message.attachments, "fwd_messages": message.fwd_messages}]
    while waiting:
        match waiting.pop():
            case {"type": "poll", "poll": {"question": str(question)}}:
                yield question
            case {"type": "wall", "wall": dict(post)}:
                waiting.append({"text": post.get("text"), "fwd_messages": post.get("copy_history")})
            case {"type": "wall_reply", "wall_reply": {"text": str(comment)}}:
                yield comment
            case {"type": str(kind)} as attachment if kind in attachment:
                pass
            case dict(said):
                if isinstance(text := said.get("text"), str):
                    yield text
                parts = (said.get(name) for name in ("attachments", "fwd_messages"))
                waiting += reversed([part for each in parts if isinstance(each, list) for part in each])


def media_of(attachment: dict[str, Any]) -> Media | None:
    """Return an attachment with its address, where VK gives one, and with the name under which it can be sent again."""
    kind = attachment.get("type")
    try:
        file = read(attachment.get(str(kind)), File)
    except msgspec.ValidationError:
        return None
    id_ = "" if kind in NOT_ATTACHABLE or not file.id else attachment_name(str(kind), file)
    url = file.url or file.link_mp3 or _largest(file.sizes or file.images)
    return Media(FILES.get(str(kind), str(kind)), url, id_, file.title)


def attachment_name(kind: str, file: File) -> str:
    """Return the name of a file in messages.send: <type><owner_id>_<id>, and _<access_key> if it is not public."""
    name = f"{kind}{file.owner_id}_{file.id}"
    return f"{name}_{file.access_key}" if file.access_key else name


def command_of(payload: Any) -> dict[str, Any]:
    """Return what a button carried. Apps that have no callback buttons wrap ours in theirs."""
    command = _object(payload)
    return _object(command.get("payload")) if command.get("command") == NOT_SUPPORTED else command


def pressed_of(command: dict[str, Any]) -> str | None:
    """Return the reply of the button: of ours, or of a keyboard that somebody else made."""
    words = (command.get(name) for name in ("reply", "button", "command"))
    return next((word for word in words if isinstance(word, str) and word), None)


def _object(payload: Any) -> dict[str, Any]:
    """Return the JSON object in a payload, or {}. People can forge the payload, so it may be anything."""
    if isinstance(payload, str):
        try:
            payload = msgspec.json.decode(payload)
        except (msgspec.DecodeError, RecursionError):
            return {}
    return payload if isinstance(payload, dict) else {}


def _largest(sizes: list[Size]) -> str:
    return max(sizes, key=lambda size: size.width * size.height).url if sizes else ""


def _place(geo: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a place: its name, if it has one, and where it is. VK API: message object, geo."""
    match geo:
        case {"place": {"title": str(title)}}:
            yield title
    match geo:
        case {"coordinates": {"latitude": latitude, "longitude": longitude}}:
            yield f"{latitude}, {longitude}"
