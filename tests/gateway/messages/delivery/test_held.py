"""What waits for a held account is counted and made due up to a bound, however much there is."""

from datetime import timedelta

from gateway.domain.model.notification import Priority, lane_of
from gateway.messages.delivery.held import MOST
from gateway.runtime.runtime import Clock
from storage.documents.documents import Db
from storage.messages import waiting

ACCOUNT, LANE = "sms:main", lane_of(Priority.NORMAL)


async def test_a_thousand_of_more_that_wait_are_made_due(db: Db) -> None:
    now = Clock()().replace(microsecond=0)
    later = now + timedelta(minutes=10)
    kinds = {"waits": {"fifo": ACCOUNT}, "elsewhere": {"fifo": "vk:main"}, "leased": {"fifo": ACCOUNT, "lease": "x"}}
    rows = [("waits", number) for number in range(MOST + 200)] + [(kind, 0) for kind in ("elsewhere", "leased")]
    await db["notifications"].insert_many(
        [{"_id": f"{kind}-{number}", "lane": LANE, "due_at": later, **kinds[kind]} for kind, number in rows]
    )
    found = await waiting.of_account(db, ACCOUNT, later, MOST)
    assert len(found) <= MOST
    await waiting.hasten(db, ACCOUNT, [each.id for each in found], now)
    due = {each["_id"] async for each in db["notifications"].find({"lane": LANE, "due_at": now})}
    assert due == {each.id for each in found}
    await waiting.hasten(db, ACCOUNT, ["elsewhere-0", "leased-0"], now)
    assert (
        await db["notifications"].count_documents({"_id": {"$in": ["elsewhere-0", "leased-0"]}, "due_at": later}) == 2
    )
    assert await waiting.of_account(db, ACCOUNT, later - timedelta(seconds=1), MOST) == found
