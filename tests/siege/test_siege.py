"""Kill -9, again and again: two webs, two workers and their database under load. Then an audit of everybody's books.

`pytest -m faults` runs a short form; `-s` shows the report. For a siege that is to be believed:

    pytest -m faults -s --cycles 50
    pytest -m faults -s --minutes 20 --seed 7
"""

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from tests.player import until
from tests.siege.audit import audit
from tests.siege.camp import Camp, opened_camp
from tests.siege.cycles import Plan, batter
from tests.siege.ledger import Report, ledger
from tests.siege.load import Books, crowd, watch

pytestmark = pytest.mark.faults

ORDER_IS_KEPT = False
"""Does the gateway keep the order of one person's messages across processes? Until it does, it is told only."""

PER_SECOND = 0.8
"""New people; each asks and is told about ten things."""


async def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path, plan: Plan) -> None:
    books, stop = Books(), asyncio.Event()
    async with opened_camp(tmp_path, plan.seed) as camp:
        watching = asyncio.create_task(watch(camp, books))
        async with asyncio.TaskGroup() as group:
            group.create_task(crowd(camp, books, stop, PER_SECOND))
            done = await batter(camp, plan)
            stop.set()
        report = await audited(camp, books)
        watching.cancel()
    report.figures[:0] = [f"seed {plan.seed}", *done, f"{camp.providers.tears} connections to providers torn"]
    print(report)  # noqa: T201 - for those who run it with -s
    assert not report.complaints, str(report)
    assert not (ORDER_IS_KEPT and report.overtaken), str(report)


async def audited(camp: Camp, books: Books) -> Report:
    """The audit, once everything has come to rest."""
    await asyncio.gather(*[simulator.quiet() for simulator in camp.simulators.values()])
    await _at_rest(camp)
    return audit(await ledger(camp, books))


async def _at_rest(camp: Camp) -> None:
    async def idle() -> bool | None:
        due = [await camp.db[name].find_one({"due_at": {"$exists": True}}) for name in ("inbox", "notifications")]
        return None if any(due) else True

    with suppress(TimeoutError):  # the audit says what is left
        await until(idle, patience=60)
