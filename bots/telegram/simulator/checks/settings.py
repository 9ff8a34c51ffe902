"""What the server takes as a webhook, as commands, and as old enough to delete. Bot API: setWebhook, deleteMessage."""

import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from bots.telegram.simulator.checks.refusals import bad_request

LOCAL = {"127.0.0.1", "::1", "localhost"}
PORTS = {None, 80, 88, 443, 8443}
SECRET_TOKEN = re.compile(r"[A-Za-z0-9_-]{0,256}")
DELETABLE = timedelta(hours=48)


class Command(Struct):
    """A command of the bot's menu. Bot API: BotCommand."""

    command: Annotated[str, Meta(pattern="^[a-z0-9_]{1,32}$")]
    description: Annotated[str, Meta(min_length=1, max_length=256)]


def is_local(url: str) -> bool:
    """Tell whether an address is on this machine."""
    return urlsplit(url).hostname in LOCAL


def check_deletable(age: timedelta) -> None:
    """Raise Refused for an existing message that is too old, as deleteMessage does."""
    if age >= DELETABLE:
        raise bad_request("message can't be deleted for everyone")


def check_webhook(url: str, secret: str) -> None:
    """Raise Refused for an address or a secret that setWebhook refuses. Only this machine may do without TLS."""
    parts = urlsplit(url)
    if not is_local(url):
        if parts.scheme != "https":
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if parts.port not in PORTS:
            raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
    if not SECRET_TOKEN.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")


Commands = Annotated[list[Command], Meta(max_length=100)]


def commands_of(value: str) -> Commands:
    """Return the commands of setMyCommands, at most 100. Raises Refused."""
    try:
        commands: Commands = msgspec.json.decode(value or "[]", type=Commands)
    except msgspec.DecodeError:
        raise bad_request("BOT_COMMAND_INVALID") from None
    return commands
