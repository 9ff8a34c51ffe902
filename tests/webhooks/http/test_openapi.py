"""The API's description: it holds together, leaves nothing out, and its page needs no internet."""

import json
import re
from collections import Counter
from typing import Any

import aiohttp
import pytest
from playwright.async_api import async_playwright

from gateway.domain.api.request import Asked
from gateway.domain.api.response import Told
from tests.support.client import Player
from tests.support.processes.chromium import ARGUMENTS
from webhooks.app import create_app

HIDDEN = {"providers.webhook", "metrics.metrics", "openapi", "docs.page", "docs.asset", "links.follow"}
"""Not for callers of the API: messengers, Prometheus, browsers."""

OPEN = {"/healthz", "/readyz", "/api/v1/auth/login", "/api/v1/auth/refresh"}
"""Described as wanting no key."""


async def described(town: Player) -> Any:
    async with aiohttp.ClientSession(town.town.url) as anybody, anybody.get("/openapi.json") as response:
        assert response.status == 200
        return await response.json()


async def test_every_type_that_is_named_is_there(town: Player) -> None:
    description = await described(town)
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(description)))
    assert named <= description["components"]["schemas"].keys()
    assert {"AskedMessage", "AskedStep", "ToldStory", "Mistake"} <= named


async def test_every_route_is_described(town: Player) -> None:
    rules = [rule for rule in create_app(town.town.runtime).url_map.iter_rules() if rule.endpoint not in HIDDEN]
    wanted = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    paths = (await described(town))["paths"]
    there = {(path, method) for path, operations in paths.items() for method in operations}
    assert there == wanted
    for path, method in there:
        operation = paths[path][method]
        assert operation["summary"], (path, method)
        assert any(str(code).startswith("2") for code in operation["responses"]) or "export" in path, (path, method)
        assert ("security" in operation) == (path in OPEN), (path, method)


@pytest.mark.browser
async def test_the_page_opens_without_the_internet(town: Player, chromium: str) -> None:
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = await browser.new_page()
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda line: said.append(line.text))
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(f"{town.town.url}/docs")
        await page.get_by_text("Explain what sending would do", exact=False).first.wait_for()
        await browser.close()
    assert said == []
    assert all(url.startswith((town.town.url, "data:")) for url in asked)


def test_no_two_types_have_one_name() -> None:
    """The description knows them by their names only."""
    kinds = [*everything_under(Told), *everything_under(Asked)]
    names = Counter(kind.__name__ for kind in kinds)
    assert [name for name, count in names.items() if count > 1] == []
    assert len(names) > 60


def everything_under(kind: type) -> set[type]:
    below: set[type] = set(kind.__subclasses__())
    return below.union(*(everything_under(one) for one in below))
