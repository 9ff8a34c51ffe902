"""Where each page is, with something on it to be seen: a maker for each endpoint, which returns the page's address."""

from collections.abc import Awaitable, Callable

from tests.support.client import ApiClient

Maker = Callable[[ApiClient], Awaitable[str]]


def fixed(address: str) -> Maker:
    """Return the maker of a page that is always there."""

    async def make(_: ApiClient) -> str:
        return address

    return make


async def a_message(demo: ApiClient) -> str:
    """Send a message whose first channels are skipped, and wait until it is delivered."""
    text = "Your order A-17 is on its way: <b>six</b> o'clock"
    channels = [{"channel": name, "text": text} for name in ("telegram", "whatsapp", "sms")]
    key = await demo.send(*channels)
    await demo.wait_for(key, "DELIVERED")
    return f"/ui/messages/{key}"


PLACES: dict[str, Maker] = {
    "ui.door.show_login": fixed("/ui/login"),
    "ui.messages.show_list": fixed("/ui/messages"),
    "ui.messages.show": a_message,
    "ui.nothing": fixed("/ui/no-such-page"),
}

NO_PAGES = {
    "ui.static.file": "a file",
    "ui.colour_sheet": "a style sheet",
    "ui.front": "it leads to another page",
    "ui.live.stream": "a stream of hints",
}
"""Endpoints that show no page of their own, and what they show."""
