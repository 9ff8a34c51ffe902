"""Reads CPU seconds and memory of the processes by psutil (maintained, and the same on every system)."""

from collections.abc import Mapping

import psutil

from tests.benchmarks.setup.setup import RunningSetup


def processes(setup: RunningSetup) -> Mapping[str, psutil.Process]:
    """Return the processes by name; the database is among them if it runs on this machine."""
    by_name = {"gateway": psutil.Process(setup.gateway.pid), "stand-in": psutil.Process(setup.meta.pid)}
    servers = [child for child in psutil.Process().children(recursive=True) if _is_database(child)]
    return by_name | ({"database": servers[-1]} if servers else {})


def _is_database(child: psutil.Process) -> bool:
    """Return whether this is the embedded database's server, and not its watchdog, which names the server, too."""
    words = child.cmdline()
    return any("secantusd" in word for word in words) and "storage.engine.watchdog" not in words


def seconds(by_name: Mapping[str, psutil.Process]) -> dict[str, float]:
    """Return the CPU seconds that each process has used."""
    times = {name: process.cpu_times() for name, process in by_name.items()}
    return {name: cpu_times.user + cpu_times.system for name, cpu_times in times.items()}


def megabytes(process: psutil.Process) -> float:
    """Return the process's resident memory in megabytes."""
    return float(process.memory_info().rss) / 2**20
