"""What a payload does, from outside: what is sent, and what the API, the callbacks and a message of ours show then."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from gateway.domain.model.attempt import Attempt, Step
from gateway.domain.model.event import Event, Inbound, Moved, Receipt, Visit
from gateway.domain.model.identifier import Identifier
from gateway.domain.model.notification import Notification, Recipient
from gateway.domain.model.nouns import Address, Contact, Content, Progress, Session
from gateway.domain.model.piece import chat_line
from storage.documents import documents
from tests.support.corpus.payloads import RECEIVED_AT, Shop, read
from tests.support.corpus.shown import expect_shown

COLUMNS = ("payload", "chat", "joined", "opted out", "bot's answer", "log", "callbacks", "our message")
"""The columns of a table of effects.

chat: its state; `started`: a conversation has begun; `wrote`: the person has spoken, which opens a window; `known`:
neither. our message: what a receipt made of a message that had been sent.
"""

ANNA = "phone:+79000000001"
"""Whose link it is by which a person comes, and to whom a message has gone of which a receipt tells."""

SHOWN = 32
"""So many letters of a text are in the table."""


def moment_of(file: Path) -> datetime:
    """Return when a payload is to be played: when it was made, so that the windows that it opens are still open."""
    return min(max((event.at for event in _events(file)), default=RECEIVED_AT), RECEIVED_AT)


async def effect_of(shop: Shop, file: Path) -> list[str]:
    """Deliver a payload to a gateway that knows nothing but what the payload speaks of. Returns its row.

    What people send has to be in the log and in the callback as the payload file says that it is read.
    """
    await shop.forget()
    shop.runtime.clock.ahead += max(moment_of(file) - shop.runtime.clock(), timedelta())
    events = _events(file)
    messages = [
        key for number, event in enumerate(events) if (key := await _prepare(shop, event, f"{file.stem}-{number}"))
    ]
    before = {name: len(simulator.accepted) for name, simulator in shop.simulators.items()}
    answer = await shop.deliver(file)
    assert answer.status == 200, answer
    await shop.settle()
    for event in read(file)[0]["events"]:
        if event["event"] == "inbound":
            await expect_shown(shop, event)
    sessions = (await _get(shop, "/api/v1/sessions"))["sessions"]
    answers = [
        f"{_short(name, file)}:{entry.user} {_text(entry.text)}"
        for name, simulator in shop.simulators.items()
        for entry in simulator.accepted[before[name] :]
    ]
    chats = {session["id"] for session in sessions} | {
        event.address.key for event in events if hasattr(event, "address")
    }
    return [
        file.stem,
        _cell(f"{_short(session['id'], file)} {_state(session)}" for session in sessions),
        _cell([await _joined(shop, session, file) for session in sessions if session["contactId"]]),
        _cell([await _opted_out(shop)]),
        _cell(answers),
        _cell([line for chat in sorted(chats) for line in await _log(shop, chat)]),
        _cell(f"{_short(body['session'], file)} {body['event']}" for body in shop.callbacks),
        _cell([await _progress(shop, key) for key in messages]),
    ]


def _events(file: Path) -> list[Any]:
    return [msgspec.convert({**event, "raw": "-"}, Event) for event in read(file)[0]["events"]]


async def _prepare(shop: Shop, event: Any, key: str) -> str:
    """Let there be what an event speaks of: a link's owner, a moved chat, a message. Returns the message's id."""
    db, code = shop.runtime.db, ""
    match event:
        case Visit():
            code = event.start
        case Inbound():
            code = event.start or (event.command.argument if event.command.name == "start" else "")
        case Moved():
            await documents.insert(
                db,
                "sessions",
                Session(event.address.key, event.address, started_at=event.at, active_at=event.at, version=1),
            )
        case Receipt():
            await _send(shop, event, key)
            return key
    if code:
        await documents.insert(db, "contacts", Contact("anna", code, event.at, (Identifier(ANNA),), version=1))
    return ""


async def _send(shop: Shop, receipt: Receipt, key: str) -> None:
    """Let a message have been sent of which this receipt tells."""
    at, address = receipt.at - timedelta(minutes=1), Address(receipt.channel, receipt.account, "anna")
    step = Step(receipt.channel, receipt.account, Content("Hi"), fallback_after=timedelta(days=3650))
    attempt = Attempt(0, Progress.SENT, at, address=address, sent_at=at)
    recipient, until = Recipient((Identifier(ANNA),)), at + timedelta(days=3650)
    message = Notification(key, recipient, (step,), at, until, attempts=(attempt,), version=1)
    await documents.insert(shop.runtime.db, "notifications", message)
    line = chat_line(message, 0, 0, address, receipt.provider_id, at)
    await documents.insert(shop.runtime.db, "messages", line)


async def _get(shop: Shop, path: str) -> Any:
    async with shop.api.http.get(path) as response:
        return await response.json()


def _state(session: Mapping[str, Any]) -> str:
    words = {
        session["state"]: session["state"] != "open",
        "started": session["startedAt"],
        "wrote": session["lastInboundAt"],
    }
    return " ".join(word for word, holds in words.items() if holds) or "known"


async def _joined(shop: Shop, session: Mapping[str, Any], file: Path) -> str:
    contact = await _get(shop, f"/api/v1/contacts/{session['contactId']}")
    return f"{_short(session['id'], file)} is {' '.join(contact['identifiers'])}"


async def _opted_out(shop: Shop) -> str:
    optouts = (await _get(shop, "/api/v1/optOuts"))["optOuts"]
    names = [(each["kind"], each["person"]) for each in optouts if each["holds"]]
    return _cell(f"{kind} {'contact' if name.startswith('contact:') else name}" for kind, name in names)


async def _log(shop: Shop, chat: str) -> list[str]:
    lines = (await _get(shop, f"/api/v1/sessions/{quote(chat, safe='')}/messages")).get("messages", [])
    return [f"{'edited' if line['edited'] else line['direction']} {_text(line['text'] or '')}" for line in lines]


async def _progress(shop: Shop, key: str) -> str:
    attempt = (await _get(shop, f"/api/v1/messages/{key}"))["attempts"][0]
    return " ".join(filter(None, (attempt["status"], attempt["cause"])))


def _short(key: str, file: Path) -> str:
    """Return the id of a conversation without its channel."""
    return key.removeprefix(f"{file.parents[1].name}:")


def _text(text: str) -> str:
    flat = json.dumps(text[:SHOWN], ensure_ascii=False)
    return flat.replace("|", "\\|")


def _cell(parts: Iterable[str]) -> str:
    counted = Counter(filter(None, parts))
    return "; ".join(part if count == 1 else f"{count} x {part}" for part, count in sorted(counted.items()))
