"""Reads the state of a number at Meta. Cloud API: Webhook overrides, Phone numbers, Health status, Messaging limits."""

from collections.abc import Iterator

from bots.whatsapp.item import dig, items, word
from gateway.domain.channel.contract import Binding


def read_binding(number: object, public_url: str) -> Binding:
    """Return the number's own callback, or else the first that Meta falls back to; and what is wrong."""
    callbacks = dig(number, "webhook_configuration")
    url = next(filter(None, (word(callbacks, level) for level in LEVELS)), "")
    quality = word(number, "quality_rating")
    note, tier = f"quality {quality}" if quality else "", word(number, TIER)
    return Binding(url, tuple(_problems(number, public_url)), note, quality, tier)


TIER = "whatsapp_business_manager_messaging_limit"
"""How many people may be written to in a day, outside of their windows. Messaging limits, Via API: from v24.0 on."""

FIELDS = f"webhook_configuration,status,quality_rating,health_status,{TIER}"
LEVELS = ("phone_number", "whatsapp_business_account", "application")


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
