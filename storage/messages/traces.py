"""Traces of calls to providers: one document for each call, found by the message and gone after some days."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from storage.documents import documents
from storage.documents.documents import Db, from_document


class TracedCall(Struct, frozen=True, omit_defaults=True):
    """One call of an attempt, without secrets.

    `milliseconds` is the time until the call was answered or broke; `broke` is why it was not answered.
    """

    id: str
    notification: str
    attempt: int
    at: datetime
    method: str
    url: str
    request: str = ""
    status: int = 0
    answer: str = ""
    retry_after: str = ""
    broke: str = ""
    milliseconds: int = 0


async def add(db: Db, traces: Sequence[TracedCall]) -> None:
    """Store traces."""
    await documents.add(db, "traces", traces)


async def of_notification(db: Db, notification: str) -> list[TracedCall]:
    """Return what is still kept of this message's calls, in the order in which they were made."""
    traces = [
        from_document(TracedCall, document) async for document in db["traces"].find({"notification": notification})
    ]
    return sorted(traces, key=lambda trace: (trace.at, trace.id))
