"""Strangers, without a key: whatever they send to a public route, the gateway goes on serving everybody else."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.support.client import ApiClient
from tests.support.hostile.stalls import BLOCKED, watched
from tests.support.http.stranger import Stranger
from webhooks.http.context import API_BODY

PLACES = ("/api/v1/auth/login", "/api/v1/auth/refresh")
WORDS = (
    "unknown field `",
    "missing required field `",
    " - at `$.",
    " - at `key` in `$.",
    "`",
    "https:",
    "{{",
    "\\u0000",
    " ",
)
FRAMES = ('{"%s": 1}', '{"email": "%s"}', '"%s"', "%s")


def largest_bodies(demo: ApiClient) -> dict[str, int]:
    """Return the public routes that read a body, each with the largest that it reads, in bytes."""
    channels = demo.environment.runtime.channels
    webhooks = {f"/webhooks/{name}/demo": channels[name]["demo"].facts.max_body for name in channels}
    return dict.fromkeys(PLACES, API_BODY) | webhooks


def repeated(word: str, frame: str, size: int) -> bytes:
    """Return at most so many bytes in which `word` stands again and again in this frame."""
    return (frame % (word * ((size - len(frame)) // len(word)))).encode()


async def test_a_mistake_is_told_at_once_however_long_the_text_in_it(demo: ApiClient) -> None:
    stranger = Stranger(demo.environment.url)
    with watched() as stalls:
        for place, size in largest_bodies(demo).items():
            for body in (repeated(word, frame, size) for word in WORDS for frame in FRAMES):
                reply = await stranger.ask("POST", place, body)
                assert reply.status in {400, 401, 403}
                assert len(reply.body) < 4000
    assert stalls.longest < BLOCKED


async def test_a_body_in_small_chunks_is_read_beside_everything_else(demo: ApiClient) -> None:
    def chunks(size: int) -> Iterator[bytes]:
        return (b"x" * 512 for _ in range(size // 512))

    stranger = Stranger(demo.environment.url)
    with watched() as stalls:
        for place, size in largest_bodies(demo).items():
            assert (await stranger.ask("POST", place, chunks(size))).status in {400, 401, 403}
    assert stalls.longest < BLOCKED


TARGETS = {
    "//webhooks/telegram/demo": 404,
    "/webhooks//telegram/demo": 401,
    "http://gateway.example/webhooks/telegram/demo": 401,
    "http://gateway.example/webhooks/nobody/demo": 404,
    "http://gateway.example/healthz": 200,
    "http://[": 401,
    "gateway.example:443": 401,
    "*": 401,
    "http://gateway.example": 401,
}
"""Targets in forms that clients seldom use, with the status of a POST, or of a GET where that is what there is."""


async def test_a_target_in_any_form_has_an_answer(demo: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    stranger, statuses = Stranger(demo.environment.url), {}
    for target in TARGETS:
        method = "GET" if target.endswith("healthz") else "POST"
        lines = "Host: gateway.example\r\nConnection: close\r\nContent-Length: 2\r\n"
        raw = await stranger.ask_raw(f"{method} {target} HTTP/1.1\r\n{lines}\r\n{{}}".encode())
        statuses[target] = int(raw.split()[1])
    assert statuses == TARGETS
    assert [record for record in caplog.records if record.exc_info] == []


async def test_every_answer_is_guarded_against_guesses_and_frames(demo: ApiClient) -> None:
    stranger = Stranger(demo.environment.url)
    for path in ("/healthz", "/docs", "/docs/guide", "/openapi.json", "/l/abcdefg", "/api/v1/messages", "/nothing"):
        headers = (await stranger.ask("GET", path)).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert "frame-ancestors" in headers["content-security-policy"], path


@pytest.mark.parametrize(
    ("kind", "status"), [("application/json", 400), ("application/x-www-form-urlencoded", 415), ("text/xml", 415)]
)
async def test_what_is_no_json_and_does_not_say_so_is_of_the_wrong_type(
    demo: ApiClient, kind: str, status: int
) -> None:
    reply = await Stranger(demo.environment.url).ask("POST", PLACES[0], b"email=a", {"Content-Type": kind})
    assert reply.status == status


async def test_a_body_in_chunks_is_not_held_beyond_what_its_route_reads(demo: ApiClient) -> None:
    """Many who send in chunks, without a length, would fill the memory otherwise."""
    most, chunk = 7 * API_BODY, b"x" * 65_536
    stranger = Stranger(demo.environment.url)
    with watched() as stalls:
        replies = await asyncio.gather(
            *(stranger.ask("POST", PLACES[0], (chunk for _ in range(most // len(chunk)))) for _ in range(10))
        )
    assert {reply.status for reply in replies} == {413}
    assert stalls.memory < 10 * 3 * API_BODY
    assert stalls.longest < BLOCKED
