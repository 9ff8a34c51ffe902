"""Settings of a process, read from the environment and one TOML file of accounts; mistakes are reported by name."""

import os
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct
from phonenumbers import SUPPORTED_REGIONS

from gateway.domain.channel.secret import OwnSecret, read_secret
from gateway.domain.channel.web import is_base
from gateway.domain.terms.hours import is_zone
from gateway.domain.terms.price import Price
from gateway.runtime.settings.accounts import SettingsError, read_tables, take_callbacks, take_limits, take_prices
from gateway.runtime.settings.tuning import Tuning

DATABASE = re.compile(r"[A-Za-z0-9_-]{1,38}")
DAY = 86_400
LONGEST = 3650
"""Days that anything is kept."""


class Settings(Struct, frozen=True, kw_only=True):
    """The settings of a process.

    mongodb_uri: a replica set's URI; None starts the embedded database in `folder`.
    lease: how long work stays reserved for a process that has died; longer than any send may take (75 s).
    doubt: how long a message that may have been sent is waited for, before the cascade moves on.
    conversation: dotted path of the function that answers people (module:function).
    private_files: whether files that callers point at may be fetched from private networks and this machine.
    timezone: IANA's name of the zone for quiet hours, where neither the recipient nor the message has one.
    traced: how long calls to providers are kept; 0: they are not.
    stop_within: how long a process may take to end after a signal.
    kept: how long what is finished, and the chat log, are remembered.
    proxies: how many proxies of ours stand in front; the address of whoever calls them is believed.
    short_url: what short links begin with, if not with public_url and /l. links_kept: how long they lead anywhere.
    start_codes_kept: how long a deep link's code joins a chat to its contact.
    media_secrets: what links to files are signed with; without one there are none. Two while an old one still counts.
    media_kept: how long files that people sent are kept; None: they are not. uploads_kept: those that clients upload.
    callback_secrets: what callbacks are signed with; two while receivers change to a new one.
    private_callbacks: whether callbacks may go to private networks and this machine.
    callbacks: channel:account -> the URL that events of its conversations are posted to.
    limits: channel:account -> kind -> rate, where they are not to be what the provider states (see channel.rates).
    prices: channel:account -> what one message costs there; of a text message, one part.
    tuning: figures that the environment does not set.
    accounts: channel -> account -> its table, still unread (the channel itself knows the fields), or its struct.
    """

    mongodb_uri: str | None = None
    database: str = "gateway"
    folder: Path = Path(".gateway")
    public_url: str = "http://127.0.0.1:8080"
    conversation: str = "bots.conversation:reply"
    default_region: str = "RU"
    lease: timedelta = timedelta(seconds=90)
    doubt: timedelta = timedelta(minutes=2)
    private_files: bool = False
    timezone: str = "UTC"
    kept: timedelta = timedelta(days=90)
    traced: timedelta = timedelta(days=7)
    stop_within: timedelta = timedelta(seconds=25)
    proxies: int = 0
    short_url: str = ""
    links_kept: timedelta = timedelta(days=90)
    start_codes_kept: timedelta = timedelta(days=30)
    media_secrets: tuple[OwnSecret, ...] = ()
    media_kept: timedelta | None = None
    uploads_kept: timedelta = timedelta(days=30)
    callback_secrets: tuple[OwnSecret, ...] = ()
    private_callbacks: bool = False
    limits: Mapping[str, Mapping[str, object]] = {}
    callbacks: Mapping[str, str] = {}
    prices: Mapping[str, Price] = {}
    tuning: Tuning = Tuning()
    accounts: Mapping[str, Mapping[str, Any]] = {}

    @property
    def link_base(self) -> str:
        """Return what short links begin with."""
        return self.short_url or f"{self.public_url}/l"

    @property
    def shortens(self) -> bool:
        """Tell whether links are shortened by default: only if people can follow them from outside."""
        return self.link_base.startswith("https://")

    def __repr__(self) -> str:
        """Leave out the accounts and the database's URI, which hold secrets."""
        return f"Settings(database={self.database!r}, public_url={self.public_url!r})"


def load(environ: Mapping[str, str] = os.environ, *, accounts: bool = True) -> Settings:
    """Read GATEWAY_* and, unless `accounts` is false, the accounts file. Raises SettingsError with every mistake."""
    problems: list[str] = []

    def read(name: str, fits: Callable[[str], object], form: str) -> str | None:
        value = environ.get(name) or None
        if value and not fits(value):
            problems.append(f"{name}: {form} is needed")
        return value

    def seconds(name: str) -> timedelta | None:
        value = read(name, _is_seconds, f"a number of seconds from 1 to {DAY}")
        return timedelta(seconds=int(value)) if value and _is_seconds(value) else None

    def days(name: str, least: int = 1) -> timedelta | None:
        value = read(name, lambda text: _is_days(text, least), f"a number of days from {least} to {LONGEST}")
        return timedelta(days=int(value)) if value and _is_days(value, least) else None

    values: dict[str, Any] = {
        "mongodb_uri": environ.get("MONGODB_URI"),
        "database": read("GATEWAY_DATABASE", DATABASE.fullmatch, "a name of up to 38 letters, digits, _ and -"),
        "folder": Path(environ["GATEWAY_FOLDER"]) if environ.get("GATEWAY_FOLDER") else None,
        "public_url": (read("GATEWAY_PUBLIC_URL", is_base, "an http(s) address") or "").rstrip("/"),
        "proxies": _read_digit(read("GATEWAY_PROXIES", _is_digit, "a number from 0 to 9")),
        "short_url": (read("GATEWAY_SHORT_URL", is_base, "an http(s) address") or "").rstrip("/"),
        "links_kept": days("GATEWAY_LINK_DAYS"),
        "start_codes_kept": days("GATEWAY_START_CODE_DAYS"),
        "conversation": environ.get("GATEWAY_CONVERSATION"),
        "default_region": read("GATEWAY_REGION", SUPPORTED_REGIONS.__contains__, "a country's two letters, as in RU"),
        "lease": seconds("GATEWAY_LEASE"),
        "doubt": seconds("GATEWAY_DOUBT"),
        "timezone": read("GATEWAY_TIMEZONE", is_zone, "the name of a time zone, as in Europe/Moscow,"),
        "kept": days("GATEWAY_KEEP_DAYS"),
        "traced": days("GATEWAY_TRACE_DAYS", least=0),
        "stop_within": seconds("GATEWAY_STOP_WITHIN"),
        "private_callbacks": read("GATEWAY_PRIVATE_CALLBACKS", {"yes", "no"}.__contains__, "yes or no") == "yes",
        "callback_secrets": _secrets(environ, "GATEWAY_CALLBACK_SECRET", problems),
        "media_secrets": _secrets(environ, "GATEWAY_MEDIA_SECRET", problems),
        "media_kept": days("GATEWAY_KEEP_MEDIA"),
        "uploads_kept": days("GATEWAY_UPLOAD_DAYS"),
        "private_files": read("GATEWAY_PRIVATE_FILES", {"yes", "no"}.__contains__, "yes or no") == "yes",
    }
    tables = read_tables(environ, problems) if accounts else {}
    private, secrets = values["private_callbacks"], values["callback_secrets"]
    limits = take_limits(tables, problems)
    callbacks = take_callbacks(tables, problems, private=private, signed=bool(secrets))
    prices = take_prices(tables, problems)
    if problems:
        raise SettingsError(problems)
    overrides = {key: value for key, value in values.items() if value not in {None, ""}}
    return Settings(accounts=tables, limits=limits, callbacks=callbacks, prices=prices, **overrides)


def _is_seconds(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= len(str(DAY)) and 1 <= int(value) <= DAY


def _read_digit(value: str | None) -> int | None:
    return int(value) if value and _is_digit(value) else None


def _is_digit(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) == 1


def _is_days(value: str, least: int) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= len(str(LONGEST)) and least <= int(value) <= LONGEST


def _secrets(environ: Mapping[str, str], name: str, problems: list[str]) -> tuple[OwnSecret, ...]:
    """Read one secret, or two separated by a comma: what the former one has signed counts while both are there."""
    texts = [text.strip() for text in environ.get(name, "").split(",") if text.strip()]
    if len(texts) > 2:  # noqa: PLR2004
        problems.append(f"{name}: one secret, or two with a comma between")
    try:
        for text in texts:
            read_secret(OwnSecret, text)
    except ValueError as error:
        problems.append(f"{name}: {error}")
        return ()
    return tuple(map(OwnSecret, texts))
