"""Kill -9, again and again: two webs, two workers and their database under load. Then an audit of everybody's books.

`pytest -m faults` runs a short form; `-n 0 -s` shows the report. For a siege that is to be believed:

    pytest -m faults -n 0 -s --cycles 50
    pytest -m faults -n 0 -s --minutes 20 --seed 7
"""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from tests.siege.actors.callers import watch
from tests.siege.actors.people import crowd
from tests.siege.auditing.audit import audit
from tests.siege.auditing.books import Books
from tests.siege.auditing.ledger import Report, ledger
from tests.siege.field.camp import Camp, opened_camp
from tests.siege.field.cycles import Plan, batter
from tests.siege.field.outage import outages
from tests.support.client import until

pytestmark = pytest.mark.faults

BROKE = "Traceback"
"""What no log of ours may hold."""

PER_SECOND = 0.6
"""New people; each asks and is told about ten things."""


async def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path, plan: Plan) -> None:
    books, stop, report = Books(), asyncio.Event(), Report([f"seed {plan.seed}"])
    async with opened_camp(tmp_path, plan.seed) as camp:
        watching = asyncio.create_task(watch(camp, books))
        async with asyncio.TaskGroup() as group:
            group.create_task(crowd(camp, books, stop, PER_SECOND))
            await outages(camp, books, 30 if plan.long else 8, report)
            report.figures += await batter(camp, plan)
            stop.set()
        await audited(camp, books, report)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    print(report)  # noqa: T201 - for those who run it with -s
    assert not report.complaints, str(report)
    assert not report.overtaken, str(report)


async def audited(camp: Camp, books: Books, report: Report) -> None:
    """The audit, once everything has come to rest."""
    for _ in range(3):  # the last receipts may bring about more of them
        await asyncio.gather(*[simulator.quiet() for simulator in camp.simulators.values()])
        await _at_rest(camp)
        await asyncio.sleep(2)
    report.figures.append(f"{camp.providers.tears} connections to providers torn")
    audit(await ledger(camp, books), report)
    report.complaints += [
        f"see {log}: something broke" for log in camp.folder.glob("*.log") if BROKE in log.read_text()
    ]


async def _at_rest(camp: Camp) -> None:
    async def idle() -> bool | None:
        due = [await camp.db[name].find_one({"due_at": {"$exists": True}}) for name in ("inbox", "notifications")]
        return None if any(due) else True

    with suppress(TimeoutError):  # the audit says what is left
        await until(idle, patience=240)
