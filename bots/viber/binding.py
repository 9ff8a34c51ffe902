"""How an account stands at Viber. REST Bot API: Webhooks, Get account info."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.domain.channel.contract import Binding

EVENTS = ("delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started")
"""The callbacks that we ask for; `message` always comes."""

ALWAYS = {"subscribed", "unsubscribed"}
"""Viber sends these to everybody and lists them to nobody."""


def request(url: str) -> Mapping[str, object]:
    """What set_webhook is told."""
    return {"url": url, "event_types": list(EVENTS), "send_name": True, "send_photo": False}


def read(info: Mapping[str, Any], uri: str) -> Binding:
    """The webhook and what is wrong; `uri` is the one that our links open."""
    theirs = str(info.get("uri") or "")
    note = f"set uri = {theirs!r} to have links that open a chat" if theirs and not uri else ""
    return Binding(str(info.get("webhook") or ""), tuple(_problems(info, uri, theirs)), note)


def _problems(info: Mapping[str, Any], uri: str, theirs: str) -> Iterator[str]:
    told = info.get("event_types")
    missing = set(EVENTS) - ALWAYS - set(told if isinstance(told, list) else EVENTS)
    if info.get("webhook") and missing:
        yield f"the webhook leaves out {', '.join(sorted(missing))}"
    if uri and theirs and uri != theirs:
        yield f"the account's uri is {theirs!r}, but our links open {uri!r}"
