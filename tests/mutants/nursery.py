"""Runs pytest many times without importing the libraries each time: a script that forks itself for each run.

Each line on its stdin is JSON, {"tree": folder, "tests": [ids], "patience": seconds}; the answer is a line of JSON too,
{"code": pytest's exit code or null if it hung, "output": text}. It imports nothing of the project, whose code differs
from run to run. A program of its own, never imported: its folder would otherwise hide the tree's `tests`.
"""

import contextlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

ALREADY_IMPORTED = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
OPTIONS = ("-q", "-x", "-n", "0", "-p", "no:cacheprovider", "--no-header", *ALREADY_IMPORTED)
LIBRARIES = (
    *(
        "aiogram",
        "aiohttp",
        "argon2",
        "crawleruseragents",
        "email_validator",
        "hypercorn.asyncio",
        "hypothesis",
        "jinja2",
    ),
    *("markdown_it", "motor.motor_asyncio", "msgspec", "opentelemetry.trace", "phonenumbers", "prometheus_client"),
    *("pytest_asyncio.plugin", "python_calamine", "quart", "quart_schema", "rich.console", "schemathesis", "structlog"),
    *("viberbot", "vk_api", "xlsxwriter"),
)
"""What takes long to import. What is missing here is imported by the run that needs it."""


def main() -> None:
    for library in LIBRARIES:
        with contextlib.suppress(ImportError):
            __import__(library)
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        order = json.loads(line)
        answers.write(json.dumps(_run(Path(order["tree"]), order["tests"], order["patience"])) + "\n")
        answers.flush()


def _run(tree: Path, tests: Sequence[str], patience: float) -> dict[str, object]:
    """Return how pytest ended in a fork of this process, with all that the fork has started killed afterwards."""
    with tempfile.TemporaryFile() as output:
        if not (child := os.fork()):
            _become_pytest(tree, tests, output.fileno())
        code = _wait(child, time.monotonic() + patience)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        if code is None:
            os.waitpid(child, 0)
        output.seek(0)
        return {"code": code, "output": output.read().decode(errors="replace")[-20_000:]}


def _become_pytest(tree: Path, tests: Sequence[str], output: int) -> None:
    code = 3
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        sys.path[0] = str(tree)
        os.environ["PYTHONPATH"] = str(tree)
        os.chdir(tree)
        import pytest

        code = int(pytest.main([*OPTIONS, *tests]))
    except BaseException:  # noqa: BLE001 - whatever it is, it is printed, and the fork ends
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(child: int, deadline: float) -> int | None:
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    return None


if __name__ == "__main__":
    main()
