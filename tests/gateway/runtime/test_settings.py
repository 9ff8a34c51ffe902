"""Tests settings: every mistake is named, and no secret is shown."""

import traceback
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from gateway.domain.channel.secret import OwnSecret, Secret
from gateway.domain.terms.price import Price
from gateway.runtime.settings.accounts import SettingsError, read_account, take_limits
from gateway.runtime.settings.settings import Settings, load
from gateway.runtime.settings.tuning import Tuning

GOOD = "tg-shop-Zk3vX9qLr7Wm2PbT"


class Account(Struct, frozen=True, forbid_unknown_fields=True):
    token: Secret
    limit: int = 30
    api_url: str = "https://api.shop.ru"


class Bot(Struct, frozen=True):
    token: Secret
    own: OwnSecret


def write(folder: Path, text: str) -> dict[str, str]:
    """Write an accounts file with this text. Returns the environment that names it."""
    file = folder / "accounts.toml"
    file.write_text(text, "utf-8")
    return {"GATEWAY_ACCOUNTS": str(file)}


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refusal:
        load(environ)
    assert str(refusal.value) == "\n".join(refusal.value.problems)
    return refusal.value.problems


def test_nothing_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load({}) == Settings()
    assert load({"GATEWAY_REGION": "", "MONGODB_URI": ""}) == Settings()


def test_everything_given(tmp_path: Path) -> None:
    environ = {
        "MONGODB_URI": "mongodb://db/?replicaSet=rs0",
        "GATEWAY_DATABASE": "shop",
        "GATEWAY_FOLDER": "/var/lib/gateway",
        "GATEWAY_PUBLIC_URL": "https://gateway.shop.ru/",
        "GATEWAY_CONVERSATION": "shop.bot:answer",
        "GATEWAY_REGION": "KZ",
        "GATEWAY_PRIVATE_FILES": "yes",
        "GATEWAY_TIMEZONE": "Asia/Almaty",
        "GATEWAY_KEEP_DAYS": "30",
        "GATEWAY_TRACE_DAYS": "3",
    }
    table = "[sms.main]\nsender = 'Shop'\nlimits = {account = '5/s', person = 'none'}\n"
    assert load(environ | write(tmp_path, table)) == Settings(
        mongodb_uri="mongodb://db/?replicaSet=rs0",
        database="shop",
        folder=Path("/var/lib/gateway"),
        public_url="https://gateway.shop.ru",
        conversation="shop.bot:answer",
        default_region="KZ",
        private_files=True,
        timezone="Asia/Almaty",
        kept=timedelta(days=30),
        traced=timedelta(days=3),
        limits={"sms:main": {"account": "5/s", "person": "none"}},
        accounts={"sms": {"main": {"sender": "Shop"}}},
    )


def test_calls_to_providers_need_not_be_kept() -> None:
    assert load({"GATEWAY_TRACE_DAYS": "0"}) == Settings(traced=timedelta(0))


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    assert problems({"GATEWAY_ACCOUNTS": str(missing)}) == [f"GATEWAY_ACCOUNTS: there is no file {missing}"]


def test_a_file_that_is_not_toml(tmp_path: Path) -> None:
    (problem,) = problems(write(tmp_path, "[sms.main\n"))
    assert "accounts.toml: " in problem
    assert "line 1" in problem


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "accounts.toml").write_bytes(b"[sms.main]\nsender = '\xff\xfe'\n")
    (problem,) = problems({"GATEWAY_ACCOUNTS": str(tmp_path / "accounts.toml")})
    assert problem.endswith("accounts.toml: not a text in UTF-8")


def test_prices(tmp_path: Path) -> None:
    environ = write(tmp_path, "[sms.main]\nprice = '2.50 RUB'\n[sms.other]\nlimit = 5\n")
    assert load(environ).prices == {"sms:main": Price("2.50", "RUB")}
    assert load(environ).accounts["sms"]["main"] == {}


@pytest.mark.parametrize("price", ["2.5", "'2.5'", "'-1 RUB'", "'1 rub'", "'1e3 RUB'", "'NaN RUB'", "'٢ RUB'", "''"])
def test_what_is_no_price(tmp_path: Path, price: str) -> None:
    (problem,) = problems(write(tmp_path, f"[sms.main]\nprice = {price}\n"))
    assert problem == '[sms.main] price: an amount and a currency are needed, as in "2.50 RUB"'


def test_variables_of_the_environment(tmp_path: Path) -> None:
    environ = write(tmp_path, "[sms.main]\ntoken = '$SMS_TOKEN'\nlimit = 5\n") | {"SMS_TOKEN": GOOD}
    assert load(environ).accounts == {"sms": {"main": {"token": GOOD, "limit": 5}}}


def test_every_missing_variable_is_named(tmp_path: Path) -> None:
    environ = write(tmp_path, "[sms.main]\ntoken = '$SMS_TOKEN'\n[telegram.shop]\ntoken = '$TG_TOKEN'\n")
    assert [problem.partition(": ")[2] for problem in problems(environ)] == [
        "[sms.main] token: the environment has no variable SMS_TOKEN",
        "[telegram.shop] token: the environment has no variable TG_TOKEN",
    ]


@pytest.mark.parametrize("value", ["$ecret-pA55", "$Zk3vX9qLr7Wm2PbT", "$$x"])
def test_a_secret_that_looks_like_a_variable_is_not_shown(tmp_path: Path, value: str) -> None:
    (problem,) = problems(write(tmp_path, f"[sms.main]\ntoken = '{value}'\n"))
    assert "[sms.main] token: " in problem
    assert value[1:] not in problem


@pytest.mark.parametrize("text", ["sms = 5\n", "[sms]\nsender = 'Shop'\n", "[[sms.main]]\nsender = 'Shop'\n"])
def test_accounts_are_tables(tmp_path: Path, text: str) -> None:
    (problem,) = problems(write(tmp_path, text))
    assert problem.endswith("sms: accounts are written as tables: [sms.<account>]")


@pytest.mark.parametrize("name", ["Shop", '""', '"a.b"', '"a]"', '"магазин"', "a_b", "-a", "a" * 33])
def test_a_wrong_name_is_named(tmp_path: Path, name: str) -> None:
    (problem,) = problems(write(tmp_path, f"[sms.{name}]\n"))
    assert "an account's name has 1 to 32 characters" in problem
    assert name.strip('"') in problem


@pytest.mark.parametrize("name", ["shop", "shop-2", "7", "a" * 32])
def test_names(tmp_path: Path, name: str) -> None:
    assert load(write(tmp_path, f"[sms.{name}]\n")).accounts == {"sms": {name: {}}}


def test_an_account_is_read() -> None:
    account = read_account(Account, "[sms.main]", {"token": GOOD, "limit": 5})
    assert (account.token.reveal(), account.limit) == (GOOD, 5)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "missing required field `token`"),
        ({"token": GOOD, "limit": "many"}, "$.limit"),
        ({"token": GOOD, "tokn": 1}, "`tokn`"),
        ({"token": 5}, "$.token"),
        ({"token": "a1b2c3d4"}, "a secret of at least 16 characters is needed - at `$.token`"),
        ({"token": "please-change-me-now"}, "can be guessed"),
        ({"token": "my-shop-password-17"}, "can be guessed"),
        ({"token": "this-is-a-top-secret"}, "can be guessed"),
        ({"token": "example-token-of-shop"}, "can be guessed"),
        ({"token": f"{GOOD}\n"}, "no spaces, line ends or letters other than"),
        ({"token": f"Bearer {GOOD}"}, "no spaces, line ends or letters other than"),
        ({"token": f"{GOOD}ж"}, "no spaces, line ends or letters other than"),
        ({"token": GOOD, "api_url": "api.shop.ru/pa"}, "api_url: an http(s) address is needed"),
        ({"token": GOOD, "api_url": "ftp://api.shop.ru"}, "api_url: an http(s) address is needed"),
        ({"token": GOOD, "api_url": "http://shop:bad"}, "api_url: an http(s) address is needed"),
    ],
)
def test_a_wrong_field_is_named_and_its_value_is_not_shown(table: dict[str, object], words: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_account(Account, "[sms.main]", table)
    output = "".join(traceback.format_exception(refusal.value))
    assert words in output
    assert str(refusal.value).startswith("[sms.main]: ")
    assert not [value for value in table.values() if isinstance(value, str) and value in output]


@pytest.mark.parametrize("guess", ["123456789012345678", "shop-aaaaaaaaaaaaaaa"])
def test_only_what_we_choose_ourselves_is_asked_to_be_no_guess(guess: str) -> None:
    """A provider may issue a token that begins with 1234."""
    with pytest.raises(SettingsError, match=r"can be guessed.*\$\.own"):
        read_account(Bot, "[sms.main]", {"token": guess, "own": guess})
    assert read_account(Bot, "[sms.main]", {"token": guess, "own": GOOD}).token.reveal() == guess


def test_every_weak_secret_is_named_at_once() -> None:
    with pytest.raises(SettingsError) as refusal:
        read_account(Bot, "[sms.main]", {"token": "short", "own": "please-change-me-now"})
    assert [problem.rpartition("$.")[2] for problem in refusal.value.problems] == ["token`", "own`"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEWAY_LEASE", "99999999999999"),
        ("GATEWAY_LEASE", "\u00b2"),
        ("GATEWAY_DOUBT", "0"),
        ("GATEWAY_DOUBT", "-1"),
        ("GATEWAY_REGION", "QQ"),
        ("GATEWAY_PRIVATE_FILES", "maybe"),
        ("GATEWAY_PUBLIC_URL", "foo"),
        ("GATEWAY_PUBLIC_URL", "https://a b"),
        ("GATEWAY_DATABASE", "a b/c"),
    ],
)
def test_a_variable_that_does_not_fit_is_named(name: str, value: str) -> None:
    (problem,) = problems({name: value})
    assert problem.startswith(f"{name}: ")


@given(st.text("abcdefghijklmnopqrstuvwxyzABCDEFGH0123456789-:_", min_size=0, max_size=15))
def test_a_short_secret_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(SettingsError, match="at least 16") as refusal:
        read_account(Account, "here", {"token": f"{value}"})
    assert len(value) < 4 or value not in str(refusal.value)


@pytest.mark.parametrize("form", [repr, str, "{}".format, "{!r:>40}".format, lambda secret: f"{[secret]}"])
def test_a_secret_does_not_print(form: object) -> None:
    assert callable(form)
    for secret in (Secret(GOOD), Account(Secret(GOOD))):
        assert "<secret>" in form(secret)
        assert GOOD not in form(secret)


def test_a_secret_does_not_leave_by_other_doors() -> None:
    with pytest.raises(TypeError):
        msgspec.json.encode(Account(Secret(GOOD)))
    settings = Settings(mongodb_uri=f"mongodb://root:{GOOD}@db", accounts={"sms": {"main": {"token": GOOD}}})
    assert GOOD not in f"{settings} {settings!r} {[settings]}"
    assert "http://127.0.0.1:8080" in repr(settings)


def test_what_is_promised_where_nothing_else_is_set() -> None:
    """The documents tell these figures."""
    tuning, minute = Tuning(), 60
    assert [pause.total_seconds() for pause in tuning.callback_pauses] == [
        *(4, 15, minute, 5 * minute, 15 * minute),
        *(3600, 3 * 3600, 6 * 3600, 12 * 3600),
    ]
    assert [pause.total_seconds() for pause in tuning.event_pauses] == [0.3, 2, 5]
    assert (tuning.heartbeat_every, tuning.heartbeat_stale) == (timedelta(seconds=5), timedelta(seconds=60))
    assert Settings().traced == timedelta(days=7)


@pytest.mark.parametrize(
    "limits", [{"account": "x"}, {"account": 5}, {"account": "5/fortnight"}, {"nobody": "5/s"}, 5, ["5/s"]]
)
def test_limits_that_are_none_are_named_with_their_account(limits: Any) -> None:
    found: list[str] = []
    take_limits({"sms": {"main": {"limits": limits}}}, found)
    assert len(found) == 1
    assert found[0].startswith("[sms.main.limits]: ")
