"""What the processes cost: CPU seconds and memory, as psutil tells them (maintained, and the same on every system)."""

from collections.abc import Mapping

import psutil

from tests.benchmarks.stage.stage import Stage


def processes(stage: Stage) -> Mapping[str, psutil.Process]:
    """Those of a stage by name; the database is among them if it runs beside us."""
    found = {"gateway": psutil.Process(stage.gateway.pid), "stand-in": psutil.Process(stage.meta.pid)}
    servers = [child for child in psutil.Process().children(recursive=True) if _is_server(child)]
    return found | ({"database": servers[-1]} if servers else {})


def _is_server(child: psutil.Process) -> bool:
    """The embedded database's server, and not its watchdog, which has the server's name among its words, too."""
    words = child.cmdline()
    return any("secantusd" in word for word in words) and "storage.engine.watchdog" not in words


def seconds(of: Mapping[str, psutil.Process]) -> dict[str, float]:
    """CPU seconds that each has used by now."""
    used = {name: process.cpu_times() for name, process in of.items()}
    return {name: times.user + times.system for name, times in used.items()}


def megabytes(process: psutil.Process) -> float:
    """Its memory that is resident now."""
    return float(process.memory_info().rss) / 2**20
