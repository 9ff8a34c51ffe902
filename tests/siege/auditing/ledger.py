"""What an audit looks at: the books of those outside, those of the providers, and our own database."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bots.simulation.simulation import Accepted, Simulator
from gateway.domain.model.notification import Notification
from gateway.domain.model.nouns import Progress
from storage.documents.documents import Document, from_document
from tests.siege.auditing.books import Books, Order
from tests.siege.field.camp import Camp

WORD = re.compile(r"\b\d+[ab]\.\d+\b")
DOUBT = "may have been sent"


@dataclass(frozen=True)
class Ledger:
    books: Books
    simulators: Mapping[str, Simulator]
    notifications: Mapping[str, Notification]
    inbox: list[Document]

    @property
    def replies(self) -> list[Notification]:
        return [n for n in self.notifications.values() if n.id.startswith("reply:")]

    def taken(self, channel: str, words: set[str]) -> list[str]:
        """Which of these words the provider took, in that order; without what it says did not reach the person."""
        lost = _failed(self.simulators[channel])
        lines = [line for line in self.simulators[channel].accepted if line.id not in lost]
        return [word for line in lines for word in WORD.findall(line.text) if word in words]

    def line(self, channel: str, order: Order) -> int | None:
        """Where in the provider's book the order begins."""
        book = self.simulators[channel].accepted
        return next((at for at, line in enumerate(book) if order.words[0] in WORD.findall(line.text)), None)

    def said(self, channel: str, user: str) -> list[Accepted]:
        """What the provider took for a person."""
        return [line for line in self.simulators[channel].accepted if line.user == user]


@dataclass
class Report:
    """`complaints` are what must not be; `notes` are what may be, but has to be told. `overtaken`: out of order."""

    figures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    overtaken: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        sections = {
            "THE SIEGE": self.figures,
            f"ON RECORD: {len(self.notes)}": self.notes,
            f"OUT OF ORDER: {len(self.overtaken)}": self.overtaken,
            f"COMPLAINTS: {len(self.complaints)}": self.complaints,
        }
        return "\n".join("\n  ".join([f"\n{title}", *lines]) for title, lines in sections.items())


async def ledger(camp: Camp, books: Books) -> Ledger:
    stored = [from_document(Notification, document) async for document in camp.db["notifications"].find()]
    inbox = [document async for document in camp.db["inbox"].find()]
    return Ledger(books, camp.simulators, {one.id: one for one in stored}, inbox)


def in_doubt(notification: Notification) -> bool:
    """Is it on record that something of this may have been sent?"""
    unsure = any(one.progress is Progress.UNKNOWN or one.unsure_from for one in notification.attempts)
    return unsure or any(DOUBT in line.text for line in notification.decisions)


def was_put_off(notification: Notification) -> bool:
    """Did it not go out at the first try: asked to wait, in doubt, or over another channel before?"""
    tries = sum(attempt.tries for attempt in notification.attempts)
    return tries > 0 or len(notification.attempts) > 1 or in_doubt(notification)


def _failed(simulator: Simulator) -> set[str]:
    return {bubble.id for phone in simulator.phones.values() for bubble in phone.screen if bubble.state == "failed"}
