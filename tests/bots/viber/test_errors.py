"""Every status of Viber's, and the error that it becomes. The table is repeated here, so that no mistake is missed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
import pytest
from quart import Quart

from bots.viber.api import Api, token_of
from bots.viber.errors import STATUSES, failure, unreadable_failure
from bots.viber.outbound.broadcast import failures
from bots.wire.wire import Reply
from gateway.domain.channel.errors import Ambiguous, Misconfigured, Refused, SendError, Stopped, Throttled, Unavailable
from gateway.domain.channel.secret import Secret
from gateway.domain.model.nouns import Cause
from tests.bots.viber.pair import ANNA, BORIS, opened_pair, outcomes
from tests.support.http.serving import served

CAUSES = {
    1: Cause.MISCONFIGURED,
    2: Cause.MISCONFIGURED,
    3: Cause.REFUSED,
    4: Cause.REFUSED,
    5: Cause.REFUSED,
    6: Cause.STOPPED,
    7: Cause.MISCONFIGURED,
    8: Cause.MISCONFIGURED,
    9: Cause.MISCONFIGURED,
    10: Cause.MISCONFIGURED,
    11: Cause.REFUSED,
    12: Cause.UNAVAILABLE,
    13: Cause.REFUSED,
    14: Cause.REFUSED,
    15: Cause.MISCONFIGURED,
    16: Cause.REFUSED,
    17: Cause.REFUSED,
    18: Cause.MISCONFIGURED,
    19: Cause.MISCONFIGURED,
    20: Cause.MISCONFIGURED,
    99: Cause.UNAVAILABLE,
}
CLASSES: dict[Cause, type[SendError]] = {
    error.cause: error for error in (Refused, Stopped, Misconfigured, Unavailable, Ambiguous)
}


def test_no_status_is_left_out() -> None:
    assert {*STATUSES} == {*CAUSES} - {99}


@pytest.mark.parametrize(("status", "cause"), CAUSES.items())
async def test_a_message_is_refused(status: int, cause: Cause) -> None:
    async with opened_pair() as pair:
        await pair.subscribers(ANNA)
        pair.server.faults.fail(status)
        with pytest.raises(CLASSES[cause]) as refusal:
            await pair.send()
        assert refusal.value.cause is cause
        assert f"({status}" in str(refusal.value)
        assert isinstance(refusal.value, Throttled) is (status == 12)
        assert pair.server.accepted == []


@pytest.mark.parametrize(("status", "cause"), CAUSES.items())
async def test_one_receiver_of_a_broadcast_is_refused(status: int, cause: Cause) -> None:
    async with opened_pair() as pair:
        await pair.subscribers(ANNA, BORIS)
        pair.server.troubles[pair.anna.user] = status
        error, provider_id = await outcomes(pair.send(), pair.send(phone=BORIS))
        assert isinstance(error, CLASSES[cause])
        assert error.cause is cause
        assert not isinstance(error, Throttled), "the account was let through, to somebody else"
        assert [line.id for line in pair.server.accepted] == [provider_id]
        assert pair.server.broadcasts == 1


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(200, None), Ambiguous),
        (Reply(502, None), Ambiguous),
        (Reply(500, {"status": 0}), Ambiguous),
        (Reply(429, None), Throttled),
        (Reply(404, {"error": "no"}), Misconfigured),
        (Reply(302, None), Misconfigured),
    ],
)
def test_an_answer_that_is_not_vibers(reply: Reply, error: type[SendError]) -> None:
    assert type(unreadable_failure(reply)) is error


def test_how_long_the_account_waits() -> None:
    for retry_after, pause in ((None, 1), (timedelta(seconds=40), 40)):
        error = unreadable_failure(Reply(429, None, retry_after))
        assert isinstance(error, Throttled)
        assert error.retry_after == timedelta(seconds=pause)
    too_many = failure(12, "tooManyRequests")
    assert isinstance(too_many, Throttled)
    assert too_many.retry_after == timedelta(seconds=1)


NO_NUMBER: list[object] = [None, True, False, 0.5, [0], {}, "", "ok", "²", "-1", " 0", "9" * 5000]


@asynccontextmanager
async def serving_status(status: object) -> AsyncIterator[Api]:
    """Serve this status in Viber's place; yield the API."""
    app = Quart("viber")

    @app.post("/send_message")
    async def answer() -> dict[str, object]:
        return {"status": status, "message_token": 5}

    async with served(app) as url, aiohttp.ClientSession() as http:
        yield Api(http, url, Secret("x" * 20))


@pytest.mark.parametrize("status", NO_NUMBER)
async def test_a_status_that_is_no_number_says_nothing(status: object) -> None:
    async with serving_status(status) as api:
        with pytest.raises(Ambiguous, match="no number"):
            await api.call("send_message", {})


async def test_a_status_in_digits_is_that_number() -> None:
    async with serving_status("0") as api:
        assert (await api.call("send_message", {}))["message_token"] == 5
    async with serving_status("6") as api:
        with pytest.raises(Stopped, match=r"\(6"):
            await api.call("send_message", {})
    async with serving_status("99") as api:
        with pytest.raises(Unavailable, match=r"\(99"):
            await api.call("send_message", {})


def test_a_broadcasts_status_is_read_in_the_same_way() -> None:
    statuses = {"anna": "6", "boris": None, "clara": 99}
    entries = [{"receiver": receiver, "status": status} for receiver, status in statuses.items()]
    error_types = {receiver: type(error) for receiver, error in failures({"failed_list": entries}).items()}
    assert error_types == {"anna": Stopped, "boris": Ambiguous, "clara": Unavailable}


@pytest.mark.parametrize("answer", [{}, {"message_token": None}, {"message_token": 0}, {"message_token": [1]}])
def test_an_answer_that_names_no_message(answer: dict[str, object]) -> None:
    with pytest.raises(Ambiguous, match="names no message"):
        token_of(answer)


async def test_every_error_that_the_stand_in_lists_can_be_had() -> None:
    async with opened_pair() as pair:
        assert {int(code) for code in pair.server.errors} == {*CAUSES}
