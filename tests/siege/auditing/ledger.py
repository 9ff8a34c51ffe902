"""The input of the audit: the books of callers and people, the providers' records, and our own database."""

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

    def accepted_words(self, channel: str, words: set[str]) -> list[str]:
        """Return which of these words the provider accepted, in its order, except in messages it reported as failed."""
        lost = _failed_ids(self.simulators[channel])
        messages = [message for message in self.simulators[channel].accepted if message.id not in lost]
        return [word for message in messages for word in WORD.findall(message.text) if word in words]

    def position(self, channel: str, order: Order) -> int | None:
        """Return the index of the provider's first message of this order, None if there is none."""
        for index, message in enumerate(self.simulators[channel].accepted):
            if order.words[0] in WORD.findall(message.text):
                return index
        return None

    def accepted_for(self, channel: str, user: str) -> list[Accepted]:
        """Return the messages that the provider accepted for a person."""
        return [message for message in self.simulators[channel].accepted if message.user == user]


@dataclass
class Report:
    """The audit's result: violations (complaints), permitted cases worth a note, and messages out of order."""

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


async def read_ledger(camp: Camp, books: Books) -> Ledger:
    notifications = [from_document(Notification, document) async for document in camp.db["notifications"].find()]
    inbox = [document async for document in camp.db["inbox"].find()]
    return Ledger(books, camp.simulators, {notification.id: notification for notification in notifications}, inbox)


def in_doubt(notification: Notification) -> bool:
    """Return whether the record says that a part of this may have been sent."""
    unsure = any(attempt.progress is Progress.UNKNOWN or attempt.unsure_from for attempt in notification.attempts)
    return unsure or any(DOUBT in decision.text for decision in notification.decisions)


def was_put_off(notification: Notification) -> bool:
    """Return whether it did not go out at the first try: retried, in doubt, or after another channel."""
    tries = sum(attempt.tries for attempt in notification.attempts)
    return tries > 0 or len(notification.attempts) > 1 or in_doubt(notification)


def _failed_ids(simulator: Simulator) -> set[str]:
    return {bubble.id for phone in simulator.phones.values() for bubble in phone.screen if bubble.state == "failed"}
