"""Finds out what a file is that Viber is to fetch. REST Bot API: Picture message, Video message, File message."""

from typing import NamedTuple

import aiohttp

from gateway.domain.model.nouns import Media

TIMEOUT = aiohttp.ClientTimeout(total=5)
OK = 200
UNCOMPRESSED = {"Accept-Encoding": "identity"}
"""Without this the size could be that of a compressed response."""


class Remote(NamedTuple):
    """What a file's own server says of it: bytes, and content type."""

    size: int
    content_type: str


async def look_at(files: aiohttp.ClientSession, media: Media) -> Remote | None:
    """Return what the file's own server says of it; None where it does not say.

    Without a size a file is sent as a link, so no failure here holds a message back.
    """
    try:
        async with files.head(media.url, headers=UNCOMPRESSED, timeout=TIMEOUT, allow_redirects=True) as response:
            size = response.content_length if response.status == OK else None
            return Remote(size, response.content_type) if size else None
    except (aiohttp.ClientError, TimeoutError, ValueError):  # a host such as a..b is a ValueError
        return None
