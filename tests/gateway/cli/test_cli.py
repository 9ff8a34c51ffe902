"""Tests the `gateway` command as operators use it: its output and its exit codes."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from gateway.cli import main
from gateway.runtime.settings.settings import Settings
from tests.support.client import ApiClient
from tests.support.processes.cli import PUBLIC, CliFixture, opened_cli
from tests.support.processes.commands import run
from tests.support.processes.processes import accounts_file

HOOK = f"{PUBLIC}/webhooks/sms/main"


@pytest.fixture
async def cli(tmp_path: Path, settings: Settings) -> AsyncIterator[CliFixture]:
    async with opened_cli(tmp_path, settings) as fixture:
        yield fixture


async def test_help(tmp_path: Path) -> None:
    commands = [["--help"], ["-h"], ["check", "--help"], ["serve", "--help"], ["webhooks", "set", "--help"]]
    results = await asyncio.gather(*(run(tmp_path, "gateway", *arguments) for arguments in commands))
    assert [(result.code, result.err) for result in results] == [(0, "")] * len(commands)
    assert results[0].out == results[1].out
    for name in main.commands:
        assert f"\n  {name} " in results[0].out
    assert "MONGODB_URI" in results[0].out
    assert "--port" in results[3].out


async def test_unknown_commands(tmp_path: Path) -> None:
    result = await run(tmp_path, "gateway", "fly")
    assert (result.code, result.out) == (2, "")
    assert "No such command 'fly'" in result.err


async def test_check_when_all_is_well(cli: CliFixture) -> None:
    result = await cli.gateway("check")
    assert (result.code, result.err) == (0, "")
    assert all(line.startswith("ok ") for line in result.out.splitlines())
    assert f"sms:main webhook {HOOK}" in result.out


@pytest.mark.parametrize(
    ("hook", "public", "words"),
    [
        ("", PUBLIC, "the webhook is not set; gateway webhooks set"),
        ("https://elsewhere.ru/", PUBLIC, f"webhooks do not go to {HOOK}; gateway webhooks set"),
        ("http://10.0.0.1/webhooks/sms/main", "http://10.0.0.1", "providers call https only"),
    ],
)
async def test_check_names_what_is_wrong(cli: CliFixture, hook: str, public: str, words: str) -> None:
    cli.simulator.webhook_url = hook
    result = await cli.gateway("check", GATEWAY_PUBLIC_URL=public)
    (problem,) = [line for line in result.out.splitlines() if line.startswith("WRONG")]
    assert result.code == 1
    assert words in problem


async def test_check_without_accounts(cli: CliFixture) -> None:
    cli.write("")
    result = await cli.gateway("check")
    assert result.code == 1
    assert "WRONG  0 accounts: copy accounts.example.toml to accounts.toml" in result.out


async def test_check_with_a_token_that_the_provider_does_not_know(cli: CliFixture) -> None:
    stranger = replace(cli.account, account_sid="ACffffffffffffffffffffffffffffffff")
    accounts_file(cli.folder / "accounts.toml", {"sms": {"main": stranger}})
    result = await cli.gateway("check")
    assert result.code == 1
    assert "WRONG  sms:main" in result.out
    assert cli.account.auth_token.reveal() not in result.out + result.err


@pytest.mark.parametrize(
    ("accounts", "words"),
    [
        ('[sms.main]\nauth_token = "please-change-me-now"\naccount_sid = "AC1"\nsender = "Shop"\n', "can be guessed"),
        ('[sms.main]\nauth_token = "$SMS_TOKEN"\n', "auth_token: the environment has no variable SMS_TOKEN"),
        ('[pigeon.main]\nsecret = "a"\n', "[pigeon]: there is no such channel; there are: telegram, "),
        ("[sms.main\n", "accounts.toml: "),
    ],
)
async def test_bad_settings_are_named(cli: CliFixture, accounts: str, words: str) -> None:
    cli.write(accounts)
    result = await cli.gateway("check")
    assert (result.code, result.out) == (2, "")
    assert words in result.err
    assert "Traceback" not in result.err
    assert "change-me" not in result.err


async def test_keys_need_the_database_and_no_account(cli: CliFixture) -> None:
    result = await cli.gateway("keys", "create", "shop", GATEWAY_ACCOUNTS="there-is-none.toml")
    assert (result.code, result.err) == (0, "")


async def test_a_database_that_is_not_there(cli: CliFixture) -> None:
    result = await cli.gateway("keys", "list", MONGODB_URI="mongodb://127.0.0.1:9/")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("MONGODB_URI: the database does not answer: ")
    assert "Traceback" not in result.err


@pytest.mark.parametrize("uri", ["mongodb://", "mongodb://u:p@ss@host/", "postgres://host/", "mongodb://host:65536/"])
async def test_a_uri_that_is_none(cli: CliFixture, uri: str) -> None:
    result = await cli.gateway("keys", "list", MONGODB_URI=uri)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("MONGODB_URI: ")
    assert "Traceback" not in result.err


async def test_secrets_are_fresh_and_fit_every_provider(cli: CliFixture) -> None:
    secrets = {(await cli.gateway("secret")).out for _ in range(2)}
    assert len(secrets) == 2
    assert all(re.fullmatch("[0-9a-f]{40}\n", secret) for secret in secrets)


async def test_keys(demo: ApiClient, cli: CliFixture) -> None:
    """A key is created, shown once, used, listed without its secret, and revoked at once."""
    creation = await cli.gateway("keys", "create", "shop")
    key = creation.out.strip()
    assert (creation.code, creation.out, creation.err) == (0, f"{key}\n", "")
    headers = {"Authorization": f"Bearer {key}"}
    async with demo.http.get("/api/v1/messages/m1", headers=headers) as response:
        assert response.status == 404
    listing = await cli.gateway("keys", "list")
    assert [line.split()[-1] for line in listing.out.splitlines()] == ["demo", "shop"]
    assert key not in listing.out
    revocation = await cli.gateway("keys", "revoke", "shop")
    assert (revocation.code, revocation.out) == (0, "1 revoked\n")
    async with demo.http.get("/api/v1/messages/m1", headers=headers) as response:
        assert response.status == 401
    assert (await cli.gateway("keys", "revoke", "shop")).code == 1


NOTES = {"whatsapp": " (quality GREEN)"}
"""What is said of an account beside its webhook."""


async def test_webhooks_of_every_channel(demo: ApiClient, cli: CliFixture) -> None:
    runtime = demo.environment.runtime
    accounts_file(cli.folder / "accounts.toml", runtime.settings.accounts)
    for name, simulator in demo.environment.simulators.items():
        if name != "whatsapp":  # that one is the app's, which this command does not set
            simulator.webhook_url = ""
    for _ in range(2):
        result = await cli.gateway("webhooks", "set", GATEWAY_PUBLIC_URL=demo.environment.url)
        assert (result.code, result.err) == (0, "")
        hooks = [(name, f"{demo.environment.url}/webhooks/{name}/demo") for name in demo.environment.simulators]
        assert result.out.splitlines() == [
            f"ok     {name}:demo webhook {url}{NOTES.get(name, '')}" for name, url in hooks
        ]
    for name in demo.environment.simulators:
        channel = runtime.channel(name)
        assert channel
        assert (await channel.binding()).url == f"{demo.environment.url}/webhooks/{name}/demo"


async def test_a_note_hides_no_problem(demo: ApiClient, cli: CliFixture) -> None:
    account = replace(demo.environment.runtime.settings.accounts["viber"]["demo"], uri="")
    accounts_file(cli.folder / "accounts.toml", {"viber": {"demo": account}})
    demo.environment.simulators["viber"].webhook_url = "https://elsewhere.shop.ru/"
    result = await cli.gateway("check", GATEWAY_PUBLIC_URL="https://gateway.shop.ru")
    output = next(line for line in result.out.splitlines() if "viber:demo" in line)
    assert output.startswith("WRONG  viber:demo webhook https://elsewhere.shop.ru/ (set uri = ")
    assert "webhooks do not go to https://gateway.shop.ru/webhooks/viber/demo; gateway webhooks set" in output


async def test_a_webhook_that_is_not_ours_is_left_alone(cli: CliFixture) -> None:
    result = await cli.gateway("webhooks", "delete", GATEWAY_PUBLIC_URL="https://staging.shop.ru")
    assert (result.code, result.out) == (1, f"WRONG  sms:main webhook {HOOK}: it is not ours, so it was left alone\n")
    assert cli.simulator.webhook_url == HOOK


async def test_a_webhook_that_nobody_answers_is_not_set(demo: ApiClient, cli: CliFixture) -> None:
    accounts_file(cli.folder / "accounts.toml", demo.environment.runtime.settings.accounts)
    for name in ("vk", "viber"):
        result = await cli.gateway("webhooks", "set", f"{name}:demo", GATEWAY_PUBLIC_URL="http://127.0.0.1:9")
        assert result.code == 1
        assert result.out.startswith(f"WRONG  {name}:demo")


async def test_webhooks_shown_and_deleted(cli: CliFixture) -> None:
    result = await cli.gateway("webhooks", "show")
    assert (result.code, result.out) == (0, f"ok     sms:main webhook {HOOK}\n")
    result = await cli.gateway("webhooks", "show", GATEWAY_PUBLIC_URL="https://elsewhere.shop.ru")
    problem = f"WRONG  sms:main webhook {HOOK}: webhooks do not go to https://elsewhere.shop.ru/webhooks/sms/main"
    assert (result.code, result.out) == (1, f"{problem}; gateway webhooks set\n")
    deletion = await cli.gateway("webhooks", "delete", "sms:main")
    assert (deletion.code, deletion.out) == (0, "ok     sms:main webhook not set\n")
    assert cli.simulator.webhook_url == ""
    result = await cli.gateway("webhooks", "show", "sms:main")
    problem = "WRONG  sms:main webhook not set: the webhook is not set; gateway webhooks set\n"
    assert (result.code, result.out) == (1, problem)
    refusal = await cli.gateway("webhooks", "show", "sms:nobody")
    assert refusal.code == 2
    assert "no account sms:nobody is set up" in refusal.err
