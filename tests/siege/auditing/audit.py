"""The audit: what was promised against what the providers' own books say."""

from collections import Counter
from collections.abc import Iterator

from gateway.domain.model.notification import Notification, Status
from gateway.domain.model.nouns import Progress
from tests.siege.auditing.answers import answers
from tests.siege.auditing.arrivals import arrivals
from tests.siege.auditing.books import Order
from tests.siege.auditing.ledger import Ledger, Report, in_doubt

REACHED = {"SENT", "DELIVERED", "READ"}
GIVEN_UP = {"UNDELIVERED", "EXPIRED"}
RANKS = list(Status)
IDEMPOTENT = {"vk"}


def audit(ledger: Ledger, report: Report) -> None:
    for check in (figures, promises, ends, once, certainty, answers, events, arrivals, statuses):
        check(ledger, report)


def figures(ledger: Ledger, report: Report) -> None:
    books, simulators = ledger.books, ledger.simulators
    tries = Counter(attempt.progress.name for one in ledger.notifications.values() for attempt in one.attempts)
    webhooks = Counter(status for simulator in simulators.values() for status, _ in simulator.answers)
    posts = Counter(post.status for post in books.posts)
    slowest = max(post.seconds for post in books.posts)
    report.figures += [
        f"{len(books.orders)} orders, {len(books.questions)} questions, {len(ledger.inbox)} events",
        f"attempts: {dict(tries)}",
        f"orders ended: {dict(Counter(ledger.notifications[o.id].status.name for o in _kept(ledger)))}",
        f"taken by the providers: { {name: len(one.accepted) for name, one in simulators.items()} }",
        f"webhooks were answered: {dict(sorted(webhooks.items()))} (0: not at all)",
        f"callers were answered: {dict(sorted(posts.items()))}, the slowest after {slowest:.1f} s",
    ]


def promises(ledger: Ledger, report: Report) -> None:
    """Each 202 is on record, and a request that was repeated has made one notification."""
    promised = {order.id for order in ledger.books.orders}
    ours = {one.id for one in ledger.notifications.values()} - {one.id for one in ledger.replies}
    report.complaints += [
        f"order {o.number} was accepted and is not on record" for o in ledger.books.orders if o.id not in ours
    ]
    report.complaints += [f"nobody was promised {extra}" for extra in ours - promised]


def ends(ledger: Ledger, report: Report) -> None:
    """Everything has come to one end, in words, and nothing is left in a queue."""
    for one in ledger.notifications.values():
        if one.due_at or one.lease:
            report.complaints.append(f"{one.id} is still in the queue: {_story(one)}")
        if one.status not in REACHED | GIVEN_UP or not one.decisions:
            report.complaints.append(f"{one.id} has no end: {_story(one)}")


def once(ledger: Ledger, report: Report) -> None:
    """No text reached a person twice, unless it is on record that the first may have been sent; then it is told."""
    for order in _kept(ledger):
        made, words = ledger.notifications[order.id], set(order.words)
        taken = {channel: found for channel in order.channels if (found := ledger.taken(channel, words))}
        for channel, found in taken.items():
            if len(found) > len(set(found)):
                report.complaints.append(f"order {order.number} was taken twice by {channel}: {_story(made)}")
        if len(taken) > 1:
            told = f"order {order.number} was taken by {' and '.join(taken)}: {_story(made)}"
            (report.notes if in_doubt(made) else report.complaints).append(told)
        if made.status in REACHED and order.words not in taken.values():
            report.complaints.append(f"order {order.number} is {made.status}, and no provider took it: {_story(made)}")


def certainty(ledger: Ledger, report: Report) -> None:
    """Where the provider recognises a repetition, nothing stays in doubt: it is sent again, and arrives once."""
    for one in ledger.notifications.values():
        unknown = {one.steps[a.step].channel for a in one.attempts if a.progress is Progress.UNKNOWN}
        if unknown & IDEMPOTENT:
            report.complaints.append(f"{one.id} was left in doubt, and could have been repeated: {_story(one)}")


def events(ledger: Ledger, report: Report) -> None:
    """Every webhook is stored once and worked on once."""
    stored = Counter(str(document["_id"]).partition(":")[0] for document in ledger.inbox)
    for name, simulator in ledger.simulators.items():
        if stored[name] != len(simulator.deliveries):
            told = f"{name} delivered {len(simulator.deliveries)} events, {stored[name]} are stored"
            report.complaints.append(told)
    for document in ledger.inbox:
        if "due_at" in document or "done_at" not in document or "reason" in document:
            report.complaints.append(f"event {document['_id']} was not worked on: {document.get('reason')}")


def statuses(ledger: Ledger, report: Report) -> None:
    """What the API told of an order only moved forward, up to what is stored now."""
    report.figures.append(
        f"{len(ledger.books.seen)} orders were watched, {sum(map(len, ledger.books.seen.values()))} times"
    )
    for key, seen in ledger.books.seen.items():
        ranks = [RANKS.index(Status(status)) for status in (*seen, ledger.notifications[key].status)]
        if ranks != sorted(ranks):
            report.complaints.append(f"{key} went back: {list(dict.fromkeys(seen))}")


def _kept(ledger: Ledger) -> Iterator[Order]:
    return (order for order in ledger.books.orders if order.id in ledger.notifications)


def _story(one: Notification) -> str:
    tried = [f"{one.steps[a.step].channel} {a.progress.name} {a.reason}".strip() for a in one.attempts]
    return f"{one.status}; {'; '.join(tried)}"
