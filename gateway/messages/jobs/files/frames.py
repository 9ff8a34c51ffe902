"""What the process that reads a file is asked for, and what it answers, piece by piece."""

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec
from msgspec import Struct

from gateway.domain.api.request import RequestError
from gateway.domain.api.response import Fault
from gateway.domain.model.job import REFUSED_ROWS, Row
from gateway.messages.jobs.files.rows import Columns, Item, Refused, Terms

LENGTH = 4
"""Bytes before each frame that hold its length."""


class Reading(Struct, frozen=True):
    """terms: what the file is read for. batch: rows of a frame. memory, seconds: bytes and CPU time, at most.

    deadline: seconds from the start to the last frame, at most. parent: the process that asks for it.
    """

    terms: Terms
    batch: int
    memory: int
    seconds: int
    deadline: int
    parent: int


class Head(Struct, frozen=True, tag=True):
    """The columns: heading -> the field or variable that it names, or "" where it is passed over."""

    columns: dict[str, str]


class Rows(Struct, frozen=True, tag=True):
    """Rows, as the JSON of a list of Row. All frames of a file have the same number of rows, except the last.

    first: the line of the first one. zones: how many have each time zone.
    """

    rows: str
    size: int
    first: int = 0
    zones: dict[str, int] = {}


class Refusals(Struct, frozen=True, tag=True):
    """Rows that become no messages. All frames of a file have REFUSED_ROWS of them, except the last."""

    rows: list[Refused]


class Warnings(Struct, frozen=True, tag=True):
    """What its author may not have meant."""

    faults: list[Fault]


class Failure(Struct, frozen=True, tag=True):
    """The file cannot be read. It is the last frame."""

    code: str
    message: str
    field: str


TOO_MUCH = Failure("bad_file", "it takes too much memory to read: split it, or save it as .csv", "")
"""Also what is said where the system has ended the process."""

TOO_LONG = Failure("bad_file", "it takes too long to read: split it, or save it as .csv", "")


class End(Struct, frozen=True, tag=True):
    """All of the file has been read. It is the last frame."""


Frame = Head | Rows | Refusals | Warnings | Failure | End


def split(items: Iterable[Item], batch: int) -> Iterator[Frame]:
    """Yield the frames of a file: its head first, and what became of its rows in their order."""
    rows, refused, warnings = list[Row](), list[Refused](), list[Fault]()
    try:
        for item in items:
            match item:
                case Columns():
                    yield Head(item.names)
                case Row():
                    rows.append(item)
                case Refused():
                    refused.append(item)
                case Fault():
                    warnings.append(item)
            if len(rows) == batch:
                yield _rows(rows)
                rows = []
            if len(refused) == REFUSED_ROWS:
                yield Refusals(refused)
                refused = []
            if len(warnings) == REFUSED_ROWS:
                yield Warnings(warnings)
                warnings = []
    except RequestError as error:
        yield Failure(error.code, error.message, error.field)
        return
    yield from (_rows(rows), Refusals(refused), Warnings(warnings), End())


def _rows(rows: list[Row]) -> Rows:
    zones = Counter(zone for row in rows if (zone := row.destination.get("timezone")))
    return Rows(msgspec.json.encode(rows).decode(), len(rows), rows[0].line if rows else 0, zones)
