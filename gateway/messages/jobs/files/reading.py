"""Has files of callers read by a process of their own, and passes on what it finds in them, piece by piece."""

import asyncio
import logging
import os
import signal
import sys
from asyncio import StreamReader
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import IO

import msgspec

from gateway.domain.api.request import RequestError
from gateway.messages.jobs.files.frames import LENGTH, TOO_LONG, TOO_MUCH, End, Failure, Frame, Reading

log = logging.getLogger(__name__)

CHILD = "gateway.messages.jobs.files.child"
BROKEN = Failure("bad_file", "it cannot be read: save it anew, as .csv or .xlsx", "")
MEMORY = frozenset({-signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS, -signal.SIGKILL})
"""How a process ends that gets no more memory: by its own hand, or by the system's."""

TRACEBACK = 4096
"""Bytes of the process's last words that are logged."""


async def read_file(file: IO[bytes], name: str, reading: Reading) -> AsyncGenerator[Frame, None]:
    """Yield what is in a file, as it is read. Raises RequestError, which names the file, if it cannot be read."""
    async with _started(file, reading) as process, aclosing(_frames(process, reading)) as found:
        async for frame in found:
            if isinstance(frame, Failure):
                raise RequestError(frame.code, f"{name}: {frame.message}", frame.field)
            yield frame


@asynccontextmanager
async def _started(file: IO[bytes], reading: Reading) -> AsyncIterator[Process]:
    """Start the process; kill it at the end, whatever it is doing. It gets nothing of our environment."""
    request, path = msgspec.json.encode(reading).decode(), os.pathsep.join(sys.path)
    file.seek(0)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", CHILD, request, stdin=file, stdout=PIPE, stderr=PIPE, env={"PYTHONPATH": path}
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _frames(process: Process, reading: Reading) -> AsyncGenerator[Frame, None]:
    """Yield the frames, the last of which is an End or a Failure."""
    frame: Frame | None = None
    deadline = asyncio.get_running_loop().time() + reading.deadline
    while not isinstance(frame, End | Failure):
        try:
            async with asyncio.timeout_at(deadline):
                frame = await _frame(process.stdout) or await _death(process)
        except TimeoutError:
            frame = TOO_LONG
        yield frame


async def _frame(stream: StreamReader | None) -> Frame | None:
    """Return the next frame, or None if the process has ended without one."""
    if stream is None:
        raise AssertionError
    try:
        length = int.from_bytes(await stream.readexactly(LENGTH), "big")
        frame: Frame = msgspec.msgpack.decode(await stream.readexactly(length), type=Frame)
    except asyncio.IncompleteReadError:
        return None
    return frame


async def _death(process: Process) -> Failure:
    """Return why the process has ended in the midst of a file."""
    _, words = await process.communicate()
    match process.returncode:
        case code if code == -signal.SIGXCPU:
            return TOO_LONG
        case code if code in MEMORY:
            return TOO_MUCH
    log.error("a file could not be read: %s", words[-TRACEBACK:].decode(errors="replace"))
    return BROKEN
