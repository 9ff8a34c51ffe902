"""What Viber wants to know of a file that it is to fetch. REST Bot API: Video message, File message."""

import aiohttp

from bots.viber.outbound.pieces import is_picture
from gateway.domain.model.nouns import Media

TIMEOUT = aiohttp.ClientTimeout(total=5)
OK = 200
AS_IT_IS = {"Accept-Encoding": "identity"}
"""Or else the size may be that of a compressed answer."""


async def size_of(files: aiohttp.ClientSession, media: Media) -> int | None:
    """The file's size in bytes, as its own server tells it; None where Viber does not ask, or nobody can say.

    Without a size the file goes as a link, so no trouble here holds a message back.
    """
    if is_picture(media):
        return None
    try:
        async with files.head(media.url, headers=AS_IT_IS, timeout=TIMEOUT, allow_redirects=True) as response:
            return response.content_length if response.status == OK else None
    except (aiohttp.ClientError, TimeoutError, ValueError):  # a host such as a..b is a ValueError
        return None
