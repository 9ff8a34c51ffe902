"""What is found in a file of rows while it is read, and who waits for it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO

from gateway.domain.api.request import RequestError
from gateway.domain.api.response import Fault
from gateway.domain.model.job import Reason
from gateway.messages.jobs.files.frames import Frame, Head, Refusals, Rows, Warnings
from gateway.messages.jobs.reasons import grouped, shared
from gateway.messages.jobs.refused import reason_of

TOLD = 1000
"""Faults and warnings of a file that its upload is answered with, at most."""


class WrongColumns(RequestError):
    """The columns of a file do not name what the message needs. headings: what each of them was taken for."""

    def __init__(self, error: RequestError, headings: Mapping[str, str]) -> None:
        super().__init__(error.code, error.message, error.field)
        self.headings = headings


@dataclass(frozen=True)
class RowsFile:
    """A file of rows. digest: of its bytes. by: who gave it.

    names: what its headings mean (a field, a variable, or "" for nothing), where somebody has said so.
    """

    name: str
    content: IO[bytes]
    digest: str
    by: str = ""
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Contents:
    """What was found in a file. headings: each with the field or variable that it names, or "" for none.

    zones: rows by time zone. reasons: why rows were refused. warned: how many warnings there were.
    """

    headings: dict[str, str] = field(default_factory=dict)
    accepted: int = 0
    refused: int = 0
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    warned: int = 0
    zones: Counter[str] = field(default_factory=Counter)
    reasons: tuple[Reason, ...] = ()

    @property
    def columns(self) -> dict[str, str]:
        """Return the headings that name something, each with the field or variable."""
        return {heading: name for heading, name in self.headings.items() if name}

    def add(self, frame: Frame) -> None:
        """Add what a frame says."""
        match frame:
            case Head():
                self.headings = frame.columns
            case Rows():
                self.accepted += frame.size
                self.zones.update(frame.zones)
            case Refusals():
                self.refused += len(frame.rows)
                self.reasons = grouped([*self.reasons, *(Reason(shared(reason_of(row))) for row in frame.rows)])
                self.faults += [row.fault for row in frame.rows[: TOLD - len(self.faults)]]
            case Warnings():
                self.warned += len(frame.faults)
                self.warnings += frame.faults[: TOLD - len(self.warnings)]


class Watcher:
    """Who waits for a file while it is read. Each may end it by an exception of its own. This one does nothing."""

    async def see(self, contents: Contents) -> None:
        """Hear what was found so far."""

    async def insist(self) -> None:
        """Hear that the job is about to get the rows, as it was read before this."""
