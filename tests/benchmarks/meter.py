"""What the processes cost: CPU seconds and memory, as psutil tells them (maintained, and the same on every system)."""

from collections.abc import Iterator, Mapping

import psutil

from tests.benchmarks.stage import Stage


def processes(stage: Stage) -> Mapping[str, psutil.Process]:
    """Those of a stage by name; the database is among them if it runs beside us."""
    found = {"gateway": psutil.Process(stage.gateway.pid), "stand-in": psutil.Process(stage.meta.pid)}
    return found | {"database": server for server in _servers(psutil.Process())}


def _servers(parent: psutil.Process) -> Iterator[psutil.Process]:
    """The embedded database's server, and not its watchdog, which has the server's name among its words, too."""
    for child in parent.children(recursive=True):
        if any("secantusd" in word for word in child.cmdline()) and "storage.watchdog" not in child.cmdline():
            yield child


def seconds(of: Mapping[str, psutil.Process]) -> dict[str, float]:
    """CPU seconds that each has used by now."""
    used = {name: process.cpu_times() for name, process in of.items()}
    return {name: times.user + times.system for name, times in used.items()}


def megabytes(process: psutil.Process) -> float:
    """Its memory that is resident now."""
    return float(process.memory_info().rss) / 2**20
