"""The guides as pages: each folder's README, rendered at /docs/guide without a key and without the internet."""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from html import escape
from importlib.resources import files
from itertools import pairwise
from posixpath import normpath

from markdown_it import MarkdownIt
from markdown_it.token import Token
from quart import Blueprint, Response, abort
from quart.typing import ResponseReturnValue
from quart_schema import hide

blueprint = Blueprint("guide", __name__)

GUIDES = {
    "api": ("API guide", "webhooks"),
    "channels": ("Channels", "bots"),
    "running": ("Running", "gateway"),
    "storage": ("Storage", "storage"),
}
"""Each guide's title and the package whose README it is, by its name in the address."""

HOME = "/docs/guide"
PLACES = {f"{package}/README.md": f"{HOME}/{name}" for name, (_, package) in GUIDES.items()}
"""Where a file of the repository is shown; the other files are not."""

CSP = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'"
PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title} - Messenger gateway</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/docs/guide.css"></head>
<body><nav><a href="/docs/guide">Guides</a> <a href="/docs">All routes</a></nav>
<main>
{body}</main></body>
</html>
"""
STYLE = """:root { color-scheme: light dark; --line: #8886; --soft: #8882; }
body { margin: 0; padding: 1rem; font: 1rem/1.6 system-ui, sans-serif; overflow-wrap: break-word; }
nav, main { max-width: 60rem; margin: 0 auto; }
nav a { margin-right: 1rem; }
h1, h2, h3 { line-height: 1.25; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
code { font: .875em ui-monospace, monospace; background: var(--soft); padding: .1em .3em; border-radius: .25em; }
pre { overflow-x: auto; padding: .75rem; background: var(--soft); border-radius: .5rem; }
pre code { background: none; padding: 0; }
table { display: block; overflow-x: auto; border-collapse: collapse; }
th, td { padding: .35rem .6rem; border: 1px solid var(--line); text-align: left; vertical-align: top; min-width: 5rem; }
img { max-width: 100%; }
"""


@blueprint.get(HOME)
@hide
async def index() -> ResponseReturnValue:
    """List the guides."""
    return _page("Guides", _listed())


@blueprint.get(f"{HOME}/<name>")
@hide
async def page(name: str) -> ResponseReturnValue:
    """Show a guide."""
    if name not in GUIDES:
        abort(404)
    return _page(GUIDES[name][0], rendered(name))


@blueprint.get("/docs/guide.css")
@hide
async def style() -> ResponseReturnValue:
    """Return the style of these pages."""
    return Response(STYLE, content_type="text/css; charset=utf-8")


@cache
def rendered(name: str) -> str:
    """Return a guide's README as HTML. It is rendered once for each process."""
    package = GUIDES[name][1]
    source = (files(package) / "README.md").read_text("utf-8")
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(source)
    for before, inline in pairwise(tokens):
        if before.type == "heading_open":
            before.attrSet("id", anchor(_text(inline)))
        if inline.children:
            inline.children = list(_linked(inline.children, package))
    return str(parser.renderer.render(tokens, parser.options, {}))


def anchor(heading: str) -> str:
    """Return the name by which links lead to a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _text(inline: Token) -> str:
    return "".join(child.content for child in inline.children or ())


def _linked(tokens: Iterable[Token], package: str) -> Iterator[Token]:
    """Yield the tokens of a text, its links leading to these pages; a link to any other file becomes its text."""
    shown = True
    for token in tokens:
        if token.type == "link_open":
            place = _place(str(token.attrGet("href") or ""), package)
            shown = place is not None
            token.attrSet("href", place or "")
        if shown or token.type not in {"link_open", "link_close"}:
            yield token


def _place(href: str, package: str) -> str | None:
    """Return where a link of this package's README leads to here; None for a file that is not shown."""
    if re.match(r"https?:|#", href):
        return href
    path, _, heading = href.partition("#")
    place = PLACES.get(normpath(f"{package}/{path}"))
    return f"{place}#{heading}" if place and heading else place


def _listed() -> str:
    links = (f'<li><a href="{HOME}/{name}">{escape(title)}</a></li>\n' for name, (title, _) in GUIDES.items())
    return f"<h1>Guides</h1>\n<ul>\n{''.join(links)}</ul>\n"


def _page(title: str, body: str) -> Response:
    html = PAGE.format(title=escape(title), body=body)
    return Response(html, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": CSP})
