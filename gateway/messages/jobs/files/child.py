"""The process that reads one file of a caller's, within limits that the system keeps. See `reading`.

A file may be made to exhaust memory, to run for hours, or to break a parser that was not written in Python. Nothing of
that may reach the gateway: this process has only so much memory and CPU time, can open no file and no connection, and
is killed at its deadline, and when the gateway is gone.
"""

import codecs
import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from typing import BinaryIO

import msgspec
import phonenumbers

from gateway.domain.terms.hours import is_zone
from gateway.messages.jobs.files.frames import LENGTH, TOO_MUCH, Frame, Reading, split
from gateway.messages.jobs.files.rows import read_rows

PR_SET_PDEATHSIG = 1

YIELDING = 19
"""How much this process yields to others on the machine: a person who writes is served before a file is read."""


def main() -> None:
    """Read the file at standard input for the `Reading` in the first argument. Writes frames to standard output."""
    reading = msgspec.json.decode(sys.argv[1], type=Reading)
    _load()
    _end_with(reading.parent)
    _limit(reading)
    out = sys.stdout.buffer
    try:
        for frame in split(read_rows(sys.stdin.buffer.read(), reading.terms), reading.batch):
            _write(out, frame)
    except MemoryError:
        _write(out, TOO_MUCH)


def _write(out: BinaryIO, frame: Frame) -> None:
    raw = msgspec.msgpack.encode(frame)
    out.write(len(raw).to_bytes(LENGTH, "big") + raw)
    out.flush()


def _load() -> None:
    """Load what is otherwise loaded when it is needed first: no file can be opened then."""
    phonenumbers.PhoneMetadata.load_all()
    is_zone("UTC")
    for encoding in ("utf-8-sig", "utf-16", "cp1251", "cp437", "ascii", "idna"):
        codecs.lookup(encoding)


def _end_with(parent: int) -> None:
    """Let the system end this process when its parent ends, on Linux. It ends at once if that has happened already.

    Source: https://man7.org/linux/man-pages/man2/PR_SET_PDEATHSIG.2const.html
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def _limit(reading: Reading) -> None:
    os.nice(YIELDING)
    limits = {
        resource.RLIMIT_AS: (reading.memory, reading.memory),
        resource.RLIMIT_CPU: (reading.seconds, reading.seconds + 1),  # a signal of its own, and then a hard end
        resource.RLIMIT_NOFILE: (3, 3),  # which it has: no file and no connection can be opened
        resource.RLIMIT_NPROC: (0, 0),
        resource.RLIMIT_FSIZE: (0, 0),
        resource.RLIMIT_CORE: (0, 0),
    }
    for kind, most in limits.items():
        with suppress(ValueError, OSError):  # the system has a lower limit, or none of this kind
            resource.setrlimit(kind, most)


if __name__ == "__main__":
    main()
