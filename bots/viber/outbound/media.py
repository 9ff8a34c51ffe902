"""Finds out the size of a file that Viber is to fetch. REST Bot API: Video message, File message."""

import aiohttp

from bots.viber.outbound.pieces import is_picture
from gateway.domain.model.nouns import Media

TIMEOUT = aiohttp.ClientTimeout(total=5)
OK = 200
UNCOMPRESSED = {"Accept-Encoding": "identity"}
"""Without this the size could be that of a compressed response."""


async def size_of(files: aiohttp.ClientSession, media: Media) -> int | None:
    """Return the file's size in bytes, as its own server states it; None where Viber needs none, or it is unknown.

    Without a size the file is sent as a link, so no failure here holds a message back.
    """
    if is_picture(media):
        return None
    try:
        async with files.head(media.url, headers=UNCOMPRESSED, timeout=TIMEOUT, allow_redirects=True) as response:
            return response.content_length if response.status == OK else None
    except (aiohttp.ClientError, TimeoutError, ValueError):  # a host such as a..b is a ValueError
        return None
