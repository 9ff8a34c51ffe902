"""Figures of the runtime that no operator has to set. They are not read from the environment; tests change them."""

from datetime import timedelta

from msgspec import Struct

from gateway.domain.model.job import BATCH_ROWS


class Tuning(Struct, frozen=True, kw_only=True):
    """How patient the workers are, and how much they do at once.

    batch_rows: rows of a job that become messages at once; a pause does not stop those any more.
    file_memory, file_seconds: bytes of memory and seconds of CPU time in which a file of rows has to be read.
    file_deadline: seconds from the beginning in which all of it has to be read and stored.
    event_timeout: how long working on one event may take, since a bot that hangs blocks its conversation.
    event_pauses: pauses between tries of an event that fails; later events of its conversation wait, to keep the order.
    heartbeat_every: how often a process writes its heartbeat.
    heartbeat_stale: a loop that has not gone on for so long hangs, since whatever it may wait for ends sooner.
    callback_pauses: pauses before each further try of a callback; after the last one it becomes a dead letter.
    host_failures: callbacks to one host that may fail in a row before the host is left alone for a while.
    login_tries: tries to sign in that one network address has in access.WINDOW.
    """

    batch_rows: int = BATCH_ROWS
    file_memory: int = 1024 * 1024 * 1024
    file_seconds: int = 60
    file_deadline: int = 180
    event_timeout: timedelta = timedelta(seconds=60)
    event_pauses: tuple[timedelta, ...] = (timedelta(seconds=0.3), timedelta(seconds=2), timedelta(seconds=5))
    heartbeat_every: timedelta = timedelta(seconds=5)
    heartbeat_stale: timedelta = timedelta(seconds=60)
    callback_pauses: tuple[timedelta, ...] = tuple(
        timedelta(seconds=seconds) for seconds in (4, 15, 60, 300, 900, 3600, 10_800, 21_600, 43_200)
    )
    host_failures: int = 5
    login_tries: int = 50
