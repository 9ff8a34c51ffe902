"""Every code of Meta's, and the error that it becomes: at once and in a late status."""

from datetime import timedelta

import aiohttp
import pytest
from msgspec.structs import replace
from quart import Quart

from bots.whatsapp import open_accounts
from bots.whatsapp.errors import MEANINGS, refusal
from bots.wire.wire import Reply
from gateway.domain.channel.contract import Outside
from gateway.domain.channel.errors import (
    Ambiguous,
    Misconfigured,
    Refused,
    SendError,
    TemplateUnusable,
    Throttled,
    Unavailable,
    WindowClosed,
)
from gateway.domain.channel.secret import Secret
from gateway.domain.model.nouns import Address, Content, Progress
from tests.bots.whatsapp.pair import Pair
from tests.support.http.serving import free_port, served

TABLE: dict[type[SendError], tuple[int, ...]] = {
    WindowClosed: (131047,),
    TemplateUnusable: (132001, 132007, 132015, 132016),
    Throttled: (4, 80007, 130429),
    Unavailable: (1, 2, 131000, 131016, 131056, 131057, 132069, 133004, 134101),
    Misconfigured: (
        *(0, 3, 10, 33, 190, 200, 299, 368, 2200, 131005, 131031, 131037, 131042, 131044, 131045, 131048, 131064),
        *(133000, 133010, 133016),
    ),
    Refused: (
        *(100, 130403, 130472, 130497, 131008, 131009, 131021, 131026, 131049, 131050, 131051, 131052, 131053),
        *(131062, 131063, 132000, 132005, 132008, 132012, 132018, 132068, 135000),
    ),
}
ROWS = [(code, error) for error, codes in TABLE.items() for code in codes]


@pytest.mark.parametrize(("code", "error"), ROWS)
async def test_a_code_means_the_same_at_once_and_late(pair: Pair, code: int, error: type[SendError]) -> None:
    pair.meta.faults.fail(code)
    with pytest.raises(SendError, match=f"^{code}: ") as refusal:
        await pair.send("hi")
    assert type(refusal.value) is error
    assert not pair.meta.accepted
    pair.meta.fail_late(code)
    await pair.send("hi")
    (receipt,) = await pair.receipts()
    assert (receipt.progress, receipt.cause) == (Progress.FAILED, error.cause)
    assert receipt.reason.startswith(f"{code}: ")


def test_the_table_knows_every_code() -> None:
    ranges = {*range(200, 300), *range(133000, 133017)}
    assert set(MEANINGS) - ranges == {code for code, _ in ROWS} - ranges


@pytest.mark.parametrize(("code", "seconds"), [(131056, 6), (130429, 5), (4, 120), (80007, 120), (134101, 600)])
async def test_meta_wants_us_to_wait(pair: Pair, code: int, seconds: int) -> None:
    pair.meta.faults.fail(code)
    with pytest.raises(Unavailable) as refusal:
        await pair.send("hi")
    assert refusal.value.retry_after == timedelta(seconds=seconds)


async def test_a_code_of_tomorrow_ends_the_attempt(pair: Pair) -> None:
    pair.meta.faults.fail(139999)
    with pytest.raises(Refused, match="139999"):
        await pair.send("hi")


async def test_a_lost_answer_is_ambiguous_and_its_statuses_come(pair: Pair) -> None:
    await pair.receive()
    pair.meta.faults.lose_answers()
    with pytest.raises(Ambiguous, match="502"):
        await pair.send("hi", key="n7.0.0")
    assert [receipt.key for receipt in await pair.receipts()] == ["n7.0.0"] * 3
    assert len(pair.meta.accepted) == 1


async def test_a_token_that_meta_quotes_is_not_told_on(pair: Pair) -> None:
    token = pair.meta.account.access_token.reveal()
    pair.meta.account = replace(pair.meta.account, access_token=Secret("the-token-was-replaced"))
    with pytest.raises(Misconfigured, match="the access token is not accepted") as refusal:
        await pair.send("hi")
    assert token not in repr(refusal.value)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(500, None), Ambiguous),
        (Reply(503, {"message": "upstream"}), Ambiguous),
        (Reply(200, None), Ambiguous),
        (Reply(200, []), Ambiguous),
        (Reply(500, {"error": {"code": 139999}}), Ambiguous),
        (Reply(500, {"error": {"code": 131000}}), Unavailable),
        (Reply(400, {"error": {"code": "100"}}), Misconfigured),
        (Reply(404, None), Misconfigured),
        (Reply(302, None), Misconfigured),
        (Reply(429, None, timedelta(seconds=9)), Throttled),
        (Reply(429, {"error": {"code": 139999}}, timedelta(seconds=9)), Throttled),
        (Reply(400, {"error": {"code": 131056}}, timedelta(seconds=9)), Unavailable),
    ],
)
def test_answers_that_are_not_as_they_should_be(reply: Reply, error: type[SendError]) -> None:
    result = refusal(reply)
    assert type(result) is error
    assert getattr(result, "retry_after", None) == reply.retry_after


@pytest.mark.parametrize("json", [None, {"error": {"code": 139999}}])
def test_a_429_that_names_no_time_holds_the_number_for_some_seconds(json: object) -> None:
    result = refusal(Reply(429, json))
    assert isinstance(result, Throttled)
    assert result.retry_after == timedelta(seconds=5)


async def test_an_answer_without_a_wamid_is_ambiguous(pair: Pair) -> None:
    app = Quart("odd")
    app.add_url_rule("/<path:path>", view_func=_no_wamid, methods=["POST"])
    async with served(app) as url, aiohttp.ClientSession() as http:
        account = replace(pair.meta.account, api_url=url)
        channel = open_accounts({"shop": account}, Outside(http, url, http))["shop"]
        with pytest.raises(Ambiguous, match="names no message"):
            await channel.send(Address("whatsapp", "shop", "79990001122"), Content("hi"), key="k")


async def _no_wamid(path: str) -> dict[str, list[str]]:
    return {"messages": []}


async def test_no_connection_is_safe_to_repeat(pair: Pair) -> None:
    async with aiohttp.ClientSession() as http:
        account = replace(pair.meta.account, api_url=f"http://127.0.0.1:{free_port()}")
        channel = open_accounts({"shop": account}, Outside(http, pair.url, http))["shop"]
        with pytest.raises(Unavailable):
            await channel.send(Address("whatsapp", "shop", "79990001122"), Content("hi"), key="k")
