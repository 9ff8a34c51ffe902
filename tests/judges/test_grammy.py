"""grammY as a bot uses it, in node: https://grammy.dev. Skipped where node, npm or its registry is missing."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.judges.bench import Bench, opened_bench

FOLDER = Path(__file__).parent / "grammy"
PINNED = ("package.json", "package-lock.json")


async def run(*command: str, folder: Path, given: str = "") -> tuple[int, str, str]:
    """Run a command to its end; return its code and what it has printed."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(given.encode())
    return process.returncode or 0, out.decode(), err.decode()


def keep(folder: Path, target: Path) -> None:
    """Move the installed packages to where they stay, unless another process was faster."""
    try:
        folder.rename(target)
    except OSError:
        shutil.rmtree(folder)


async def installed() -> Path:
    """Return a folder with the pinned packages, installed on first use. Skips the test where that cannot be done."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("no grammY: node or npm is missing")
    digest = sha256(b"".join((FOLDER / name).read_bytes() for name in PINNED)).hexdigest()[:16]
    target = Path(tempfile.gettempdir()) / f"judge-grammy-{digest}"
    if not target.exists():
        folder = Path(tempfile.mkdtemp(prefix="judge-grammy-"))
        for name in PINNED:
            shutil.copy(FOLDER / name, folder)
        code, _, err = await run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=folder)
        if code:
            pytest.skip(f"no grammY: npm ci failed: {err.strip().splitlines()[-1:]}")
        keep(folder, target)
    shutil.copy(FOLDER / "bot.mjs", target)
    return target


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with opened_bench("telegram") as bench:
        yield bench


async def answer_of(bench: Bench, task: str, user: str, given: str = "") -> Any:
    """Run one of the bot's tasks, and return what it prints."""
    token = bench.account.token.reveal()
    code, out, err = await run("node", "bot.mjs", task, bench.url, token, user, folder=await installed(), given=given)
    assert code == 0, err
    return json.loads(out)


async def test_messages_files_and_albums(bench: Bench) -> None:
    anna = await bench.start()
    assert await answer_of(bench, "send", anna) == {
        "entities": ["bold"],
        "file": "a.csv",
        "downloaded": "a;b",
        "captions": ["One", ""],
        "edited": "Goodbye",
        "username": "demo_shop_bot",
    }
    assert [bubble.text for bubble in bench.server.phone(anna).screen[1:3]] == ["Goodbye", "Who?"]


async def test_what_breaks_telegrams_limits_is_refused(bench: Bench) -> None:
    anna = await bench.start()
    assert await answer_of(bench, "refused", anna) == [
        "400 Bad Request: can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'",
        "400 Bad Request: text must be non-empty",
        "400 Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
        "400 Bad Request: wrong type of the web page content",
        "404 Not Found: method not found",
    ]
    assert bench.server.accepted == []


async def test_a_bot_answers_people_and_their_presses(bench: Bench) -> None:
    anna = await bench.start()
    await bench.server.start(anna, "CODE")
    await answer_of(bench, "handle", anna, await updates(bench))
    question = bench.server.phone(anna).screen[-1]
    assert question.text == "Welcome CODE"
    await bench.server.press(anna, question.id, "Yes")
    await bench.server.share_contact(anna)
    await bench.server.block(anna)
    await bench.server.unblock(anna)
    seen = await answer_of(bench, "handle", anna, await updates(bench))
    assert seen == ["79990001122", "kicked", "member"]
    assert (question.text, len(bench.server.answered)) == ("Done", 1)


async def updates(bench: Bench) -> str:
    """Return the webhooks so far as a JSON array."""
    return json.dumps([json.loads(call.body) for call in await bench.taken()])
