"""Tests of the architecture: import layers, guarded routes, the Procfile, and the interface of every channel."""

import ast
import importlib
import inspect
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import aiohttp
import grimp
import msgspec
import pytest

import bots
from bots.simulation.simulation import Simulator
from gateway.cli import main
from gateway.domain.channel.contract import Channel, ChannelPackage, Outside
from gateway.domain.channel.facts import Facts
from storage.engine.embedded import free_port
from tests.support.client import ApiClient
from tests.support.processes.commands import BIN, ROOT, run, started_process, wait_for_exit, wait_until_ready
from webhooks.app import create_app
from webhooks.http.guard import PUBLIC

PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
NEUTRAL = [file for folder in ("gateway", "storage", "webhooks") for file in sorted((ROOT / folder).rglob("*.py"))]
WEAK = """
[sms.main]
account_sid = "AC5ef8732a3c49700934481addd5ce1659"
auth_token = "please-change-me-now"
sender = "+79990000009"
"""


async def test_imports_only_go_down() -> None:
    result = await run(ROOT, str(BIN / "lint-imports"), "--no-cache")
    assert result.code == 0, result.out
    assert ", 0 broken." in result.out


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("gateway/domain/model/nouns.py", "import gateway.runtime.runtime", "Floors"),
        ("gateway/people/sessions.py", "import gateway.messages.delivery.dispatcher", "Floors"),
        ("storage/people/contacts.py", "import bots.wire.wire", "Floors"),
        ("gateway/messages/composing/texts.py", "import gateway.messages.accepting.plans", "No two neighbours"),
        ("bots/wire/wire.py", "import bots.vk.api", "No two neighbours"),
        ("gateway/messages/jobs/batches.py", "import storage.messages.notification_writes", "One place writes"),
        ("gateway/people/access.py", "import motor", "The database driver"),
        ("gateway/worker.py", "import quart", "Quart lives"),
        ("bots/viber/api.py", "import aiogram", "aiogram lives"),
    ],
)
async def test_a_false_import_is_caught(tmp_path: Path, file: str, line: str, contract: str) -> None:
    for folder in ("bots", "gateway", "storage", "webhooks"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / file).open("a") as planted:
        planted.write(f"\n{line}\n")
    linted = await run(tmp_path, str(BIN / "lint-imports"), "--no-cache", PYTHONPATH=str(tmp_path))
    assert linted.code == 1
    broken = [text for text in linted.out.splitlines() if " BROKEN" in text]
    assert any(text.startswith(contract) for text in broken), broken


async def test_every_route_is_guarded_or_listed_as_public(demo: ApiClient) -> None:
    rules = list(create_app(demo.environment.runtime).url_map.iter_rules())
    assert {rule.endpoint for rule in rules} >= PUBLIC
    async with aiohttp.ClientSession(demo.environment.url) as stranger:
        for rule in rules:
            for method in rule.methods or ():
                path = re.sub("<[^>]+>", "x", rule.rule)
                async with stranger.request(method, path, allow_redirects=False) as response:
                    is_refused = response.status == 401 or "/ui/login" in response.headers.get("Location", "")
                    assert is_refused != (rule.endpoint in PUBLIC), (method, path)


def test_the_procfile_names_what_there_is() -> None:
    assert set(PROCFILE) == {"web", "worker"}
    module, _, name = PROCFILE["web"].split()[-1].partition(":")
    assert callable(getattr(importlib.import_module(module), name))
    program, command = PROCFILE["worker"].split()
    assert (BIN / program).exists()
    assert command in main.commands


async def test_the_procfiles_web_line(tmp_path: Path, mongodb_uri: str) -> None:
    port = str(free_port())
    settings = {"MONGODB_URI": mongodb_uri, "GATEWAY_DATABASE": f"test-{uuid4().hex[:12]}", "PORT": port}
    async with started_process(tmp_path, "bash", "-c", f"exec {PROCFILE['web']}", **settings) as process:
        await wait_until_ready(f"http://127.0.0.1:{port}/healthz", process)
        await wait_until_ready(f"http://127.0.0.1:{port}/readyz", process)
        process.send_signal(signal.SIGTERM)
        result = await wait_for_exit(process)
    assert result.code == 0
    assert "Traceback" not in result.err


@pytest.mark.parametrize("line", PROCFILE)
async def test_the_procfiles_lines_refuse_a_weak_secret(tmp_path: Path, mongodb_uri: str, line: str) -> None:
    """A platform sees the failure by the exit code, and an operator reads the cause in the last line."""
    (tmp_path / "accounts.toml").write_text(WEAK)
    settings = {"MONGODB_URI": mongodb_uri, "PORT": str(free_port())}
    result = await run(tmp_path, "bash", "-c", f"exec {PROCFILE[line]}", **settings)
    assert result.code not in {0, None}
    assert "[sms.main]: this secret can be guessed" in result.err.splitlines()[-1]
    assert "$.auth_token" in result.err
    assert "please-change-me-now" not in result.out + result.err


def test_channels_do_not_know_each_other() -> None:
    graph = grimp.build_graph("bots")
    for name in bots.CHANNELS.values():
        other_packages = set(bots.CHANNELS.values()) - {name}
        imports = {
            target for module in folder(graph, name) for target in graph.find_modules_directly_imported_by(module)
        }
        assert not {package for package in other_packages if imports & folder(graph, package)}, name


def folder(graph: grimp.ImportGraph, package: str) -> set[str]:
    """Return the package and all modules under it."""
    return {package, *graph.find_descendants(package)}


@pytest.mark.parametrize("name", bots.CHANNELS)
async def test_a_channels_package_offers_what_it_has_to(name: str) -> None:
    package, module = bots.package(name), bots.simulator(name)
    assert same_signature(ChannelPackage.open_accounts, package.open_accounts)
    assert issubclass(package.Account, msgspec.Struct)
    account = module.demo_account("http://127.0.0.1:9/api")
    assert isinstance(account, package.Account)
    async with aiohttp.ClientSession() as http:
        (channel,) = package.open_accounts({"demo": account}, Outside(http, "https://gateway.shop.ru", http)).values()
        assert isinstance(channel.facts, Facts)
        assert (channel.facts.name, channel.account) == (name, "demo")
        for method in methods(Channel):
            assert same_signature(getattr(Channel, method), getattr(type(channel), method)), method
        await channel.close()


@pytest.mark.parametrize("name", bots.CHANNELS)
async def test_a_channels_simulator_offers_what_it_has_to(name: str) -> None:
    module = bots.simulator(name)
    server = module.Server(module.demo_account("http://127.0.0.1:9/api"), "http://127.0.0.1:9/webhook")
    assert isinstance(server, Simulator)
    assert (server.name, server.blueprint().name) == (name, name)
    assert server.too_many in server.errors
    for method in methods(Simulator):
        assert same_signature(getattr(Simulator, method), getattr(type(server), method)), method
    await server.close()


@pytest.mark.parametrize("file", NEUTRAL, ids=lambda file: str(file.relative_to(ROOT)))
def test_no_channels_name_outside_of_bots(file: Path) -> None:
    """The core decides by what a channel declares, never by its name."""
    word = re.compile(rf"\b({'|'.join(bots.CHANNELS)})\b", re.IGNORECASE)
    assert [text for text in strings(ast.parse(file.read_text("utf-8"))) if word.search(text)] == []


def strings(tree: ast.Module) -> Iterator[str]:
    """Yield the string constants that are not docstrings."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def methods(kind: type) -> list[str]:
    """Return the names of the class's own public methods."""
    return [name for name, value in vars(kind).items() if inspect.isfunction(value) and not name.startswith("_")]


def same_signature(contract: object, function: object) -> bool:
    """Return whether both have the same parameters, apart from `self`, and both or neither are coroutines."""
    return parameters(contract) == parameters(function) and (
        inspect.iscoroutinefunction(contract) == inspect.iscoroutinefunction(function)
    )


def parameters(function: object) -> list[tuple[str, object]]:
    """Return name and kind of each parameter except `self`."""
    assert callable(function)
    signature = inspect.signature(function)
    return [(parameter.name, parameter.kind) for parameter in signature.parameters.values() if parameter.name != "self"]
