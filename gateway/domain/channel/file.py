"""A file of ours as a channel gets it, to hand it on to its provider."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.domain.channel.errors import Refused


@dataclass(frozen=True)
class File:
    """A file's bytes, its content type, and its name as people read it."""

    name: str
    content_type: str
    body: bytes


Load = Callable[[str], Awaitable[File]]
"""Returns an uploaded file by its id. Raises Refused where there is none any more."""


async def load_nothing(key: str) -> File:  # noqa: ARG001 - there are no files
    """Raise Refused: what a channel is given that is opened outside of a gateway."""
    raise Refused("there are no uploaded files here")
