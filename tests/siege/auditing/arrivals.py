"""Did the orders of one person arrive in the order in which they were accepted?"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from tests.siege.auditing.books import Order
from tests.siege.auditing.ledger import Ledger, Report, was_put_off


def arrivals(ledger: Ledger, report: Report) -> None:
    """On one channel, what was accepted before another was asked for arrives before it."""
    pairs = 0
    for earlier, later in _pairs(ledger):
        for channel in earlier.channels:
            first, second = ledger.line(channel, earlier), ledger.line(channel, later)
            if first is None or second is None:
                continue
            pairs += 1
            if second < first:
                told = f"on {channel} order {later.number} overtook {earlier.number}, which was accepted before"
                put_off = was_put_off(ledger.notifications[earlier.id])
                report.overtaken.append(told + (" but put off" if put_off else ""))
    report.figures.append(f"{pairs} pairs of orders to one person on one channel were compared")


def _pairs(ledger: Ledger) -> Iterator[tuple[Order, Order]]:
    people = defaultdict(list)
    for order in ledger.books.orders:
        people[order.phone].append(order)
    for orders in people.values():
        for one, other in combinations(orders, 2):
            if one.accepted < other.began and one.channels == other.channels:
                yield one, other
