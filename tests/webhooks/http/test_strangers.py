"""Strangers, without a key: whatever they send to a public route, the gateway goes on serving everybody else."""

from collections.abc import Iterator

from tests.support.client import ApiClient
from tests.support.http.stranger import Stranger
from tests.support.stalls import BLOCKED, watched
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
