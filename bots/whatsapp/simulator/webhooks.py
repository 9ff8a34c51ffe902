"""Builds webhooks as Meta writes them.

Cloud API: Webhooks reference, messages and message_template_status_update.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from bots.whatsapp.errors import MEANINGS
from bots.whatsapp.inbound.webhook import sign
from bots.whatsapp.simulator.components import Fault
from gateway.domain.channel.calls import Call
from gateway.domain.channel.secret import Secret

Json = dict[str, Any]


class Identity(NamedTuple):
    """What Meta shows us of a person: a phone number, a business-scoped user id, or both."""

    name: str
    phone: str
    bsuid: str

    @property
    def contact(self) -> Json:
        """Return the person as in a webhook's contacts."""
        return {"profile": {"name": self.name}, **_non_empty(wa_id=self.phone, user_id=self.bsuid)}

    @property
    def sender(self) -> Json:
        """Return the person as a message's sender."""
        return _non_empty(**{"from": self.phone, "from_user_id": self.bsuid})

    @property
    def recipient(self) -> Json:
        """Return the person as a status's recipient."""
        return _non_empty(recipient_id=self.phone, recipient_user_id=self.bsuid)


def _non_empty(**names: str) -> Json:
    return {key: name for key, name in names.items() if name}


def seconds(at: datetime) -> str:
    """Return a time as Meta writes it: Unix seconds as text."""
    return str(int(at.timestamp()))


def write(person: Identity, wamid: str, at: datetime, content: Mapping[str, Any]) -> Json:
    """Return the value of a person's message."""
    message = {**person.sender, "id": wamid, "timestamp": seconds(at), **content}
    return {"contacts": [person.contact], "messages": [message]}


def report(person: Identity, wamid: str, at: datetime, status: str, key: str) -> Json:
    """Return the value of a status of ours."""
    entry = {"id": wamid, "status": status, "timestamp": seconds(at), **person.recipient}
    return {"contacts": [person.contact], "statuses": [{**entry, **_non_empty(biz_opaque_callback_data=key)}]}


def failure(person: Identity, wamid: str, at: datetime, fault: Fault, key: str) -> Json:
    """Return the value of a `failed` status. Meta leaves out the contacts and, where we wrote to a number, the id."""
    value = report(person._replace(bsuid="" if person.phone else person.bsuid), wamid, at, "failed", key)
    value["statuses"][0]["errors"] = [error(fault)]
    return {"statuses": value["statuses"]}


def error(fault: Fault) -> Json:
    """Return an error of the Graph API, the same in a response and in a status."""
    title = MEANINGS[fault.code].words if fault.code in MEANINGS else "Unknown"
    details = {"messaging_product": "whatsapp", "details": fault.details}
    fields = {"code": fault.code, "title": title, "message": f"(#{fault.code}) {title}"}
    if fault.subcode:
        return {**fields, "error_subcode": fault.subcode, "error_user_title": title, "error_user_msg": fault.details}
    return {**fields, "error_data": details}


def template_status(key: str, name: str, language: str, event: str, reason: str) -> Json:
    """Return the value of a template's new status; its language has a dash here, and its id is a number."""
    return {
        "event": event,
        "message_template_id": int(key),
        "message_template_name": name,
        "message_template_language": language.replace("_", "-"),
        "reason": reason,
        "message_template_category": "UTILITY",
    }


def call(url: str, waba_id: str, app_secret: Secret, at: datetime, *, field: str, value: Json) -> Call:
    """Return the signed POST. Template changes carry the entry's time, messages their own."""
    entry: Json = {"id": waba_id, "changes": [{"field": field, "value": value}]}
    if field != "messages":
        entry["time"] = int(at.timestamp())
    body = msgspec.json.encode({"object": "whatsapp_business_account", "entry": [entry]})
    headers = {"Content-Type": "application/json", "X-Hub-Signature-256": sign(body, app_secret)}
    return Call("POST", url, headers, body, at)
