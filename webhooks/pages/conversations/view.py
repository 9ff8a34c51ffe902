"""The page of a conversation, put together: the list, the chat, what may be written, and who it is."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from quart import g, render_template, request
from quart.typing import ResponseReturnValue

from gateway.conversations import operators
from gateway.conversations.listing import state
from gateway.conversations.person import person_of
from gateway.domain.model.identifier import find
from gateway.domain.model.nouns import Session
from gateway.messages.archive.listing import row
from gateway.messages.media import uploading
from storage.people import sessions
from webhooks.http.answers import Refusal
from webhooks.http.context import runtime
from webhooks.pages.conversations.approved_form import approved_form
from webhooks.pages.conversations.chat import chat
from webhooks.pages.conversations.composer import bar, cost, others, price_of, takes_files
from webhooks.pages.conversations.rows import listed, name_of
from webhooks.pages.conversations.typed import Typed
from webhooks.pages.watchers import others_here
from webhooks.pages.words import gettext

LATEST = 5
"""Messages to the person that are listed beside the chat."""

HERE = timedelta(minutes=10)
"""For how long it is told that another operator has looked."""


async def conversation(key: str) -> Session:
    """Return a conversation. Raises Refusal (404)."""
    session = await sessions.get(runtime().db, key)
    if session is None:
        raise Refusal(404, gettext("This conversation is not known."), {"id": key})
    return session


async def shown(session: Session, typed: Typed, status: int = 200) -> ResponseReturnValue:
    """Show a conversation, with what was typed."""
    gateway = runtime()
    rest = await listed()
    since = await _new_since(session)
    whole, someone = await asyncio.gather(
        operators.whole_conversation(gateway, session), person_of(gateway, session, LATEST)
    )
    channel = gateway.channel(session.address.channel, session.address.account)
    window = bar(channel, whole, someone) if channel else None
    wants_template = window is not None and window.terms == "template" and not typed.by
    ways = others(someone, session)
    by = next((way.channel for way in ways if way.channel.facts.name == typed.by), channel)
    page = await render_template(
        "conversation.html",
        list=rest,
        talk=session,
        unseen=_fetched_again() and session.unseen_from is not None,
        state=state(whole),
        name=name_of(session, someone.contact),
        number=find(someone.identifiers, "phone"),
        own_id=find(someone.identifiers, "externalId"),
        channel=channel,
        several=len(gateway.channels.get(session.address.channel, {})) > 1,
        bar=window,
        chat=await chat(session, request.args.get("cursor"), since, window.terms if window else "shut"),
        form=await approved_form(whole, someone, typed) if wants_template else None,
        someone=someone,
        latest=[row(each, someone.identifiers) for each in someone.latest],
        others=ways,
        attaches=by is not None and takes_files(by),
        counts=by is not None and by.facts.parts is not None,
        cost=await cost(by, typed) if by else None,
        unit=price_of(by) if by else None,
        largest=uploading.LARGEST,
        typed=typed,
        looker=_looker(session),
    )
    return page, status


async def _new_since(session: Session) -> datetime | None:
    """Return from when on lines are new to this operator, and record that they look.

    A part of a page that is fetched again is no look: its tab may be in the background.
    """
    if _fetched_again() or request.method != "GET":
        own = session.seen_from if session.seen_by == g.caller else None
        return session.unseen_from or own
    before = await operators.see(runtime(), session.id, g.caller)
    return before.unseen_from if before else None


def _fetched_again() -> bool:
    """Return whether a part of an open page is read anew."""
    return "HX-Request" in request.headers


def _looker(session: Session) -> dict[str, Any] | None:
    """Return which other operators have the conversation before them, or who has looked lately, and when."""
    if here := others_here(f"session:{session.id}", g.caller):
        return {"who": ", ".join(here), "at": None}
    if session.seen_at is None or session.seen_by == g.caller or runtime().clock() - session.seen_at > HERE:
        return None
    return {"who": session.seen_by, "at": session.seen_at}
