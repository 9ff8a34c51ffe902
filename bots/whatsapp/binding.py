"""Reads the state of a number at Meta. Cloud API: Webhook overrides, Phone numbers, Health status, Messaging limits."""

from collections.abc import Iterator

from bots.whatsapp.item import dig, items, word
from gateway.domain.channel.contract import Binding


def read_binding(number: object, public_url: str) -> Binding:
    """Return the number's own callback, or else the first that Meta falls back to; and what is wrong."""
    callbacks = dig(number, "webhook_configuration")
    url = next(filter(None, (word(callbacks, level) for level in LEVELS)), "")
    quality = word(number, "quality_rating")
    tier = next(filter(None, (word(number, field) for field in (TIER, OLD_TIER))), "")
    return Binding(url, tuple(_problems(number, public_url)), f"quality {quality}" if quality else "", quality, tier)


LEVELS = ("phone_number", "whatsapp_business_account", "application")

TIER, OLD_TIER = "whatsapp_business_manager_messaging_limit", "messaging_limit_tier"
TIER_SINCE = 24
"""How many people may be written to in a day, outside of their windows, is told by the first from this version of the
API on, and by the second before. Messaging limits, Via API.
"""


def fields_of(version: str) -> str:
    """Return the fields of a number that are asked for. version: of the Graph API, as in v26.0."""
    major = version.removeprefix("v").partition(".")[0]
    tier = OLD_TIER if major.isdecimal() and int(major) < TIER_SINCE else TIER
    return f"webhook_configuration,status,quality_rating,health_status,{tier}"


def _problems(number: object, public_url: str) -> Iterator[str]:
    status, quality = word(number, "status"), word(number, "quality_rating")
    if status not in ("", "CONNECTED"):
        yield f"the number is {status}"
    if quality == "RED":
        yield "the number's quality is RED: people block or report it, and Meta may limit it"
    yield from _health_problems(number)
    app_url = word(number, "webhook_configuration", "application")
    if not app_url.startswith(f"{public_url}/"):
        # No override moves the template webhooks, so they would never reach us.
        yield f"template changes go to the app's callback URL, which is {app_url or 'not set'}"


def _health_problems(number: object) -> Iterator[str]:
    for entity in items(number, "health_status", "entities"):
        state = word(entity, "can_send_message")
        if state not in ("", "AVAILABLE"):
            reasons = [word(error, "error_description") for error in items(entity, "errors")]
            yield f"{word(entity, 'entity_type')} is {state}: {'; '.join(filter(None, reasons)) or 'no reason given'}"
