"""Files of each kind, and the steps by which tests have people send them and clients get them."""

from typing import Any, NamedTuple

from tests.support.client import PHONE, ApiClient, until


class Sample(NamedTuple):
    """A file: its name, its content type, and its bytes."""

    name: str
    content_type: str
    body: bytes


PICTURE = Sample("photo.png", "image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 40)
SOUND = Sample("voice.ogg", "audio/ogg", b"OggS\0\2" + bytes(22) + b"\x01\x13OpusHead" + bytes(range(256)))
VIDEO = Sample("film.mp4", "video/mp4", b"\0\0\0\x18ftypisom\0\0\2\0isomiso2mp41" + bytes(range(256)) * 9)
PAPER = Sample("Договор 7.pdf", "application/pdf", b"%PDF-1.7\n" + bytes(range(256)) * 300)


async def share(demo: ApiClient, channel: str, sample: Sample, claimed: str = "") -> dict[str, Any]:
    """Let the person send a file on this channel. Returns it as the chat log shows it."""
    simulator = demo.environment.simulators[channel]
    user = simulator.user_of(PHONE)
    session = f"{channel}:demo:{simulator.known_as(user)}"
    before = await last_file(demo, session)
    await simulator.share_file(user, sample.body, sample.name, claimed or sample.content_type)

    async def shared() -> Any:
        file = await last_file(demo, session)
        return file if file != before else None

    return dict(await until(shared))


async def last_file(demo: ApiClient, session: str) -> Any:
    """Return the latest file that a person has sent in this conversation; None if there is none yet."""
    async with demo.http.get(f"/api/v1/sessions/{session}/messages") as response:
        lines = (await response.json()).get("messages", [])
    return next((line["media"] for line in lines if line["direction"] == "in" and line["media"]), None)


async def download(demo: ApiClient, key: str) -> tuple[int, dict[str, str], bytes]:
    """Get a file by its id. Returns the status, the headers and the body."""
    return await get(demo, f"/api/v1/media/{key}")


async def get(demo: ApiClient, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """Get a path. Returns the status, the headers and the body."""
    async with demo.http.request(method, path) as response:
        return response.status, dict(response.headers), await response.read()
