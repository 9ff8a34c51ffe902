"""Reads everything that the API shows, by every GET route of its description."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import jsonschema_rs

from tests.support.client import Caller

VARIANTS: Mapping[str, tuple[Mapping[str, str], ...]] = {
    "/api/v1/deadLetters": ({"kind": "messages"}, {"kind": "events"}, {"kind": "callbacks"}),
    "/api/v1/messages/export": ({"format": "csv"}, {"format": "xlsx"}),
}
"""The queries of routes that show several kinds of things, or in several forms."""

CONTACTS = "/api/v1/contacts"
FILES = "/api/v1/media/{key}"
"""The one route that answers no JSON: it fetches a file, which the corpus only names."""


@dataclass
class Reader:
    """Reads by every route what its lists name. answers: how many answers each route gave. faults: what was wrong.

    An answer is right if it is a 200 that fits the description.
    """

    api: Caller
    description: Mapping[str, Any]
    answers: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def paths(self) -> set[str]:
        """Return the paths of all GET routes but that of files."""
        return {path for path, methods in self.description["paths"].items() if "get" in methods} - {FILES}

    async def read_everything(self, contacts: Mapping[str, str]) -> None:
        """Read all lists, and all that they name. contacts: an identifier of each, by id; there is no list of them."""
        paths, keys = sorted(self.paths), {CONTACTS: [*contacts]}
        for identifier in contacts.values():
            await self.read(CONTACTS, {"identifier": identifier})
        for path in (path for path in paths if "{" not in path and path not in keys):
            keys[path] = [key async for key in self._list(path)]
        for path in (path for path in paths if "{" in path):
            for key in keys[path.partition("/{")[0]]:
                await self.read(path, {}, key)

    async def _list(self, path: str) -> AsyncIterator[str]:
        """Yield the ids in a list, page by page."""
        for variant in VARIANTS.get(path, ({},)):
            query: dict[str, str] = {**variant}
            while True:
                page = await self.read(path, query)
                rows = next((value for value in page.values() if isinstance(value, list)), []) if page else []
                for row in rows:
                    yield row.get("id") or row.get("code", "")
                if not (page and page.get("cursor")):
                    break
                query["cursor"] = page["cursor"]

    async def read(self, path: str, query: Mapping[str, str], key: str = "") -> dict[str, Any] | None:
        """Read one answer. Returns it if it is JSON and right."""
        url = f"{path.partition('{')[0]}{quote(key, safe='')}{path.partition('}')[2]}"
        async with self.api.http.get(url, params=query) as response:
            self.answers[path] = self.answers.get(path, 0) + 1
            if response.status != 200:
                self.faults.append(f"{url}: {response.status} {await response.text()}")
            elif response.content_type == "application/json":
                return self._check(path, url, await response.json())
        return None

    def _check(self, path: str, url: str, answer: dict[str, Any]) -> dict[str, Any] | None:
        described = self.description["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        schema = {**described, "components": self.description["components"]}
        error = next(jsonschema_rs.iter_errors(schema, answer), None)
        if error:
            self.faults.append(f"{url}: {error.message} at {error.instance_path}")
        return None if error else answer


async def opened_reader(api: Caller) -> Reader:
    """Return a reader of this gateway."""
    async with api.http.get("/openapi.json") as response:
        return Reader(api, await response.json())
