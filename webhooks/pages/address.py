"""A page's own address, at which it can be read again: a form that is shown once more stands at another one."""

from quart import current_app, request, url_for
from werkzeug.routing import Map, Rule

FRONT = "ui.front"

LOOK_AT = "lookAt"
"""The detail of a refusal that has the address of a page where one can go on."""


def own_address() -> str:
    """Return the address at which the page that this request is answered with can be read again."""
    if request.method in {"GET", "HEAD"}:
        return request.full_path.rstrip("?")
    page = page_of(current_app.url_map, request.url_rule.rule if request.url_rule else "")
    given = request.view_args or {}
    return url_for(page.endpoint, **{name: given[name] for name in page.arguments})


def page_of(routes: Map, rule: str) -> Rule:
    """Return the page that a form belongs to: the one with the longest beginning of its route, else the first page."""
    pages = {page.rule: page for page in routes.iter_rules() if "GET" in (page.methods or ())}
    while rule and rule not in pages:
        rule = rule.rpartition("/")[0]
    return pages.get(rule) or next(routes.iter_rules(FRONT))
