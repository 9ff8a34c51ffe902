"""Tests `gateway serve` from its start to its end, with a bot of the operator's own."""

import re
import signal
from pathlib import Path

import pytest

from gateway.runtime.runtime import load_conversation
from gateway.runtime.settings.accounts import SettingsError
from gateway.runtime.settings.settings import Settings
from storage.engine.embedded import free_port
from tests.support.client import PHONE, until
from tests.support.docs import CHANNELS, FRONT, blocks
from tests.support.processes.cli import CliFixture, opened_cli
from tests.support.processes.commands import CommandResult, started_process, wait_for_exit, wait_until_ready

NUMBER = 5


def answer() -> None:
    """Stand in for a conversation that is wrong because it cannot be awaited."""


def readme_bot(folder: Path) -> str:
    """Save the channel guide's example under the name it gives. Returns the value of GATEWAY_CONVERSATION it tells."""
    (code,) = blocks(CHANNELS, "python")
    assert code in blocks(FRONT, "python")
    first_line = re.match(r"# (\w+\.py), then GATEWAY_CONVERSATION=(\S+)\n", code)
    assert first_line
    (folder / first_line[1]).write_text(code)
    return first_line[2]


async def answer_to(cli: CliFixture, text: str) -> str:
    """Write a text to the bot and return the bot's next answer."""
    screen = cli.simulator.phone(PHONE).screen
    count = len(screen)
    await cli.simulator.say(PHONE, text)

    async def next_answer() -> str:
        return next((bubble.text for bubble in screen[count:] if not bubble.mine), "")

    return await until(next_answer)


async def test_it_serves_with_the_readmes_bot_and_ends_in_peace(tmp_path: Path, settings: Settings) -> None:
    port = free_port()
    bot, url = readme_bot(tmp_path), f"http://127.0.0.1:{port}"
    async with opened_cli(tmp_path, settings, url) as cli:
        environ = {**cli.environment, "GATEWAY_CONVERSATION": bot, "PORT": str(port)}
        async with started_process(tmp_path, "gateway", "serve", **environ) as process:
            await wait_until_ready(f"{url}/readyz", process)
            assert await answer_to(cli, "/start") == "Welcome, friend!"
            assert await answer_to(cli, "Is it raining?") == "You said: Is it raining?"
            process.send_signal(signal.SIGTERM)
            result = await wait_for_exit(process)
    assert result.code == 0
    assert result.out == f"gateway on {url}, public at {url}; Ctrl-C stops it\n"
    assert "Traceback" not in result.err


async def test_the_embedded_database_ends_with_it(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with started_process(tmp_path, "gateway", "serve", "--port", url.rpartition(":")[2]) as process:
        await wait_until_ready(f"{url}/readyz", process)
        process.send_signal(signal.SIGINT)
        assert (await wait_for_exit(process)).code == 0
    assert (tmp_path / ".gateway" / "database").is_dir()


async def test_a_port_that_is_taken(tmp_path: Path, settings: Settings) -> None:
    async with opened_cli(tmp_path, settings) as cli:
        port = cli.account.api_url.split(":")[2].partition("/")[0]
        result = await cli.gateway("serve", "--port", port)
    assert result.code == 2
    assert "address already in use" in result.err.lower()
    assert "Traceback" not in result.err


async def test_a_bot_that_cannot_be_loaded_is_refused_in_words(tmp_path: Path, settings: Settings) -> None:
    async with opened_cli(tmp_path, settings) as cli:
        result: CommandResult = await cli.gateway("serve", GATEWAY_CONVERSATION="mybot:reply")
    assert result.code == 2
    assert result.err == "GATEWAY_CONVERSATION: mybot:reply cannot be loaded: No module named 'mybot'\n"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "module:function"),
        ("bots.conversation", "module:function"),
        (":reply", "module:function"),
        ("no.such.module:reply", "No module named 'no'"),
        ("bots.conversation:no_such", "has no attribute 'no_such'"),
        ("tests.gateway.cli.test_serve:NUMBER", "is not an async function"),
        ("tests.gateway.cli.test_serve:answer", "is not an async function"),
        ("broken:reply", "invalid syntax"),
        ("wrong:reply", "name 'nobody' is not defined"),
    ],
)
def test_what_is_no_conversation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, words: str) -> None:
    (tmp_path / "broken.py").write_text("async def\n")
    (tmp_path / "wrong.py").write_text("nobody()\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=f"GATEWAY_CONVERSATION: {path} .*{re.escape(words)}"):
        load_conversation(path)
