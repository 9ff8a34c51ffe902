"""Every error code, and the error that it becomes."""

from datetime import timedelta

import pytest

from bots.sms.errors import CODES, delivery_failure, failure
from bots.wire.wire import Reply
from gateway.domain.channel.errors import Ambiguous, Misconfigured, Refused, SendError, Stopped, Throttled, Unavailable
from gateway.domain.model.nouns import Cause

NEXT: dict[type[SendError], set[int]] = {
    Refused: {
        *(21211, 21217, 21265, 21266, 21408, 21602, 21604, 21608, 21612, 21614, 21617, 21635),
        *(30004, 30005, 30006, 30007, 30008, 30032, 30034, 30036),
    },
    Stopped: {21610},
    Throttled: {20429, 21611},
    Unavailable: {14107, 30001, 30003, 30017, 30022, 30023, 30500},
    Misconfigured: {
        *(10001, 20003, 20005, 20404, 21212, 21603, 21606, 21609, 21616, 21659, 21660, 21661),
        *(21701, 21704, 21705, 30002),
    },
    Ambiguous: {30410},
}
TABLE = [(code, error) for error, codes in NEXT.items() for code in sorted(codes)]


def test_no_code_is_left_out() -> None:
    assert {code for code, _ in TABLE} == set(CODES)


@pytest.mark.parametrize(("code", "error"), TABLE)
def test_a_code(code: int, error: type[SendError]) -> None:
    result = failure(Reply(400, {"code": code, "message": "in Twilio's words", "status": 400}))
    assert type(result) is error
    assert str(code) in str(result)
    assert delivery_failure(str(code)) == (error.cause, str(result))


@pytest.mark.parametrize(
    ("status", "json", "error", "words"),
    [
        (400, {"code": 29999, "message": "New rule"}, Refused, "HTTP 400: New rule"),
        (401, None, Misconfigured, "HTTP 401: no explanation"),
        (404, None, Misconfigured, "HTTP 404: no explanation"),
        (302, None, Misconfigured, "HTTP 302: no explanation"),
        (429, None, Throttled, "HTTP 429: no explanation"),
        (500, {"code": 21211}, Ambiguous, "this is not a phone number (21211); it may have been sent"),
        (502, None, Ambiguous, "HTTP 502: no explanation; it may have been sent"),
        (400, {"code": "21211", "message": None}, Refused, "HTTP 400: no explanation"),
        (400, ["surprise"], Refused, "HTTP 400: no explanation"),
    ],
)
def test_a_status(status: int, json: object, error: type[SendError], words: str) -> None:
    result = failure(Reply(status, json))
    assert (type(result), str(result)) == (error, words)


def test_patience_is_passed_on() -> None:
    error = failure(Reply(429, {"code": 20429}, timedelta(seconds=7)))
    assert isinstance(error, Throttled)
    assert error.retry_after == timedelta(seconds=7)


@pytest.mark.parametrize(("status", "code", "seconds"), [(429, 20429, 1), (400, 21611, 60), (429, 0, 1)])
def test_how_long_the_account_waits(status: int, code: int, seconds: int) -> None:
    error = failure(Reply(status, {"code": code}))
    assert isinstance(error, Throttled)
    assert error.retry_after == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("code", "words"), [("", "not delivered"), ("39999", "not delivered (39999)"), ("²", "not delivered (²)")]
)
def test_a_receipt_of_an_unknown_failure(code: str, words: str) -> None:
    assert delivery_failure(code) == (Cause.REFUSED, words)
