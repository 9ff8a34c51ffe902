"""What people send is kept if the settings say so, in pieces that are gone when its time is over."""

from typing import Any

from gateway.messages.media.keeping import sweep
from storage import files
from tests.gateway.messages.media.steps import kept, silent
from tests.support.client import ApiClient, until
from tests.support.files import PAPER, PICTURE, Sample, download, share


async def test_a_file_that_cannot_be_fetched_at_once_is_fetched_later(keeping: ApiClient) -> None:
    runtime = keeping.environment.runtime
    runtime.conversation = silent
    keeping.environment.simulators["whatsapp"].faults.fail(131000, times=2)  # one for the mark that it was read
    file = await share(keeping, "whatsapp", PICTURE)

    async def tried() -> Any:
        stored = await files.get(runtime.db, file["fileId"])
        return stored and stored.tries

    assert await until(tried) == 1
    keeping.pass_time(hours=0.01)
    runtime.file_bell.set()
    await kept(keeping, file["fileId"])


async def test_a_file_that_is_gone_is_not_asked_for_again(keeping: ApiClient) -> None:
    big = Sample("big.pdf", "application/pdf", PAPER.body + bytes(20 * 1024 * 1024))
    file, runtime = await share(keeping, "telegram", big), keeping.environment.runtime

    async def given_up() -> bool:
        stored = await files.get(runtime.db, file["fileId"])
        return stored is not None and "too big" in stored.reason and stored.due_at is None

    await until(given_up)


async def test_when_its_time_is_over_nothing_of_it_is_left(keeping: ApiClient) -> None:
    file, runtime = await share(keeping, "telegram", PAPER), keeping.environment.runtime
    await kept(keeping, file["fileId"])
    await sweep(runtime, runtime.clock())
    assert await runtime.db["contents.chunks"].find_one() is not None
    keeping.pass_time(hours=30 * 24 + 1)
    await sweep(runtime, runtime.clock())
    for name in ("files", "contents.files", "contents.chunks"):
        assert await runtime.db[name].find_one() is None, name


async def test_bytes_that_were_not_written_to_the_end_are_deleted_too(keeping: ApiClient) -> None:
    runtime = keeping.environment.runtime
    file = await share(keeping, "sms", PICTURE)
    await kept(keeping, file["fileId"])
    await runtime.db["contents.files"].delete_one({"_id": file["fileId"]})
    assert (await download(keeping, file["fileId"]))[0] == 410
    keeping.pass_time(hours=30 * 24 + 1)
    await sweep(runtime, runtime.clock())
    assert await runtime.db["contents.chunks"].find_one() is None


async def test_nothing_is_kept_unless_the_settings_say_so(demo: ApiClient) -> None:
    file = await share(demo, "telegram", PICTURE)
    assert await files.get(demo.environment.runtime.db, file["fileId"]) is None
