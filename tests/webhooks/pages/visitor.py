"""A browser without a screen: signs in to the pages, reads them and sends their forms as they are."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Self

import aiohttp
from bs4 import BeautifulSoup, Tag

from gateway.domain.api.roles import Role
from gateway.people import access
from tests.support.client import ApiClient

PASSWORD = "correct horse battery"


async def add_user(client: ApiClient, email: str, role: Role = Role.OPERATOR) -> None:
    """Make a user of this role, whose password is PASSWORD."""
    runtime = client.environment.runtime
    assert await access.create_user(runtime.db, email, PASSWORD, role, runtime.clock())


@dataclass(frozen=True)
class Answer:
    """What a page answered. address: where the browser ended up, after redirects."""

    status: int
    address: str
    headers: Mapping[str, str]
    text: str

    @property
    def html(self) -> BeautifulSoup:
        """Return the page, parsed."""
        return BeautifulSoup(self.text, "html.parser")

    @property
    def words(self) -> str:
        """Return what a reader sees of the page's main part, with single blanks."""
        main = self.html.find("main")
        return " ".join(main.get_text(" ").split()) if main else ""

    def form(self, action: str) -> Tag:
        """Return the form whose address ends with `action`."""
        forms = [form for form in self.html.find_all("form") if str(form.get("action", "")).endswith(action)]
        assert len(forms) == 1, [form.get("action") for form in self.html.find_all("form")]
        return forms[0]


@dataclass(frozen=True)
class Visitor:
    """A signed-in user without scripts."""

    http: aiohttp.ClientSession
    origin: str

    @classmethod
    @asynccontextmanager
    async def of(cls, client: ApiClient) -> AsyncIterator[Self]:
        """Open a visitor who is not signed in yet."""
        jar = aiohttp.CookieJar(unsafe=True)  # of an address without a name
        async with aiohttp.ClientSession(client.environment.url, cookie_jar=jar) as http:
            yield cls(http, client.environment.url)

    async def sign_in(self, email: str, password: str = PASSWORD) -> Answer:
        """Sign in by the form."""
        return await self.post("/ui/login", {"email": email, "password": password, "next": ""})

    async def get(self, path: str, **headers: str) -> Answer:
        """Open a page."""
        return await _answer(await self.http.get(path, headers=headers))

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> Answer:
        """Send a form's fields as a browser does."""
        headers = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin", **headers}
        return await _answer(await self.http.post(path, data=fields, headers=headers))

    async def upload(self, path: str, fields: dict[str, str], name: str, raw: bytes) -> Answer:
        """Send a form with a file in its field `file`, as a browser does."""
        form = aiohttp.FormData(fields, quote_fields=False)
        form.add_field("file", BytesIO(raw), filename=name, content_type="application/octet-stream")
        headers = {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        return await _answer(await self.http.post(path, data=form, headers=headers))

    async def download(self, path: str) -> bytes:
        """Return a file that a page leads to."""
        async with self.http.get(path) as response:
            assert response.status == 200
            return await response.read()

    async def send(self, form: Tag, button: dict[str, str] | None = None, **fields: str) -> Answer:
        """Fill in a form that a page showed and send it. button: the name and value of the one that is pressed."""
        inputs = [each for each in form.find_all("input") if each.get("name")]
        ticked = [each for each in inputs if each.get("type") not in {"checkbox", "radio"} or each.has_attr("checked")]
        kept = {str(each["name"]): str(each.get("value", "")) for each in ticked}
        return await self.post(str(form["action"]), {**kept, **(button or {}), **fields})


async def _answer(response: aiohttp.ClientResponse) -> Answer:
    async with response:
        return Answer(response.status, response.url.path_qs, response.headers, await response.text())
