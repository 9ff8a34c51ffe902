"""Fills the database beforehand: with people who can be written to, and with finished messages."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from gateway.domain.model.attempt import Attempt, Part, Step
from gateway.domain.model.event import Inbound, Person
from gateway.domain.model.identifier import identifiers
from gateway.domain.model.notification import Notification, Priority, Recipient, Status, lane_of
from gateway.domain.model.nouns import Contact, Content, Message, Progress, Session
from gateway.messages.delivery import recording
from storage.documents.documents import Db, to_document
from storage.messages.inbox import document_of
from tests.benchmarks.setup.account import address, phone

CHUNK = 500
TEXT = Content("Anna, your order A-17 is on its way. It will be with you on Friday between ten and twelve.")
FIRST = 500_000_000
"""The index of the first person of the stored data; none of these people is written to."""

Documents = dict[str, Any]


async def open_conversations(db: Db, people: range, now: datetime) -> None:
    """Give each of these people an open conversation."""
    await _insert(
        db, {"sessions": map(_session, people, _endless(now)), "contacts": map(_contact, people, _endless(now))}
    )


async def add_due(db: Db, people: range, name: str, now: datetime) -> list[str]:
    """Store a message to each, due now, as the gateway stores accepted ones. Returns their ids."""
    messages = [_new_notification(number, name, now) for number in people]
    await recording.add(db, messages)
    return [message.id for message in messages]


async def fill(db: Db, before: int, total: int, now: datetime) -> None:
    """Store finished messages, with their conversations and events, from `before` up to `total`."""
    for start in range(before, total, CHUNK):
        people = range(FIRST + start, FIRST + min(start + CHUNK, total))
        at = now - timedelta(hours=1, seconds=start % 80_000)
        await open_conversations(db, people, at)
        builders = {"notifications": _done_notification, "messages": _message, "inbox": _event}
        await _insert(db, {name: [build(number, at) for number in people] for name, build in builders.items()})


def _endless(now: datetime) -> Iterable[datetime]:
    while True:
        yield now


async def _insert(db: Db, documents: dict[str, Iterable[Documents]]) -> None:
    for collection, items in documents.items():
        await db[collection].insert_many(list(items), ordered=False)


def _session(number: int, at: datetime) -> Documents:
    chat = address(number)
    times: dict[str, Any] = {"started_at": at, "last_inbound_at": at, "window_from_at": at}
    return to_document(Session(chat.key, chat, contact=f"person-{number}", name="Anna", version=1, **times))


def _contact(number: int, at: datetime) -> Documents:
    return to_document(Contact(f"person-{number}", f"code-{number}", at, identifiers(phone=phone(number)), version=1))


def _new_notification(number: int, name: str, at: datetime) -> Notification:
    return Notification(
        f"{name}-{number}",
        Recipient(identifiers(phone=phone(number))),
        (Step("whatsapp", content=TEXT, success=Progress.SENT),),
        created_at=at,
        expires_at=at + timedelta(days=1),
        due_at=at,
        accepted=number,
        person=phone(number),
        lane=lane_of(Priority.NORMAL),
    )


def _done_notification(number: int, at: datetime) -> Documents:
    """Return a notification as the gateway leaves it after its delivery."""
    chat = address(number)
    attempt = Attempt(0, Progress.DELIVERED, at, address=chat, sent_at=at, parts=(Part(_wamid(number)),))
    notification = Notification(
        f"done-{number}",
        Recipient(identifiers(phone=phone(number))),
        (Step("whatsapp", content=TEXT),),
        created_at=at,
        expires_at=at + timedelta(days=1),
        status=Status.DELIVERED,
        attempts=(attempt,),
        done_at=at,
        version=4,
    )
    for words in ("whatsapp: window open for 22 h -> free-form", "whatsapp: sent", "whatsapp: delivered"):
        notification = notification.saying(at, words)
    return to_document(notification)


def _message(number: int, at: datetime) -> Documents:
    chat = address(number)
    line = chat.line(_wamid(number))
    return to_document(Message(line, chat.key, outbound=True, at=at, content=TEXT, notification=f"done-{number}"))


def _event(number: int, at: datetime) -> Documents:
    """Return an event as the inbox stores it after its processing."""
    name, person = f"wamid.in-{number}", Person("Anna", identifiers(phone=phone(number)))
    event = Inbound(address(number), name, name, Content("Where is my order?"), at, person=person, raw="{}" * 200)
    document = document_of(event, at)
    return {name: value for name, value in document.items() if name not in {"due_at", "lane"}} | {"done_at": at}


def _wamid(number: int) -> str:
    return f"wamid.done-{number}"
