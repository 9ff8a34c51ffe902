"""Runs the database server as a child process: restarts it when it dies, stops it when our own parent is gone.

The parent holds the other end of our standard input. However the parent ends, kill -9 included, that pipe closes,
on every system alike. Run as: python -m storage.engine.watchdog COMMAND…
"""

import subprocess
import sys
import threading
import time

PAUSE = 0.3
"""Seconds before a server that died is started again."""

GRACE = 5
"""Seconds that the server has to stop by itself. Every commit is synced, so that killing it loses nothing."""


def main(command: list[str]) -> None:
    """Run the command, again and again, until the parent is gone."""
    parent_gone = threading.Event()
    threading.Thread(target=_watch, args=(parent_gone,), daemon=True).start()
    while not parent_gone.is_set():
        _run_once(command, parent_gone)


def _watch(parent_gone: threading.Event) -> None:
    sys.stdin.buffer.read()
    parent_gone.set()


def _run_once(command: list[str], parent_gone: threading.Event) -> None:
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as server:  # noqa: S603 - our own launcher's words
        while server.poll() is None and not parent_gone.wait(0.1):
            pass
        server.terminate()
        try:
            server.wait(GRACE)
        except subprocess.TimeoutExpired:
            server.kill()
    if not parent_gone.is_set():
        print(f"the database ended with {server.returncode}; starting it again", flush=True)  # noqa: T201 - its log
        time.sleep(PAUSE)


if __name__ == "__main__":
    main(sys.argv[1:])
