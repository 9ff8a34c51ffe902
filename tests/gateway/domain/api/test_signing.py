"""Tests signatures of callbacks: forgery, changes, age, and two secrets during a rotation."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.domain.api.signing import SIGNATURE, TIMESTAMP, TOLERANCE, Unsigned, sign, verify

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
OLD, NEW, BODY = "an old secret of ours", "a new secret of ours", '{"id": "é"}'.encode()


def test_the_clocks_may_differ_by_five_minutes() -> None:
    """Receivers have copied this figure into their own code."""
    assert timedelta(minutes=5) == TOLERANCE


def test_ours() -> None:
    headers = sign([OLD, NEW], "m1:1", BODY, NOW)
    for secret in (OLD, NEW):
        verify(secret, headers, BODY, NOW + TOLERANCE)
        verify(secret, {name.upper(): value for name, value in headers.items()}, BODY, NOW - TOLERANCE)


@pytest.mark.parametrize(
    ("secret", "header_changes", "body", "delay"),
    [
        ("another", {}, BODY, timedelta(0)),
        (OLD, {}, BODY + b" ", timedelta(0)),
        (OLD, {}, BODY, TOLERANCE + timedelta(seconds=1)),
        (OLD, {}, BODY, -TOLERANCE - timedelta(seconds=1)),
        (OLD, {TIMESTAMP: str(int(NOW.timestamp()) + 1)}, BODY, timedelta(0)),
        (OLD, {TIMESTAMP: ""}, BODY, timedelta(0)),
        (OLD, {TIMESTAMP: "9" * 30}, BODY, timedelta(0)),
        (OLD, {TIMESTAMP: "9" * 12}, BODY, timedelta(0)),
        (OLD, {SIGNATURE: ""}, BODY, timedelta(0)),
        (OLD, {SIGNATURE: "v1=я"}, BODY, timedelta(0)),
    ],
)
def test_not_ours(secret: str, header_changes: dict[str, str], body: bytes, delay: timedelta) -> None:
    with pytest.raises(Unsigned):
        verify(secret, sign([OLD], "m1:1", BODY, NOW) | header_changes, body, NOW + delay)
