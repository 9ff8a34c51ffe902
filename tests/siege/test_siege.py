"""Kills two webs, two workers and their database under load again and again, then audits all records.

`pytest -m faults` runs a short form, and `-n 0 -s` shows the report. A longer siege proves more:

    pytest -m faults -n 0 -s --cycles 50
    pytest -m faults -n 0 -s --minutes 20 --seed 7
"""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from tests.siege.actors.callers import poll_statuses
from tests.siege.actors.people import run_crowd
from tests.siege.auditing.audit import audit
from tests.siege.auditing.books import Books
from tests.siege.auditing.ledger import Report, read_ledger
from tests.siege.field.camp import Camp, opened_camp
from tests.siege.field.cycles import Plan, batter
from tests.siege.field.outage import outages
from tests.support.client import until

pytestmark = pytest.mark.faults

BROKE = "Traceback"
"""A word that no log of ours may contain."""

PER_SECOND = 0.6
"""New people per second; each sends and receives about ten messages."""


async def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path, plan: Plan) -> None:
    books, stop, report = Books(), asyncio.Event(), Report([f"seed {plan.seed}"])
    async with opened_camp(tmp_path, plan.seed) as camp:
        polling = asyncio.create_task(poll_statuses(camp, books))
        async with asyncio.TaskGroup() as group:
            group.create_task(run_crowd(camp, books, stop, PER_SECOND))
            await outages(camp, books, 30 if plan.long else 8, report)
            report.figures += await batter(camp, plan)
            stop.set()
        await run_audit(camp, books, report)
        polling.cancel()
        with suppress(asyncio.CancelledError):
            await polling
    print(report)  # noqa: T201 - for those who run it with -s
    assert not report.complaints, str(report)
    assert not report.overtaken, str(report)


async def run_audit(camp: Camp, books: Books, report: Report) -> None:
    """Audit once everything has come to rest."""
    for _ in range(3):  # the last receipts may bring about more of them
        await asyncio.gather(*[simulator.quiet() for simulator in camp.simulators.values()])
        await _wait_for_rest(camp)
        await asyncio.sleep(2)
    report.figures.append(f"{camp.providers.tears} connections to providers torn")
    audit(await read_ledger(camp, books), report)
    report.complaints += [
        f"see {log}: something broke" for log in camp.folder.glob("*.log") if BROKE in log.read_text()
    ]


async def _wait_for_rest(camp: Camp) -> None:
    async def idle() -> bool | None:
        to_do = {"due_at": {"$exists": True}, "tried_at": {"$exists": False}}
        due = [await camp.db[name].find_one(to_do) for name in ("inbox", "notifications")]
        return None if any(due) else True

    with suppress(TimeoutError):  # the audit says what is left
        await until(idle, patience=240)
