"""Every error code of VK's, every way the connection can fail, and what each becomes. No error shows a secret."""

import asyncio
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import aiohttp
import pytest
from quart import Quart, Response

from bots.vk.api import Api
from bots.vk.errors import MEANINGS, AccessDenied, RightMissing, refusal
from bots.vk.outbound.sending import Sender
from gateway.domain.channel.errors import (
    Ambiguous,
    Misconfigured,
    Refused,
    SendError,
    Stopped,
    Throttled,
    Unavailable,
    WindowClosed,
)
from gateway.domain.channel.secret import Secret
from gateway.domain.model.nouns import Content
from tests.bots.vk.pair import Pair
from tests.support.http.serving import free_port, served

NEXT: dict[type[SendError], set[int]] = {
    Throttled: {6, 29},
    Unavailable: {1, 9, 10, 22},
    Misconfigured: {2, 3, 5, 14, 17, 27, 28, 42, 203, 984, 1117, 2000},
    RightMissing: {7},
    AccessDenied: {15},
    Refused: {
        *(8, 18, 100, 105, 113, 129, 900, 910, 913, 914, 917, 922, 924, 927, 932, 935, 936, 940, 945, 946),
        *(1012, 3610),
    },
    Stopped: {901, 902, 1021},
    WindowClosed: {943, 944, 950},
    Ambiguous: {36},
}
CONTENT = Content("hi")
TABLE = [(code, error) for error, codes in NEXT.items() for code in sorted(codes)]


def test_no_code_is_left_out() -> None:
    assert {code for code, _ in TABLE} | {911, 912} == set(MEANINGS)


@pytest.mark.parametrize(("vk_text", "ending"), [("New rule", " (New rule)"), ("", "a parameter is missing or wrong")])
def test_vks_own_words_stand_behind_ours(vk_text: str, ending: str) -> None:
    assert str(refusal(100, vk_text)).endswith(ending)


@contextmanager
def expecting_failure(error: type[SendError], pair: Pair, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Check that the block raises exactly this error, and that neither it nor any log holds one of the account's
    secrets.
    """
    with caplog.at_level(logging.DEBUG), pytest.raises(SendError) as failure:
        yield
    assert type(failure.value) is error
    text = "".join(traceback.format_exception(failure.value)) + caplog.text
    for secret in (pair.account.access_token, pair.account.secret):
        assert secret.reveal() not in text


@pytest.mark.parametrize(("code", "error"), TABLE)
async def test_a_code(pair: Pair, caplog: pytest.LogCaptureFixture, code: int, error: type[SendError]) -> None:
    anna = await pair.start_user()
    pair.vk.faults.fail(code)
    with expecting_failure(error, pair, caplog):
        await pair.send(anna, "hi")
    assert pair.vk.accepted == []
    await pair.send(anna, "hi")


@pytest.mark.parametrize(
    ("code", "pause"),
    [(1, None), (6, timedelta(seconds=1)), (9, timedelta(minutes=5)), (10, None), (29, timedelta(hours=1))],
)
async def test_how_long_to_wait(pair: Pair, code: int, pause: timedelta | None) -> None:
    anna = await pair.start_user()
    pair.vk.faults.fail(code)
    with pytest.raises(Unavailable, match=f"VK {code}: ") as failure:
        await pair.send(anna, "hi")
    assert failure.value.retry_after == pause


async def test_too_many_in_a_second(pair: Pair) -> None:
    users = [await pair.start_user(f"+7999{number:07}") for number in range(5)]
    pair.vk.faults.per_second = 3
    results = await asyncio.gather(*(pair.send(user, "hi", key=user) for user in users), return_exceptions=True)
    assert sum(isinstance(result, Throttled) for result in results) == 2
    assert len(pair.vk.accepted) == 3


async def test_what_vk_says_never_tells_the_token(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    """Cover the case that VK repeats the token in its text, as it does in request_params."""
    token = pair.account.access_token.reveal()
    error = {"error_code": 5, "error_msg": f"invalid {token}", "request_params": [{"key": "t", "value": token}]}
    with expecting_failure(Misconfigured, pair, caplog):
        await _send_to_fake(pair, {"error": error})
    with expecting_failure(Refused, pair, caplog):
        await _send_to_fake(pair, {"response": [{"peer_id": 1, "error": {"code": 900, "description": token}}]})


@pytest.mark.parametrize(
    ("json", "error", "words"),
    [
        ({"error": {"error_code": 7777, "error_msg": "New rule"}}, Refused, "VK 7777: New rule"),
        ({"error": {"error_code": "5"}}, Refused, "VK 0: no explanation"),
        ({"error": {}}, Refused, "VK 0: no explanation"),
        ({"response": [{"peer_id": 1, "error": {"code": 901}}]}, Stopped, "VK 901: the person has not allowed"),
        ({"response": [{"peer_id": 1, "message_id": 5}]}, Ambiguous, "named no id"),
        ({"response": [{"peer_id": 1, "conversation_message_id": 0}]}, Ambiguous, "named no id"),
        ({"response": []}, Ambiguous, "named no id"),
        ({"response": 5001}, Ambiguous, "named no id"),
        ({"response": None}, Ambiguous, "named no id"),
        ({"error": "down"}, Ambiguous, "cannot be read"),
        ([], Ambiguous, "cannot be read"),
        ("<html>", Ambiguous, "cannot be read"),
    ],
)
async def test_an_answer(pair: Pair, json: object, error: type[SendError], words: str) -> None:
    with pytest.raises(SendError, match=words) as failure:
        await _send_to_fake(pair, json)
    assert type(failure.value) is error


@pytest.mark.parametrize(
    ("status", "error"),
    [
        *((500, Ambiguous), (502, Ambiguous), (504, Ambiguous), (200, Ambiguous)),
        *((429, Throttled), (413, Refused), (301, Misconfigured), (404, Misconfigured), (403, Misconfigured)),
    ],
)
async def test_a_status(pair: Pair, caplog: pytest.LogCaptureFixture, status: int, error: type[SendError]) -> None:
    with expecting_failure(error, pair, caplog):
        await _send_to_fake(pair, "<html>sorry</html>", status)


async def test_patience_is_passed_on(pair: Pair) -> None:
    with pytest.raises(Throttled) as failure:
        await _send_to_fake(pair, None, 429)
    assert failure.value.retry_after == timedelta(seconds=7)


async def test_an_error_is_one_under_another_status_too(pair: Pair) -> None:
    with pytest.raises(Misconfigured, match="VK 5"):
        await _send_to_fake(pair, {"error": {"error_code": 5, "error_msg": "no"}}, 401)


async def test_where_nobody_listens_nothing_was_sent(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    channel = pair.channel_with(api_url=f"http://127.0.0.1:{free_port()}")
    with expecting_failure(Unavailable, pair, caplog):
        await channel.send(pair.address("1"), CONTENT, key="k1")


async def test_a_late_answer_is_ambiguous(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    anna, account = await pair.start_user(), pair.account
    short = aiohttp.ClientTimeout(total=0.2)
    api = Api(pair.outside.http, account.api_url, account.access_token, account.version, short)
    pair.vk.faults.answer_after = 0.5
    with expecting_failure(Ambiguous, pair, caplog):
        await Sender(api, pair.channel.uploads).send(pair.address(anna), CONTENT, "k1")


async def test_a_wrong_token(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    with expecting_failure(Misconfigured, pair, caplog):
        await pair.channel_with(access_token=Secret("vk1.a.somebody-elses-token")).send(
            pair.address("1"), CONTENT, key="k1"
        )


async def _send_to_fake(pair: Pair, json: object, status: int = 200) -> None:
    """Send to a server in VK's place that answers so."""
    app = Quart("proxy")

    @app.post("/method/messages.send")
    async def answer() -> Response:
        response = app.json.response(json)
        assert isinstance(response, Response)
        response.status_code = status
        response.headers["Retry-After"] = "7"
        return response

    async with served(app) as url:
        await pair.channel_with(api_url=url).send(pair.address("1"), CONTENT, key="k1")
