"""Settings: the environment, and one TOML file of accounts. Anything missing or weak is refused, by name."""

import os
import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

WEAK = re.compile(r"(?i)change.?me|secret$|password|example|(.)\1{7}|^1234|^test$")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
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


class Settings(Struct, frozen=True, kw_only=True):
    """Everything that a process of ours is told from outside.

    mongodb_uri: a replica set's URI; None starts the embedded database in `folder`.
    lease: how long work stays with a process that has died; longer than any send may take (30 s).
    doubt: how long a message that may have been sent is waited for, before the cascade moves on.
    conversation: dotted path of the function that answers people (module:function).
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
    accounts: Mapping[str, Mapping[str, Any]] = {}

    def __repr__(self) -> str:
        """Without the accounts and the database's URI: both hold secrets."""
        return f"Settings(database={self.database!r}, public_url={self.public_url!r})"


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read GATEWAY_* and the accounts file. Raises SettingsError with every problem found."""
    accounts_file = Path(environ.get("GATEWAY_ACCOUNTS", "accounts.toml"))
    given = {
        "mongodb_uri": environ.get("MONGODB_URI"),
        "database": environ.get("GATEWAY_DATABASE"),
        "folder": Path(environ["GATEWAY_FOLDER"]) if environ.get("GATEWAY_FOLDER") else None,
        "public_url": environ.get("GATEWAY_PUBLIC_URL", "").rstrip("/"),
        "conversation": environ.get("GATEWAY_CONVERSATION"),
        "default_region": environ.get("GATEWAY_REGION"),
        "lease": _seconds(environ, "GATEWAY_LEASE"),
        "doubt": _seconds(environ, "GATEWAY_DOUBT"),
    }
    accounts = _read_accounts(accounts_file, environ)
    return Settings(accounts=accounts, **{key: value for key, value in given.items() if value})  # type: ignore[arg-type]


def _seconds(environ: Mapping[str, str], name: str) -> timedelta | None:
    value = environ.get(name)
    if value is not None and not (value.isdigit() and int(value)):
        raise SettingsError([f"{name}: a number of seconds is needed"])
    return timedelta(seconds=int(value)) if value else None


def read_account(kind: type[T], where: str, table: Mapping[str, Any] | T) -> T:
    """Turn one account's table into its channel's struct. Raises SettingsError that names the field."""
    if isinstance(table, kind):
        return table
    try:
        return msgspec.convert(table, kind, dec_hook=_secret)
    except msgspec.ValidationError as error:
        raise SettingsError([f"{where}: {error}"]) from None


def _secret(kind: type[Any], value: object) -> object:
    """msgspec's hook for our own types."""
    if kind is not Secret:
        raise NotImplementedError(kind)
    if not isinstance(value, str) or len(value) < MIN_SECRET:
        raise ValueError(f"a secret of at least {MIN_SECRET} characters is needed")
    if WEAK.search(value):
        raise ValueError("this secret can be guessed; make one with: gateway secret")
    return Secret(value)


def _read_accounts(file: Path, environ: Mapping[str, str]) -> dict[str, dict[str, dict[str, Any]]]:
    if not file.exists():
        if "GATEWAY_ACCOUNTS" in environ:
            raise SettingsError([f"GATEWAY_ACCOUNTS: there is no file {file}"])
        return {}
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{file}: {error}"]) from None
    except UnicodeDecodeError:
        raise SettingsError([f"{file}: not a text in UTF-8"]) from None
    problems: list[str] = []
    accounts = {
        channel: {
            name: _resolve(f"{file}: [{channel}.{name}]", table, environ, problems)
            for name, table in group.items()
            if _is_name(f"{file}: [{channel}.{name}]", name, problems)
        }
        for channel, group in tables.items()
        if _is_group(file, channel, group, problems)
    }
    if problems:
        raise SettingsError(problems)
    return accounts


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
