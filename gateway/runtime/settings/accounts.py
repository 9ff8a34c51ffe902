"""The accounts file: a table for each of our accounts, and the settings in them that are the gateway's own."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from gateway.domain.channel.rates import Limits, read_limits
from gateway.domain.channel.secret import Secret, read_secret
from gateway.domain.channel.web import callback_problem, is_base
from gateway.domain.terms.price import Price, read_price

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")

T = TypeVar("T")
Tables = dict[str, dict[str, dict[str, Any]]]
"""Channel -> account -> its fields."""


class SettingsError(Exception):
    """The settings are wrong. problems: a sentence for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_account(kind: type[T], where: str, table: Mapping[str, Any] | T) -> T:
    """Read one account's table as its channel's struct. `where` names the table in mistakes.

    Raises SettingsError that names every wrong secret, or else the first other field that is wrong.
    """
    if isinstance(table, kind):
        return table
    problems = [f"{where}: {words}" for words in _wrong_secrets(kind, table)]
    if problems:
        raise SettingsError(problems)
    try:
        account = msgspec.convert(table, kind, dec_hook=read_secret)
    except msgspec.ValidationError as error:
        raise SettingsError([f"{where}: {error}"]) from None
    if not is_base(getattr(account, "api_url", "http://127.0.0.1")):
        raise SettingsError([f"{where}: api_url: an http(s) address is needed"])
    return account


def _wrong_secrets(kind: type[Any], table: Any) -> Iterator[str]:
    """Yield every wrong secret: msgspec stops at the first mistake, and operators want to see them all."""
    for field in msgspec.structs.fields(kind):
        if isinstance(field.type, type) and issubclass(field.type, Secret) and field.encode_name in table:
            try:
                read_secret(field.type, table[field.encode_name])
            except ValueError as error:
                yield f"{error} - at `$.{field.encode_name}`"


def read_tables(environ: Mapping[str, str], problems: list[str]) -> Tables:
    """Read all accounts of the file that GATEWAY_ACCOUNTS names; mistakes are added to `problems`."""
    file = Path(environ.get("GATEWAY_ACCOUNTS", "accounts.toml"))
    return {
        channel: {
            name: _resolve(f"{file}: [{channel}.{name}]", table, environ, problems)
            for name, table in group.items()
            if _is_name(f"{file}: [{channel}.{name}]", name, problems)
        }
        for channel, group in _read_file(file, environ, problems).items()
        if _is_group(file, channel, group, problems)
    }


def _read_file(file: Path, environ: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
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


def take_limits(tables: Tables, problems: list[str]) -> dict[str, Mapping[str, object]]:
    """Remove the accounts' limits from their tables and return them by channel:account.

    They are the gateway's affair and not the channel's. Mistakes are added to `problems`.
    """
    limits = {}
    for where, table in _each_account(tables):
        rates = table.pop("limits", {})
        try:
            read_limits(Limits(), rates)
        except (ValueError, TypeError, AttributeError) as error:
            problems.append(f"[{where.replace(':', '.')}.limits]: {error}")
        limits[where] = rates
    return limits


def take_callbacks(tables: Tables, problems: list[str], *, private: bool, signed: bool) -> dict[str, str]:
    """Remove the accounts' callback URLs from their tables and return them by channel:account.

    private: our own network is allowed. signed: there is a secret to sign callbacks with. Mistakes are added to
    `problems`.
    """
    urls = {}
    for where, table in _each_account(tables):
        url = table.pop("callback_url", "")
        if not url:
            continue
        problem = callback_problem(url, private=private) if isinstance(url, str) else "a text"
        if not signed:
            problem = "GATEWAY_CALLBACK_SECRET is needed, to sign what is told there"
        if problem:
            problems.append(f"[{where.replace(':', '.')}] callback_url: {problem}")
        urls[where] = url
    return urls


def take_prices(tables: Tables, problems: list[str]) -> dict[str, Price]:
    """Remove the prices of a message from the tables and return them by channel:account.

    For text messages it is the price of one part. Mistakes are added to `problems`.
    """
    prices = {}
    for where, table in _each_account(tables):
        try:
            if "price" in table:
                prices[where] = read_price(table.pop("price"))
        except ValueError as error:
            problems.append(f"[{where.replace(':', '.')}] price: {error}")
    return prices


def _each_account(tables: Tables) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every account, as channel:account, with its table."""
    for channel, group in tables.items():
        yield from ((f"{channel}:{account}", table) for account, table in group.items())
