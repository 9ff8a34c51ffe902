"""The audit, which compares what was promised with the providers' own records."""

from collections import Counter
from collections.abc import Iterator

from gateway.domain.model.notification import Notification, Status
from gateway.domain.model.nouns import Progress
from tests.siege.auditing.answers import check_answers
from tests.siege.auditing.arrivals import check_arrivals
from tests.siege.auditing.books import Order
from tests.siege.auditing.ledger import Ledger, Report, in_doubt

REACHED = {"SENT", "DELIVERED", "READ"}
GIVEN_UP = {"UNDELIVERED", "EXPIRED"}
RANKS = list(Status)
IDEMPOTENT = {"vk"}


def audit(ledger: Ledger, report: Report) -> None:
    for check in (
        add_figures,
        check_promises,
        check_ends,
        check_duplicates,
        check_certainty,
        check_answers,
        check_events,
        check_arrivals,
        check_statuses,
    ):
        check(ledger, report)


def add_figures(ledger: Ledger, report: Report) -> None:
    books, simulators = ledger.books, ledger.simulators
    tries = Counter(
        attempt.progress.name for notification in ledger.notifications.values() for attempt in notification.attempts
    )
    webhooks = Counter(status for simulator in simulators.values() for status, _ in simulator.answers)
    posts = Counter(post.status for post in books.posts)
    slowest = max(post.seconds for post in books.posts)
    report.figures += [
        f"{len(books.orders)} orders, {len(books.questions)} questions, {len(ledger.inbox)} events",
        f"attempts: {dict(tries)}",
        f"orders ended: {dict(Counter(ledger.notifications[o.id].status.name for o in _stored_orders(ledger)))}",
        f"taken by the providers: { {name: len(simulator.accepted) for name, simulator in simulators.items()} }",
        f"webhooks were answered: {dict(sorted(webhooks.items()))} (0: not at all)",
        f"callers were answered: {dict(sorted(posts.items()))}, the slowest after {slowest:.1f} s",
    ]


def check_promises(ledger: Ledger, report: Report) -> None:
    """Check that each 202 is on record, and that a repeated request has created one notification."""
    promised_ids = {order.id for order in ledger.books.orders}
    stored = {notification.id for notification in ledger.notifications.values()} - {
        notification.id for notification in ledger.replies
    }
    report.complaints += [
        f"order {order.number} was accepted and is not on record"
        for order in ledger.books.orders
        if order.id not in stored
    ]
    report.complaints += [f"nobody was promised {extra}" for extra in stored - promised_ids]


def check_ends(ledger: Ledger, report: Report) -> None:
    """Check that every notification has ended with decisions, and that nothing is left in a queue."""
    for notification in ledger.notifications.values():
        if (notification.due_at and not notification.tried_at) or notification.lease:
            report.complaints.append(f"{notification.id} is still in the queue: {_story(notification)}")
        if notification.status not in REACHED | GIVEN_UP or not notification.decisions:
            report.complaints.append(f"{notification.id} has no end: {_story(notification)}")


def check_duplicates(ledger: Ledger, report: Report) -> None:
    """Check that no text arrived twice, unless the record says that the first may have been sent, which is noted."""
    for order in _stored_orders(ledger):
        notification, words = ledger.notifications[order.id], set(order.words)
        accepted_by_channel = {
            channel: accepted for channel in order.channels if (accepted := ledger.accepted_words(channel, words))
        }
        for channel, accepted in accepted_by_channel.items():
            if len(accepted) > len(set(accepted)):
                report.complaints.append(f"order {order.number} was taken twice by {channel}: {_story(notification)}")
        if len(accepted_by_channel) > 1:
            complaint = f"order {order.number} was taken by {' and '.join(accepted_by_channel)}: {_story(notification)}"
            (report.notes if in_doubt(notification) else report.complaints).append(complaint)
        if notification.status in REACHED and order.words not in accepted_by_channel.values():
            report.complaints.append(
                f"order {order.number} is {notification.status}, and no provider took it: {_story(notification)}"
            )


def check_certainty(ledger: Ledger, report: Report) -> None:
    """Check that nothing stays in doubt where the provider recognises a repetition, which is then sent."""
    for notification in ledger.notifications.values():
        unknown = {notification.steps[a.step].channel for a in notification.attempts if a.progress is Progress.UNKNOWN}
        if unknown & IDEMPOTENT:
            report.complaints.append(
                f"{notification.id} was left in doubt, and could have been repeated: {_story(notification)}"
            )


def check_events(ledger: Ledger, report: Report) -> None:
    """Check that every webhook is stored once and processed once."""
    counts = Counter(str(document["_id"]).partition(":")[0] for document in ledger.inbox)
    for name, simulator in ledger.simulators.items():
        if counts[name] != len(simulator.deliveries):
            complaint = f"{name} delivered {len(simulator.deliveries)} events, {counts[name]} are stored"
            report.complaints.append(complaint)
    for document in ledger.inbox:
        if "due_at" in document or "done_at" not in document or "reason" in document:
            report.complaints.append(f"event {document['_id']} was not worked on: {document.get('reason')}")


def check_statuses(ledger: Ledger, report: Report) -> None:
    """Check that an order's statuses in the API only moved forward, up to what is stored now."""
    report.figures.append(
        f"{len(ledger.books.statuses)} orders were watched, {sum(map(len, ledger.books.statuses.values()))} times"
    )
    for key, statuses in ledger.books.statuses.items():
        ranks = [RANKS.index(Status(status)) for status in (*statuses, ledger.notifications[key].status)]
        if ranks != sorted(ranks):
            report.complaints.append(f"{key} went back: {list(dict.fromkeys(statuses))}")


def _stored_orders(ledger: Ledger) -> Iterator[Order]:
    return (order for order in ledger.books.orders if order.id in ledger.notifications)


def _story(notification: Notification) -> str:
    attempts = [
        f"{notification.steps[a.step].channel} {a.progress.name} {a.reason}".strip() for a in notification.attempts
    ]
    return f"{notification.status}; {'; '.join(attempts)}"
