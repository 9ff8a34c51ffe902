"""Formatted texts: what the server makes of HTML and Markdown. Bot API: Formatting options."""

from collections.abc import Callable, Mapping

from bots.telegram.simulator.markup.html import parse_html
from bots.telegram.simulator.markup.markdown import parse_markdown, parse_old_markdown
from bots.telegram.simulator.markup.writer import Marked

PARSERS: Mapping[str, Callable[[str], Marked]] = {
    "html": parse_html,
    "markdown": parse_old_markdown,
    "markdownv2": parse_markdown,
}
"""The parser of each parse mode, by its name in lower case."""
