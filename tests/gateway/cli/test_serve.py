"""`gateway serve` from its first word to its last, with a bot of one's own."""

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
from tests.support.processes.commands import Finished, answers, ended, started

NUMBER = 5


def answer() -> None:
    """Not a conversation: nobody can await it."""


def readme_bot(folder: Path) -> str:
    """The channel guide's example, saved under the name that it says; what its first line tells to set."""
    (code,) = blocks(CHANNELS, "python")
    assert code in blocks(FRONT, "python")
    named = re.match(r"# (\w+\.py), then GATEWAY_CONVERSATION=(\S+)\n", code)
    assert named
    (folder / named[1]).write_text(code)
    return named[2]


async def said(cli: CliFixture, text: str) -> str:
    """What the bot answers to a person's text message."""
    screen = cli.simulator.phone(PHONE).screen
    known = len(screen)
    await cli.simulator.say(PHONE, text)

    async def there() -> str:
        return next((bubble.text for bubble in screen[known:] if not bubble.mine), "")

    return await until(there)


async def test_it_serves_with_the_readmes_bot_and_ends_in_peace(tmp_path: Path, settings: Settings) -> None:
    port = free_port()
    bot, url = readme_bot(tmp_path), f"http://127.0.0.1:{port}"
    async with opened_cli(tmp_path, settings, url) as cli:
        environ = {**cli.environment, "GATEWAY_CONVERSATION": bot, "PORT": str(port)}
        async with started(tmp_path, "gateway", "serve", **environ) as process:
            await answers(f"{url}/readyz", process)
            assert await said(cli, "/start") == "Welcome, friend!"
            assert await said(cli, "Is it raining?") == "You said: Is it raining?"
            process.send_signal(signal.SIGTERM)
            finished = await ended(process)
    assert finished.code == 0
    assert finished.out == f"gateway on {url}, public at {url}; Ctrl-C stops it\n"
    assert "Traceback" not in finished.err


async def test_the_embedded_database_ends_with_it(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    async with started(tmp_path, "gateway", "serve", "--port", url.rpartition(":")[2]) as process:
        await answers(f"{url}/readyz", process)
        process.send_signal(signal.SIGINT)
        assert (await ended(process)).code == 0
    assert (tmp_path / ".gateway" / "database").is_dir()


async def test_a_port_that_is_taken(tmp_path: Path, settings: Settings) -> None:
    async with opened_cli(tmp_path, settings) as cli:
        taken = cli.account.api_url.split(":")[2].partition("/")[0]
        refused = await cli.gateway("serve", "--port", taken)
    assert refused.code == 2
    assert "address already in use" in refused.err.lower()
    assert "Traceback" not in refused.err


async def test_a_bot_that_cannot_be_loaded_is_refused_in_words(tmp_path: Path, settings: Settings) -> None:
    async with opened_cli(tmp_path, settings) as cli:
        refused: Finished = await cli.gateway("serve", GATEWAY_CONVERSATION="mybot:reply")
    assert refused.code == 2
    assert refused.err == "GATEWAY_CONVERSATION: mybot:reply cannot be loaded: No module named 'mybot'\n"


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
