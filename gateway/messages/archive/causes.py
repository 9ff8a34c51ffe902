"""Dead letters by what they failed of: how many of each, and the replay of all that failed alike."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.domain.model.job import Reason
from gateway.messages.archive.dead_letters import DeadLettersQuery, Kind, Letter, page
from gateway.messages.archive.replay import ReplayReport, ReplayRequest, replay
from gateway.runtime.paging import MOST, cursor
from gateway.runtime.runtime import Runtime
from storage.documents.documents import Db

LOOKED_AT = 2_000
"""Dead letters that are looked at most, of the newest."""


@dataclass(frozen=True)
class Cause:
    """What letters failed of: the words, how many of them, and when the first and the last of them failed.

    failed: why one of the messages did, as a job says it; None for events and callbacks.
    """

    words: str
    count: int
    first: datetime
    last: datetime
    failed: Reason | None = None


@dataclass(frozen=True)
class Causes:
    """The causes, the most frequent first. complete: whether all dead letters were looked at."""

    causes: Sequence[Cause]
    complete: bool


async def causes(db: Db, kind: Kind, now: datetime) -> Causes:
    """Return what the newest LOOKED_AT dead letters of a kind failed of."""
    found, complete = dict[str, Cause](), True
    async for letters in _pages(db, kind, None, now):
        for letter in letters:
            old = found.get(letter.cause)
            last = old.last if old else letter.at
            found[letter.cause] = Cause(letter.cause, (old.count if old else 0) + 1, letter.at, last, letter.failed)
        complete = len(letters) < MOST
    return Causes(sorted(found.values(), key=lambda cause: -cause.count), complete)


async def replay_cause(runtime: Runtime, request: ReplayRequest, words: str) -> ReplayReport:
    """Replay up to MOST dead letters of this cause, from the request's cursor on; the report has where to go on."""
    async for letters in _pages(runtime.db, request.kind, request.cursor, runtime.clock()):
        last = cursor(letters[-1].at, letters[-1].id)
        if keys := [letter.id for letter in letters if letter.cause == words]:
            report = await replay(runtime, ReplayRequest(kind=request.kind, ids=keys, force=request.force))
            return ReplayReport(report.outcomes, report.left, last if len(letters) == MOST else None)
    return ReplayReport([], 0, None)


async def _pages(db: Db, kind: Kind, after: str | None, now: datetime) -> AsyncIterator[Sequence[Letter]]:
    """Yield pages of dead letters, the newest first, of LOOKED_AT at most."""
    for _ in range(LOOKED_AT // MOST):
        letters = await page(db, DeadLettersQuery(kind=kind, limit=MOST, cursor=after), now)
        if letters.letters:
            yield letters.letters
        after = letters.cursor
        if after is None:
            return
