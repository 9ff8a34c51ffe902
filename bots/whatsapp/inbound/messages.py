"""Reads one message of a person from a webhook. Cloud API: messages webhook reference.

Only its id and its sender are required. However new or odd the rest is, a person has written, and that counts.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from bots.whatsapp.item import dig, items, moment, to_json, word, words
from bots.wire.data import data
from gateway.domain.model.event import Echo, Edit, Inbound, Person
from gateway.domain.model.identifier import Identifier, identifiers
from gateway.domain.model.nouns import Address, Content, Media

FILES = ("image", "video", "audio", "document", "sticker")
OBJECTS = ("order",)
REPLIES = ("button_reply", "list_reply")
OWN = ("text", "reaction", "order", "button", *FILES, *REPLIES)
"""The kinds of message whose text the person has written or pressed."""

NOTICES = ("system", "revoke")
"""Notices about an account or an earlier message. Nobody has just written, so they must not be answered."""

GROUP = "group:"
"""How the address of a group begins; Meta's id of it follows, which by itself looks like nothing in particular."""


def is_group(user: str) -> bool:
    """Tell whether an address is that of a group. Cloud API: Groups."""
    return user.startswith(GROUP)


def is_phone(name: str) -> bool:
    """Tell whether a user's name is a phone number: digits only. Others are business-scoped user ids ("RU.1349...")."""
    return name.isascii() and name.isdigit()


def identifier_of(user: str) -> Identifier | None:
    """Return the phone number that an address is; None for a business-scoped user id."""
    return Identifier(f"phone:+{user}") if is_phone(user) else None


def read_message(item: object, contacts: Sequence[object], account: str, default: datetime) -> Inbound:
    """Return the event. `default`: the time of an item that has none.

    Raises ValueError where the message has no sender, no id, or no valid time.
    """
    user, person = _sender(item, contacts)
    wamid = word(item, "id")
    if not wamid:
        raise ValueError("a message without an id")
    kind, content, pressed = _read_content(item)
    group = word(item, "group_id")
    return Inbound(
        address=Address("whatsapp", account, f"{GROUP}{group}" if group else user),
        id=wamid,
        provider_id=wamid,
        content=content,
        at=moment(item, "timestamp", default),
        kind=kind,
        person=person,
        pressed=pressed,
        author=user if group else "",
        own=_own(kind, item) if content.text else None,
        raw=to_json(item),
    )


def _own(kind: str, item: object) -> str | None:
    """Return "" where nothing of the text is the person's own: what they forward, and what stands on things and cards.

    Cloud API: messages webhook reference, `context`.
    """
    context = dig(item, "context")
    is_forwarded = any(dig(context, name) is True for name in ("forwarded", "frequently_forwarded"))
    return "" if is_forwarded or kind not in OWN else None


def read_edit(item: object, contacts: Sequence[object], account: str, default: datetime) -> Edit:
    """Return what a message says after it was changed. Raises ValueError as `read_message` does.

    Cloud API: edit messages webhook reference.
    """
    event = read_message(item, contacts, account, default)
    original = word(item, "edit", "original_message_id")
    if not original:
        raise ValueError("a change of no message")
    _, content, _ = _read_content(dig(item, "edit", "message"))
    return replace(event, provider_id=original, content=content).as_edit(event.at)


def read_echo(item: object, contacts: Sequence[object], account: str, default: datetime) -> Echo:
    """Return the event of a message that was written in the WhatsApp Business app (smb_message_echoes webhook).

    Raises ValueError as `read_message` does, and for a notice about an earlier message.
    """
    user, _ = read_person(words(item, "to_user_id", "to"), contacts)
    wamid, (_, content, _) = word(item, "id"), _read_content(item)
    if not wamid or word(item, "type") in (*NOTICES, "edit"):
        raise ValueError("no message")
    return Echo(
        Address("whatsapp", account, user), wamid, wamid, content, moment(item, "timestamp", default), to_json(item)
    )


def _sender(item: object, contacts: Sequence[object]) -> tuple[str, Person]:
    """Return the sender; where the message names nobody and comes with one contact, that is who wrote it."""
    ids = words(item, "from_user_id", "from")
    if not any(ids) and len(contacts) == 1:
        ids = words(contacts[0], "user_id", "wa_id")
    return read_person(ids, contacts)


def read_person(ids: Sequence[str], contacts: Sequence[object]) -> tuple[str, Person]:
    """Return the address of the person with one of these ids, and what is reported of them.

    The address is the business-scoped id where it is known, since a phone number may be hidden or may change hands.
    Raises ValueError where there is neither.
    """
    known = ((contact, words(contact, "user_id", "wa_id")) for contact in contacts)
    contact, more = next(((contact, names) for contact, names in known if {*names} & {*ids} - {""}), (None, ()))
    names = [name for name in (*ids, *more) if name]
    phone = next(filter(is_phone, names), "")
    user = next((name for name in names if not is_phone(name)), phone)
    if not user:
        raise ValueError("nobody is named")
    return user, Person(word(contact, "profile", "name"), identifiers(phone=phone and f"+{phone}"))


def _read_content(item: object) -> tuple[str, Content, str | None]:
    """Return the kind in Meta's word, the content, and the reply of the pressed button."""
    kind = word(item, "type") or "unknown"
    if kind == "button":
        text = word(item, "button", "text")
        return kind, Content(text), word(item, "button", "payload") or text
    if kind == "interactive":
        return _interactive_reply(dig(item, "interactive"))
    if kind in FILES:
        return kind, _file(kind, dig(item, kind)), None
    text = TEXTS[kind](dig(item, kind)) if kind in TEXTS else ""
    return kind, Content(text, data=data(kind, dig(item, kind)) if kind in OBJECTS else {}), None


def _interactive_reply(interactive: object) -> tuple[str, Content, str | None]:
    """Return the reply of a button or a list, and the whole answer of everything else, as that of a flow."""
    kind = word(interactive, "type") or "interactive"
    answer = dig(interactive, kind)
    text = word(answer, "title") or word(answer, "body")
    if kind in REPLIES:
        return kind, Content(text), word(answer, "id") or text
    return kind, Content(text, data=data(kind, _form(answer))), word(answer, "id") or None


def _form(answer: object) -> object:
    """Return what was filled into a flow, or else the whole answer (Flows: receiving the flow response)."""
    text = word(answer, "response_json")
    try:
        return msgspec.json.decode(text) if text else answer
    except (msgspec.DecodeError, RecursionError):
        return answer


def _file(kind: str, file: object) -> Content:
    return Content(word(file, "caption"), Media(type=kind, id=word(file, "id"), name=word(file, "filename")))


def _place(location: object) -> str:
    point = f"{word(location, 'latitude')}, {word(location, 'longitude')}"
    return "\n".join(filter(None, (word(location, "name"), word(location, "address"), point)))


def _cards(cards: object) -> str:
    lines = []
    for card in cards if isinstance(cards, list) else []:
        phones = [word(phone, "phone") for phone in items(card, "phones")]
        lines.append(" ".join(filter(None, (word(card, "name", "formatted_name"), *phones))))
    return "\n".join(lines)


TEXTS: dict[str, Callable[[object], str]] = {
    "text": lambda text: word(text, "body"),
    "reaction": lambda reaction: word(reaction, "emoji"),
    "order": lambda order: word(order, "text"),
    "location": _place,
    "contacts": _cards,
}
