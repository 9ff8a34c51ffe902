"""People who can be written to, and messages that are over and done with: what lies in the database beforehand."""

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
from storage.messages.inbox import _document
from tests.benchmarks.stage.account import address, phone

CHUNK = 500
TEXT = Content("Anna, your order A-17 is on its way. It will be with you on Friday between ten and twelve.")
FIRST = 500_000_000
"""The people of what is stored already begin here: nobody is written to who has that much behind them."""

Documents = dict[str, Any]


async def seat(db: Db, people: range, now: datetime) -> None:
    """They are in a conversation that is open."""
    await _insert(db, {"sessions": map(_session, people, _ever(now)), "contacts": map(_contact, people, _ever(now))})


async def due(db: Db, people: range, name: str, now: datetime) -> list[str]:
    """A message to each, due now, as the gateway stores what it has accepted; their ids."""
    made = [_accepted(number, name, now) for number in people]
    await recording.add(db, made)
    return [one.id for one in made]


async def fill(db: Db, before: int, wanted: int, now: datetime) -> None:
    """So many finished messages, with their conversations and events, where there are `before` of them by now."""
    for start in range(before, wanted, CHUNK):
        people = range(FIRST + start, FIRST + min(start + CHUNK, wanted))
        at = now - timedelta(hours=1, seconds=start % 80_000)
        await seat(db, people, at)
        written = {"notifications": _notification, "messages": _message, "inbox": _event}
        await _insert(db, {name: [make(number, at) for number in people] for name, make in written.items()})


def _ever(now: datetime) -> Iterable[datetime]:
    while True:
        yield now


async def _insert(db: Db, documents: dict[str, Iterable[Documents]]) -> None:
    for collection, some in documents.items():
        await db[collection].insert_many(list(some), ordered=False)


def _session(number: int, at: datetime) -> Documents:
    where = address(number)
    seen = {"started_at": at, "last_inbound_at": at, "window_from_at": at}
    return to_document(Session(where.key, where, contact=f"person-{number}", name="Anna", version=1, **seen))


def _contact(number: int, at: datetime) -> Documents:
    return to_document(Contact(f"person-{number}", f"code-{number}", at, identifiers(phone=phone(number))))


def _accepted(number: int, name: str, at: datetime) -> Notification:
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


def _notification(number: int, at: datetime) -> Documents:
    """As the gateway leaves one that was delivered."""
    where = address(number)
    attempt = Attempt(0, Progress.DELIVERED, at, address=where, sent_at=at, parts=(Part(_wamid(number)),))
    made = Notification(
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
        made = made.saying(at, words)
    return to_document(made)


def _message(number: int, at: datetime) -> Documents:
    where = address(number)
    line = where.line(_wamid(number))
    return to_document(Message(line, where.key, outbound=True, at=at, content=TEXT, notification=f"done-{number}"))


def _event(number: int, at: datetime) -> Documents:
    """An event that was worked off."""
    name, person = f"wamid.in-{number}", Person("Anna", identifiers(phone=phone(number)))
    event = Inbound(address(number), name, name, Content("Where is my order?"), at, person=person, raw="{}" * 200)
    document = _document(event, at)
    return {name: value for name, value in document.items() if name not in {"due_at", "lane"}} | {"done_at": at}


def _wamid(number: int) -> str:
    return f"wamid.done-{number}"
