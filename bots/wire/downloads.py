"""Downloads files that people sent from where their provider keeps them, piece by piece, so that none is held whole."""

from collections.abc import AsyncGenerator, Mapping
from urllib.parse import urljoin

import aiohttp

from bots.wire.files import CHUNK, OK, SERVER_ERROR, TOO_MANY, TooLarge, failures
from gateway.domain.channel.errors import Misconfigured, Refused, SendError, Unavailable

LARGEST = 100 * 1024 * 1024
"""Bytes: the largest file that we take from a provider, which is the largest that any of them passes on to us."""

TIMEOUT = aiohttp.ClientTimeout(total=600, sock_connect=5, sock_read=30)
"""Whoever downloads from us may be slow, and then we read slowly, too."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})
NOT_ALLOWED = frozenset({401, 403})
GONE = "the provider does not have the file any more"

Pieces = AsyncGenerator[bytes, None]


async def download(
    http: aiohttp.ClientSession,
    url: str,
    headers: Mapping[str, str] | None = None,
    onward: aiohttp.ClientSession | None = None,
) -> Pieces:
    """Yield the bytes of the file at `url`. Raises SendError: Refused where it cannot be had any more.

    headers: the proof of access, which goes to this address and no further. onward: the session in which a redirect is
    followed, without them; without one, `http` follows redirects itself, if it may.
    """
    with failures():
        async with http.get(url, headers=headers, timeout=TIMEOUT, allow_redirects=not headers) as response:
            target = urljoin(url, response.headers.get("Location", ""))
            if not (headers and onward and response.status in REDIRECTS):
                async for piece in _pieces(response, has_proof=bool(headers)):
                    yield piece
                return
        async for piece in download(onward, target):
            yield piece


async def _pieces(response: aiohttp.ClientResponse, *, has_proof: bool) -> Pieces:
    """Yield a response's body. Raises Refused as soon as it is too large, whatever Content-Length claims."""
    if response.status != OK:
        raise _refusal(response.status, has_proof=has_proof)
    size, too_large = 0, TooLarge(f"the file has more than {LARGEST // 1024**2} MB")
    if (response.content_length or 0) > LARGEST:
        raise too_large
    async for chunk in response.content.iter_chunked(CHUNK):
        size += len(chunk)
        if size > LARGEST:
            raise too_large
        yield chunk


def _refusal(status: int, *, has_proof: bool) -> SendError:
    """Return what a status means. An address that carries its own proof is refused once it has expired."""
    if status >= SERVER_ERROR or status == TOO_MANY:
        return Unavailable(f"the file's server answers {status}")
    if status in NOT_ALLOWED and has_proof:
        return Misconfigured(f"the provider does not let us have the file: it answers {status}")
    return Refused(f"{GONE}: its server answers {status}")
