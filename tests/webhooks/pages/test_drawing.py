"""Tests that pages are drawn one after another, and leave the event loop to others in between."""

import asyncio
import time

from jinja2 import Environment

from webhooks.pages.drawing import TURN, draw_in_turns

PIECES, SLOW = 100, TURN / 4
PAGE = "{% for _ in range(" + str(PIECES) + ") %}{{ piece(name) }}{% endfor %}"


async def test_others_have_their_turn_while_a_page_is_drawn() -> None:
    environment, rounds = Environment(enable_async=True), 0  # noqa: S701 - nothing is escaped
    draw_in_turns(environment)

    def piece(name: str) -> str:
        time.sleep(SLOW)
        return name

    drawing = asyncio.create_task(environment.from_string(PAGE).render_async(piece=piece, name="a"))
    while not drawing.done():
        await asyncio.sleep(0)
        rounds += 1
    assert await drawing == "a" * PIECES
    assert rounds >= PIECES * SLOW / TURN


async def test_pages_are_drawn_one_after_another() -> None:
    environment, pieces = Environment(enable_async=True), list[str]()  # noqa: S701 - nothing is escaped
    draw_in_turns(environment)

    def piece(name: str) -> str:
        time.sleep(SLOW)
        pieces.append(name)
        return name

    page = environment.from_string(PAGE)
    await asyncio.gather(page.render_async(piece=piece, name="a"), page.render_async(piece=piece, name="b"))
    assert "".join(pieces) == "a" * PIECES + "b" * PIECES


async def test_a_page_that_fails_lets_the_next_one_be_drawn() -> None:
    environment = Environment(enable_async=True)  # noqa: S701 - nothing is escaped
    draw_in_turns(environment)
    results = await asyncio.gather(
        environment.from_string("{{ 1 // 0 }}").render_async(),
        environment.from_string("{{ 1 }}").render_async(),
        return_exceptions=True,
    )
    assert (type(results[0]), results[1]) == (ZeroDivisionError, "1")
