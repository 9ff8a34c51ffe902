"""The `gateway` command as operators meet it: what it says, and the exit code that scripts see."""

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
    async with opened_cli(tmp_path, settings) as opened:
        yield opened


async def test_help(tmp_path: Path) -> None:
    asked = [["--help"], ["-h"], ["check", "--help"], ["serve", "--help"], ["webhooks", "set", "--help"]]
    shown = await asyncio.gather(*(run(tmp_path, "gateway", *arguments) for arguments in asked))
    assert [(one.code, one.err) for one in shown] == [(0, "")] * len(asked)
    assert shown[0].out == shown[1].out
    for name in main.commands:
        assert f"\n  {name} " in shown[0].out
    assert "MONGODB_URI" in shown[0].out
    assert "--port" in shown[3].out


async def test_unknown_commands(tmp_path: Path) -> None:
    refused = await run(tmp_path, "gateway", "fly")
    assert (refused.code, refused.out) == (2, "")
    assert "No such command 'fly'" in refused.err


async def test_check_when_all_is_well(cli: CliFixture) -> None:
    checked = await cli.gateway("check")
    assert (checked.code, checked.err) == (0, "")
    assert all(line.startswith("ok ") for line in checked.out.splitlines())
    assert f"sms:main webhook {HOOK}" in checked.out


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
    checked = await cli.gateway("check", GATEWAY_PUBLIC_URL=public)
    (wrong,) = [line for line in checked.out.splitlines() if line.startswith("WRONG")]
    assert checked.code == 1
    assert words in wrong


async def test_check_without_accounts(cli: CliFixture) -> None:
    cli.write("")
    checked = await cli.gateway("check")
    assert checked.code == 1
    assert "WRONG  0 accounts: set some up in the accounts file" in checked.out


async def test_check_with_a_token_that_the_provider_does_not_know(cli: CliFixture) -> None:
    stranger = replace(cli.account, account_sid="ACffffffffffffffffffffffffffffffff")
    accounts_file(cli.folder / "accounts.toml", {"sms": {"main": stranger}})
    checked = await cli.gateway("check")
    assert checked.code == 1
    assert "WRONG  sms:main" in checked.out
    assert cli.account.auth_token.reveal() not in checked.out + checked.err


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
    refused = await cli.gateway("check")
    assert (refused.code, refused.out) == (2, "")
    assert words in refused.err
    assert "Traceback" not in refused.err
    assert "change-me" not in refused.err


async def test_a_database_that_is_not_there(cli: CliFixture) -> None:
    refused = await cli.gateway("keys", "list", MONGODB_URI="mongodb://127.0.0.1:9/")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("MONGODB_URI: the database does not answer: ")
    assert "Traceback" not in refused.err


@pytest.mark.parametrize("uri", ["mongodb://", "mongodb://u:p@ss@host/", "postgres://host/"])
async def test_a_uri_that_is_none(cli: CliFixture, uri: str) -> None:
    refused = await cli.gateway("keys", "list", MONGODB_URI=uri)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("MONGODB_URI: ")
    assert "Traceback" not in refused.err


async def test_secrets_are_fresh_and_fit_every_provider(cli: CliFixture) -> None:
    made = {(await cli.gateway("secret")).out for _ in range(2)}
    assert len(made) == 2
    assert all(re.fullmatch("[0-9a-f]{40}\n", secret) for secret in made)


async def test_keys(demo: ApiClient, cli: CliFixture) -> None:
    """Made, told once, used, listed without the secret, taken back at once."""
    created = await cli.gateway("keys", "create", "shop")
    key = created.out.strip()
    assert (created.code, created.out, created.err) == (0, f"{key}\n", "")
    headers = {"Authorization": f"Bearer {key}"}
    async with demo.http.get("/api/v1/messages/m1", headers=headers) as response:
        assert response.status == 404
    listed = await cli.gateway("keys", "list")
    assert [line.split()[-1] for line in listed.out.splitlines()] == ["demo", "shop"]
    assert key not in listed.out
    revoked = await cli.gateway("keys", "revoke", "shop")
    assert (revoked.code, revoked.out) == (0, "1 revoked\n")
    async with demo.http.get("/api/v1/messages/m1", headers=headers) as response:
        assert response.status == 401
    assert (await cli.gateway("keys", "revoke", "shop")).code == 1


async def test_webhooks_of_every_channel(demo: ApiClient, cli: CliFixture) -> None:
    runtime = demo.environment.runtime
    accounts_file(cli.folder / "accounts.toml", runtime.settings.accounts)
    for name, simulator in demo.environment.simulators.items():
        if name != "whatsapp":  # that one is the app's, which this command does not set
            simulator.webhook_url = ""
    for _ in range(2):
        done = await cli.gateway("webhooks", "set", GATEWAY_PUBLIC_URL=demo.environment.url)
        assert (done.code, done.err) == (0, "")
        hooks = [(name, f"{demo.environment.url}/webhooks/{name}/demo") for name in demo.environment.simulators]
        assert done.out.splitlines() == [f"ok     {name}:demo webhook {url}" for name, url in hooks]
    for name in demo.environment.simulators:
        channel = runtime.channel(name)
        assert channel
        assert (await channel.binding()).url == f"{demo.environment.url}/webhooks/{name}/demo"


async def test_a_note_hides_no_problem(demo: ApiClient, cli: CliFixture) -> None:
    account = replace(demo.environment.runtime.settings.accounts["viber"]["demo"], uri="")
    accounts_file(cli.folder / "accounts.toml", {"viber": {"demo": account}})
    demo.environment.simulators["viber"].webhook_url = "https://elsewhere.shop.ru/"
    checked = await cli.gateway("check", GATEWAY_PUBLIC_URL="https://gateway.shop.ru")
    told = next(line for line in checked.out.splitlines() if "viber:demo" in line)
    assert told.startswith("WRONG  viber:demo webhook https://elsewhere.shop.ru/ (set uri = ")
    assert "webhooks do not go to https://gateway.shop.ru/webhooks/viber/demo; gateway webhooks set" in told


async def test_a_webhook_that_is_not_ours_is_left_alone(cli: CliFixture) -> None:
    kept = await cli.gateway("webhooks", "delete", GATEWAY_PUBLIC_URL="https://staging.shop.ru")
    assert (kept.code, kept.out) == (1, f"WRONG  sms:main webhook {HOOK}: it is not ours, so it was left alone\n")
    assert cli.simulator.webhook_url == HOOK


async def test_a_webhook_that_nobody_answers_is_not_set(demo: ApiClient, cli: CliFixture) -> None:
    accounts_file(cli.folder / "accounts.toml", demo.environment.runtime.settings.accounts)
    for name in ("vk", "viber"):
        done = await cli.gateway("webhooks", "set", f"{name}:demo", GATEWAY_PUBLIC_URL="http://127.0.0.1:9")
        assert done.code == 1
        assert done.out.startswith(f"WRONG  {name}:demo")


async def test_webhooks_shown_and_deleted(cli: CliFixture) -> None:
    shown = await cli.gateway("webhooks", "show")
    assert (shown.code, shown.out) == (0, f"ok     sms:main webhook {HOOK}\n")
    shown = await cli.gateway("webhooks", "show", GATEWAY_PUBLIC_URL="https://elsewhere.shop.ru")
    told = f"WRONG  sms:main webhook {HOOK}: webhooks do not go to https://elsewhere.shop.ru/webhooks/sms/main"
    assert (shown.code, shown.out) == (1, f"{told}; gateway webhooks set\n")
    deleted = await cli.gateway("webhooks", "delete", "sms:main")
    assert (deleted.code, deleted.out) == (0, "ok     sms:main webhook not set\n")
    assert cli.simulator.webhook_url == ""
    shown = await cli.gateway("webhooks", "show", "sms:main")
    told = "WRONG  sms:main webhook not set: the webhook is not set; gateway webhooks set\n"
    assert (shown.code, shown.out) == (1, told)
    refused = await cli.gateway("webhooks", "show", "sms:nobody")
    assert refused.code == 2
    assert "no account sms:nobody is set up" in refused.err
