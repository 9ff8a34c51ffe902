"""Checks that one person's orders arrived in the order in which they were accepted."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from tests.siege.auditing.books import Order
from tests.siege.auditing.ledger import Ledger, Report, was_put_off


def check_arrivals(ledger: Ledger, report: Report) -> None:
    """Check that an order accepted before another was posted arrived before it on the same channel."""
    pairs = 0
    for earlier, later in _successive_pairs(ledger):
        for channel in earlier.channels:
            first, second = ledger.position(channel, earlier), ledger.position(channel, later)
            if first is None or second is None:
                continue
            pairs += 1
            if second < first:
                complaint = f"on {channel} order {later.number} overtook {earlier.number}, which was accepted before"
                is_delayed = was_put_off(ledger.notifications[earlier.id])
                report.overtaken.append(complaint + (" but put off" if is_delayed else ""))
    report.figures.append(f"{pairs} pairs of orders to one person on one channel were compared")


def _successive_pairs(ledger: Ledger) -> Iterator[tuple[Order, Order]]:
    people = defaultdict(list)
    for order in ledger.books.orders:
        people[order.phone].append(order)
    for orders in people.values():
        for first, second in combinations(orders, 2):
            if first.accepted < second.began and first.channels == second.channels:
                yield first, second
