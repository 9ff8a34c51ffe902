"""The API's description: it is consistent and complete, and its page needs no internet."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import async_playwright

from gateway.domain.api.request import Input
from gateway.domain.api.response import View
from tests.support.client import ApiClient
from tests.support.docs import compare, table
from tests.support.processes.chromium import ARGUMENTS
from webhooks.app import create_app
from webhooks.http.cookie import PAGES

OPERATIONS, FIELDS = (Path(__file__).with_name(name) for name in ("operations.md", "fields.md"))
BOUNDS = ("minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "exclusiveMinimum", "default", "enum")

ERRORS = {"400", "401", "403", "404", "405", "409", "413", "415", "429", "503"}
"""What any operation may answer instead."""

HIDDEN = {
    "docs.front",
    "providers.webhook",
    "metrics.metrics",
    "openapi",
    "docs.page",
    "docs.asset",
    "guide.index",
    "guide.page",
    "guide.style",
    "links.follow",
    "media.follow",
}
"""Routes that are not for API clients, but for messengers, Prometheus and browsers."""

OPEN = {"/healthz", "/readyz", "/api/v1/auth/login", "/api/v1/auth/refresh"}
"""Routes that are described as needing no key."""


async def fetch_description(demo: ApiClient) -> Any:
    """Return /openapi.json, as a stranger gets it."""
    async with aiohttp.ClientSession(demo.environment.url) as stranger, stranger.get("/openapi.json") as response:
        assert response.status == 200
        return await response.json()


async def test_every_type_that_is_named_is_there(demo: ApiClient) -> None:
    description = await fetch_description(demo)
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(description)))
    assert named <= description["components"]["schemas"].keys()
    assert {"MessageInput", "StepInput", "StoryResponse", "ErrorResponse"} <= named


async def test_what_each_operation_takes_and_answers(demo: ApiClient, request: pytest.FixtureRequest) -> None:
    """The table says it in a line each, so that nothing of it changes unseen; `--renew-tables` writes it anew."""
    paths = (await fetch_description(demo))["paths"]
    lines = [
        (f"{method.upper()} {path}", taken(operation), answered(operation))
        for path, methods in sorted(paths.items())
        for method, operation in sorted(methods.items())
    ]
    compare(OPERATIONS, table(("operation", "takes", "answers"), lines), request)


async def test_the_bounds_of_each_field(demo: ApiClient, request: pytest.FixtureRequest) -> None:
    """A bound or a default is a promise: the table says it in a line each; `--renew-tables` writes it anew."""
    description = await fetch_description(demo)
    parameters = {
        f"{method.upper()} {path}": {field["name"]: field["schema"] for field in operation.get("parameters", ())}
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    }
    schemas = description["components"]["schemas"].items()
    properties = {name: schema.get("properties", {}) for name, schema in schemas} | parameters
    lines = [
        (owner, name, bounds)
        for owner, fields in sorted(properties.items())
        for name, schema in sorted(fields.items())
        if (bounds := bounded(schema))
    ]
    compare(FIELDS, table(("of", "field", "bounds"), lines), request)


def bounded(schema: Any) -> str:
    """Return the bounds of a field, of its items and of each of its forms."""
    own = [f"{name} {json.dumps(schema[name])}" for name in BOUNDS if name in schema]
    inner = [schema.get("items"), schema.get("additionalProperties"), *schema.get("anyOf", ())]
    return ", ".join([*own, *(words for each in inner if isinstance(each, dict) and (words := bounded(each)))])


def taken(operation: Any) -> str:
    """Return the fields of an operation's query and headers, and the types of its body."""
    named = [f"{field['in']} {field['name']}" for field in operation.get("parameters", ()) if field["in"] != "path"]
    return ", ".join([*named, *shapes(operation.get("requestBody", {}))])


def answered(operation: Any) -> str:
    """Return each status with the types of its answer, without the errors that any operation may answer."""
    answers = {status: shapes(answer) for status, answer in sorted(operation["responses"].items())}
    assert answers.keys() >= ERRORS
    return ", ".join(" ".join([status, *kinds]) for status, kinds in answers.items() if not is_usual(status, kinds))


def is_usual(status: str, kinds: list[str]) -> bool:
    return status in ERRORS and kinds == ["ErrorResponse"]


def shapes(part: Any) -> list[str]:
    """Return the name of each schema of a body; a content type where the schema has no name."""
    contents = part.get("content", {})
    return [body.get("schema", {}).get("$ref", kind).rpartition("/schemas/")[2] for kind, body in contents.items()]


async def test_every_route_is_described(demo: ApiClient) -> None:
    routes = create_app(demo.environment.runtime).url_map.iter_rules()
    rules = [rule for rule in routes if rule.endpoint not in HIDDEN and not rule.endpoint.startswith(f"{PAGES}.")]
    expected = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    paths = (await fetch_description(demo))["paths"]
    operations = {(path, method) for path, methods in paths.items() for method in methods}
    assert operations == expected
    for path, method in operations:
        operation = paths[path][method]
        assert operation["summary"], (path, method)
        assert any(str(code).startswith("2") for code in operation["responses"]) or "export" in path, (path, method)
        assert ("security" in operation) == (path in OPEN), (path, method)


@pytest.mark.browser
async def test_the_page_opens_without_the_internet(demo: ApiClient, chromium: str) -> None:
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = await browser.new_page()
        console: list[str] = []
        urls: list[str] = []
        page.on("console", lambda line: console.append(line.text))
        page.on("request", lambda request: urls.append(request.url))
        await page.goto(f"{demo.environment.url}/docs")
        await page.get_by_text("Explain what sending would do", exact=False).first.wait_for()
        await browser.close()
    assert console == []
    assert all(url.startswith((demo.environment.url, "data:")) for url in urls)


def test_no_two_types_have_one_name() -> None:
    """The description identifies types by their names only."""
    kinds = [*subclasses(View), *subclasses(Input)]
    names = Counter(kind.__name__ for kind in kinds)
    assert [name for name, count in names.items() if count > 1] == []
    assert len(names) > 60


def subclasses(kind: type) -> set[type]:
    direct: set[type] = set(kind.__subclasses__())
    return direct.union(*map(subclasses, direct))
