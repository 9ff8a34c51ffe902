"""The account of the benchmarks, and webhooks in its name. Its secrets are made up and known to every process."""

from datetime import datetime

import msgspec

from bots.whatsapp import Account
from bots.whatsapp.simulator.webhooks import Identity, Json, write
from gateway.domain.channel.secret import OwnSecret, Secret
from gateway.domain.model.nouns import Address

NAME = "bench"
SECRET = Secret("5b2c9e7a14f0d8836c1e9b7a2f40d5c8")


def account(api_url: str) -> Account:
    return Account(
        phone_number_id="100200300400",
        waba_id="500600700800",
        access_token=Secret("EAAbq7Lm2Vx9Kd4Tz8Rw1Yc6Np3Hs5Jf"),
        app_secret=SECRET,
        verify_token=OwnSecret("wa-Qn4tB8xWz2Lc6VdM3kR7"),
        number="+79990000001",
        api_url=api_url,
    )


def phone(number: int) -> str:
    """Return the phone number of the person with this index."""
    return f"+79{number:09}"


def address(number: int) -> Address:
    return Address("whatsapp", NAME, phone(number).removeprefix("+"))


def webhook(value: Json) -> bytes:
    """Return the body of a call of Meta's with this value (Cloud API: Webhooks)."""
    settings = account("http://127.0.0.1")
    metadata = {"display_phone_number": settings.number, "phone_number_id": settings.phone_number_id}
    change = {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
    entry = {"id": settings.waba_id, "changes": [change]}
    return msgspec.json.encode({"object": "whatsapp_business_account", "entry": [entry]})


def message_webhook(number: int, text: str, name: str, at: datetime) -> bytes:
    """Return the body of a call with a person's message; `name` distinguishes it from their others."""
    user = address(number).user
    message = write(Identity("Anna", user, ""), f"wamid.{name}.{user}", at, {"type": "text", "text": {"body": text}})
    return webhook(message)
