"""Builds and reads the state of an account's webhook at Viber. REST Bot API: Webhooks, Get account info."""

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.domain.channel.contract import Binding

EVENTS = ("delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started")
"""The callbacks that we ask for; `message` always comes."""

ALWAYS = {"subscribed", "unsubscribed"}
"""Events that Viber always sends and never lists."""


def request(url: str) -> Mapping[str, object]:
    """Return the request of set_webhook."""
    return {"url": url, "event_types": list(EVENTS), "send_name": True, "send_photo": False}


def read(info: Mapping[str, Any], uri: str) -> Binding:
    """Return the webhook and what is wrong with it. `uri` is the one that our links open."""
    account_uri = str(info.get("uri") or "")
    note = f"set uri = {account_uri!r} to have links that open a chat" if account_uri and not uri else ""
    return Binding(str(info.get("webhook") or ""), tuple(_problems(info, uri, account_uri)), note)


def _problems(info: Mapping[str, Any], uri: str, account_uri: str) -> Iterator[str]:
    event_types = info.get("event_types")
    missing = set(EVENTS) - ALWAYS - set(event_types if isinstance(event_types, list) else EVENTS)
    if info.get("webhook") and missing:
        yield f"the webhook leaves out {', '.join(sorted(missing))}"
    if uri and account_uri and uri != account_uri:
        yield f"the account's uri is {account_uri!r}, but our links open {uri!r}"
