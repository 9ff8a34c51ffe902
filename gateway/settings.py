"""Settings: the environment, and one TOML file of accounts. Anything missing or weak is refused, by name."""

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec
from msgspec import Struct
from phonenumbers import SUPPORTED_REGIONS

from gateway.channel import Limits
from gateway.hours import is_zone
from gateway.pace import read_limits
from gateway.web import callback_problem, is_base

PLACEHOLDER = re.compile(r"(?i)change.?me|secret$|password|example|^test")
VISIBLE = re.compile(r"[!-~]+")
GUESSABLE = re.compile(r"(.)\1{7}|^1234")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
DATABASE = re.compile(r"[A-Za-z0-9_-]{1,38}")
DAY = 86_400
LONGEST = 3650
"""Days that anything is kept."""
MIN_SECRET = 16

T = TypeVar("T")


class SettingsError(Exception):
    """What is wrong with the settings, a sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Secret:
    """A secret that does not print. Only `reveal` shows it, so every use can be found."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "<secret>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written down")


class OwnSecret(Secret):
    """A secret that we choose ourselves, and that therefore must not be a guess. Others come from the provider."""


class Settings(Struct, frozen=True, kw_only=True):
    """Everything that a process of ours is told from outside.

    mongodb_uri: a replica set's URI; None starts the embedded database in `folder`.
    lease: how long work stays with a process that has died; longer than any send may take (75 s).
    doubt: how long a message that may have been sent is waited for, before the cascade moves on.
    conversation: dotted path of the function that answers people (module:function).
    private_files: whether files that callers point at may be fetched from private networks and this machine.
    timezone: IANA's name of the zone for quiet hours, where neither the recipient nor the message has one.
    traced: how long calls to providers are kept; not at all: nothing.
    stop_within: how long a process takes at most to end when it is told to.
    kept: how long what is finished, and the chat log, are remembered.
    proxies: how many proxies of ours stand in front; the address of whoever calls them is believed.
    short_url: what short links begin with, if not with public_url and /l. links_kept: how long they lead anywhere.
    callback_secrets: what our calls to callers are signed with; two while receivers change to a new one.
    private_callbacks: whether those may go to private networks and this machine.
    callbacks: channel:account -> where what happens in its conversations is told.
    limits: channel:account -> kind -> rate, where they are not to be what the provider states (gateway.pace).
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
    callback_secrets: tuple[OwnSecret, ...] = ()
    private_callbacks: bool = False
    limits: Mapping[str, Mapping[str, object]] = {}
    callbacks: Mapping[str, str] = {}
    accounts: Mapping[str, Mapping[str, Any]] = {}

    @property
    def link_base(self) -> str:
        """What short links begin with."""
        return self.short_url or f"{self.public_url}/l"

    @property
    def shortens(self) -> bool:
        """Are links made short where nobody says whether? Only if people can follow them from outside."""
        return self.link_base.startswith("https://")

    def __repr__(self) -> str:
        """Without the accounts and the database's URI: both hold secrets."""
        return f"Settings(database={self.database!r}, public_url={self.public_url!r})"


def load(environ: Mapping[str, str] = os.environ, *, accounts: bool = True) -> Settings:
    """Read GATEWAY_* and, if wanted, the accounts file. Raises SettingsError with every problem found."""
    problems: list[str] = []

    def read(name: str, fits: Callable[[str], object], wanted: str) -> str | None:
        value = environ.get(name) or None
        if value and not fits(value):
            problems.append(f"{name}: {wanted} is needed")
        return value

    def seconds(name: str) -> timedelta | None:
        value = read(name, _is_seconds, f"a number of seconds from 1 to {DAY}")
        return timedelta(seconds=int(value)) if value and _is_seconds(value) else None

    def days(name: str, least: int = 1) -> timedelta | None:
        value = read(name, lambda told: _is_days(told, least), f"a number of days from {least} to {LONGEST}")
        return timedelta(days=int(value)) if value and _is_days(value, least) else None

    given: dict[str, Any] = {
        "mongodb_uri": environ.get("MONGODB_URI"),
        "database": read("GATEWAY_DATABASE", DATABASE.fullmatch, "a name of up to 38 letters, digits, _ and -"),
        "folder": Path(environ["GATEWAY_FOLDER"]) if environ.get("GATEWAY_FOLDER") else None,
        "public_url": (read("GATEWAY_PUBLIC_URL", is_base, "an http(s) address") or "").rstrip("/"),
        "proxies": _few(read("GATEWAY_PROXIES", _is_few, "a number from 0 to 9")),
        "short_url": (read("GATEWAY_SHORT_URL", is_base, "an http(s) address") or "").rstrip("/"),
        "links_kept": days("GATEWAY_LINK_DAYS"),
        "conversation": environ.get("GATEWAY_CONVERSATION"),
        "default_region": read("GATEWAY_REGION", SUPPORTED_REGIONS.__contains__, "a country's two letters, as in RU"),
        "lease": seconds("GATEWAY_LEASE"),
        "doubt": seconds("GATEWAY_DOUBT"),
        "timezone": read("GATEWAY_TIMEZONE", is_zone, "the name of a time zone, as in Europe/Moscow,"),
        "kept": days("GATEWAY_KEEP_DAYS"),
        "traced": days("GATEWAY_TRACE_DAYS", least=0),
        "stop_within": seconds("GATEWAY_STOP_WITHIN"),
        "private_callbacks": read("GATEWAY_PRIVATE_CALLBACKS", {"yes", "no"}.__contains__, "yes or no") == "yes",
        "callback_secrets": _callback_secrets(environ, problems),
        "private_files": read("GATEWAY_PRIVATE_FILES", {"yes", "no"}.__contains__, "yes or no") == "yes",
    }
    tables = _read_accounts(environ, problems) if accounts else {}
    limits, callbacks = _limits(tables, problems), _callbacks(tables, given, problems)
    if problems:
        raise SettingsError(problems)
    told = {key: value for key, value in given.items() if value not in {None, ""}}
    return Settings(accounts=tables, limits=limits, callbacks=callbacks, **told)


def _is_seconds(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= len(str(DAY)) and 1 <= int(value) <= DAY


def _few(value: str | None) -> int | None:
    return int(value) if value and _is_few(value) else None


def _is_few(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) == 1


def _is_days(value: str, least: int) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= len(str(LONGEST)) and least <= int(value) <= LONGEST


def _limits(tables: dict[str, dict[str, dict[str, Any]]], problems: list[str]) -> dict[str, Mapping[str, object]]:
    """The limits that stand in the accounts' tables: they are the gateway's affair and not the channel's."""
    limits = {}
    for channel, group in tables.items():
        for account, table in group.items():
            asked = table.pop("limits", {})
            try:
                read_limits(Limits(), asked)
            except (ValueError, TypeError, AttributeError) as error:
                problems.append(f"[{channel}.{account}.limits]: {error}")
            limits[f"{channel}:{account}"] = asked
    return limits


def _callbacks(
    tables: dict[str, dict[str, dict[str, Any]]], given: Mapping[str, Any], problems: list[str]
) -> dict[str, str]:
    """Accounts' own webhooks, which stand in their tables for the same reason."""
    found = {}
    for channel, group in tables.items():
        for account, table in group.items():
            url = table.pop("callback_url", "")
            if not url:
                continue
            problem = callback_problem(url, private=given["private_callbacks"]) if isinstance(url, str) else "a text"
            if not given["callback_secrets"]:
                problem = "GATEWAY_CALLBACK_SECRET is needed, to sign what is told there"
            if problem:
                problems.append(f"[{channel}.{account}] callback_url: {problem}")
            found[f"{channel}:{account}"] = url
    return found


def _callback_secrets(environ: Mapping[str, str], problems: list[str]) -> tuple[OwnSecret, ...]:
    """One secret, or two with a comma between, while receivers change to the new one."""
    given = [one.strip() for one in environ.get("GATEWAY_CALLBACK_SECRET", "").split(",") if one.strip()]
    if len(given) > 2:  # noqa: PLR2004
        problems.append("GATEWAY_CALLBACK_SECRET: one secret, or two with a comma between")
    try:
        for one in given:
            _secret(OwnSecret, one)
    except ValueError as error:
        problems.append(f"GATEWAY_CALLBACK_SECRET: {error}")
        return ()
    return tuple(map(OwnSecret, given))


def read_account(kind: type[T], where: str, table: Mapping[str, Any] | T) -> T:
    """Turn one account's table into its channel's struct.

    Raises SettingsError that names every wrong secret, or else the first other field that is wrong.
    """
    if isinstance(table, kind):
        return table
    problems = [f"{where}: {words}" for words in _wrong_secrets(kind, table)]
    if problems:
        raise SettingsError(problems)
    try:
        account = msgspec.convert(table, kind, dec_hook=_secret)
    except msgspec.ValidationError as error:
        raise SettingsError([f"{where}: {error}"]) from None
    if not is_base(getattr(account, "api_url", "http://127.0.0.1")):
        raise SettingsError([f"{where}: api_url: an http(s) address is needed"])
    return account


def _wrong_secrets(kind: type[Any], table: Any) -> Iterator[str]:
    """msgspec stops at the first mistake; of secrets people want to hear them all."""
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, Secret) and field.encode_name in table:
            try:
                _secret(field.type, table[field.encode_name])
            except ValueError as error:
                yield f"{error} - at `$.{field.encode_name}`"


def _secret(kind: type[Any], value: object) -> object:
    """msgspec's hook for our own types."""
    if not issubclass(kind, Secret):
        raise NotImplementedError(kind)
    if not isinstance(value, str) or len(value) < MIN_SECRET:
        raise ValueError(f"a secret of at least {MIN_SECRET} characters is needed")
    if not VISIBLE.fullmatch(value):
        raise ValueError(
            "a secret has no spaces, line ends or letters other than A-Z and a-z; was it cut or pasted badly?"
        )
    if PLACEHOLDER.search(value) or (kind is OwnSecret and GUESSABLE.search(value)):
        raise ValueError("this secret can be guessed; make one with: gateway secret")
    return kind(value)


def _read_accounts(environ: Mapping[str, str], problems: list[str]) -> dict[str, dict[str, dict[str, Any]]]:
    file = Path(environ.get("GATEWAY_ACCOUNTS", "accounts.toml"))
    return {
        channel: {
            name: _resolve(f"{file}: [{channel}.{name}]", table, environ, problems)
            for name, table in group.items()
            if _is_name(f"{file}: [{channel}.{name}]", name, problems)
        }
        for channel, group in _read_tables(file, environ, problems).items()
        if _is_group(file, channel, group, problems)
    }


def _read_tables(file: Path, environ: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        if "GATEWAY_ACCOUNTS" in environ:
            problems.append(f"GATEWAY_ACCOUNTS: there is no file {file}")
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{file}: {error}")
    except UnicodeDecodeError:
        problems.append(f"{file}: not a text in UTF-8")
    return {}


def _is_group(file: Path, channel: str, group: object, problems: list[str]) -> bool:
    if isinstance(group, dict) and all(isinstance(table, dict) for table in group.values()):
        return True
    problems.append(f"{file}: {channel}: accounts are written as tables: [{channel}.<account>]")
    return False


def _is_name(where: str, name: str, problems: list[str]) -> bool:
    if NAME.fullmatch(name):
        return True
    problems.append(f"{where}: an account's name has 1 to 32 characters a-z, 0-9 and -")
    return False


def _resolve(where: str, table: Mapping[str, Any], environ: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    """Replace "$NAME" by that variable of the environment, so that the file need not hold secrets."""
    resolved = {}
    for key, value in table.items():
        if isinstance(value, str) and value.startswith("$"):
            if value[1:] not in environ:
                # It may be a secret that begins with $.
                name = value[1:] if VARIABLE.fullmatch(value[1:]) else "of that name"
                problems.append(f"{where} {key}: the environment has no variable {name}")
            value = environ.get(value[1:], "")  # noqa: PLW2901
        resolved[key] = value
    return resolved
