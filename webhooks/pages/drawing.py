"""Draws pages in short turns, one page at a time, so that they keep no webhook waiting."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from jinja2 import Environment, Template

TURN = 0.004
"""Seconds that a page is drawn at a stretch. An answer to a webhook waits for several turns."""


def draw_in_turns(environment: Environment) -> None:
    """Let the templates of this environment be drawn so.

    One at a time: twenty people who read a page on the same hint would have a turn of each in between any two of
    somebody else's.
    """
    one_at_a_time = asyncio.Lock()

    class InTurns(Template):
        async def render_async(self, *args: Any, **kwargs: Any) -> str:
            async with one_at_a_time:
                return self.environment.concat(
                    [piece async for piece in _in_turns(self.generate_async(*args, **kwargs))]
                )

    environment.template_class = InTurns


async def _in_turns(pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    began = time.perf_counter()
    async for piece in pieces:
        yield piece
        if time.perf_counter() - began > TURN:
            await asyncio.sleep(0)
            began = time.perf_counter()
