"""Twilio's resources as its API writes them. Twilio docs: Message resource, IncomingPhoneNumber resource."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from msgspec import Struct

from bots.sms.errors import CODES
from bots.sms.segments import segments

Json = dict[str, Any]
API_VERSION = "2010-04-01"


class Message(Struct, kw_only=True):
    """A message of either direction. `code`: why it was not delivered, if it was not."""

    sid: str
    user: str
    sender: str
    at: datetime
    body: str
    direction: str = "outbound-api"
    status: str = "queued"
    code: int = 0
    service: str | None = None
    media: int = 0


def message_view(message: Message, account: str) -> Json:
    """Return a message as Twilio describes it; times are in RFC 2822."""
    is_ours, at = message.direction != "inbound", format_datetime(message.at.astimezone(UTC))
    uri = f"/{API_VERSION}/Accounts/{account}/Messages/{message.sid}"
    return {
        "account_sid": account,
        "api_version": API_VERSION,
        "body": message.body,
        "date_created": at,
        "date_sent": None if message.status == "queued" else at,
        "date_updated": at,
        "direction": message.direction,
        "error_code": message.code or None,
        "error_message": CODES[message.code][1] if message.code in CODES else None,
        "from": message.sender if is_ours else message.user,
        "messaging_service_sid": message.service,
        "num_media": str(message.media),
        "num_segments": str(segments(message.body)[1]),
        "price": None,
        "price_unit": "USD",
        "sid": message.sid,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.user if is_ours else message.sender,
        "uri": f"{uri}.json",
    }


def page(name: str, items: Sequence[Json], query: Mapping[str, str], uri: str) -> Json:
    """Return a page of a list. Twilio docs: Paging."""
    size, number = int(query.get("PageSize", "50")), int(query.get("Page", "0"))
    start, end = number * size, min((number + 1) * size, len(items))
    address = f"{uri}?PageSize={size}&Page="
    return {
        name: items[start:end],
        "end": max(end - 1, 0),
        "first_page_uri": f"{address}0",
        "next_page_uri": f"{address}{number + 1}" if end < len(items) else None,
        "page": number,
        "page_size": size,
        "previous_page_uri": f"{address}{number - 1}" if number else None,
        "start": start,
        "uri": f"{address}{number}",
    }


def number_view(account: str, number: str, sms_url: str) -> Json:
    """Return the account's one number as Twilio describes it."""
    return {
        "sid": f"PN{'0' * 32}",
        "account_sid": account,
        "friendly_name": number,
        "phone_number": number,
        "sms_url": sms_url,
        "sms_method": "POST",
        "status": "in-use",
        "capabilities": {"sms": True, "mms": False, "voice": False, "fax": False},
    }


def account_view(account: str) -> Json:
    """Return the account as Twilio describes it."""
    return {
        "sid": account,
        "friendly_name": "Demo shop",
        "status": "active",
        "type": "Full",
        "owner_account_sid": account,
    }
