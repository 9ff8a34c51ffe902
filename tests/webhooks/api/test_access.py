"""Access to routes: keys, public routes, and answers to strangers, which reveal nothing."""

from typing import Any

import aiohttp
import pytest

from gateway.domain.api.roles import Role
from storage.access import keys
from tests.support.client import ApiClient

GUARDED = [
    ("POST", "/api/v1/messages"),
    ("GET", "/api/v1/messages/m1"),
    ("OPTIONS", "/api/v1/messages"),
    ("POST", "/api/v1/contacts"),
]
UNKNOWN = [
    ("GET", "/api/v1"),
    ("GET", "/api/v1/nothing"),
    ("GET", "/healthz/"),
    ("GET", "/static/app.js"),
    ("GET", "/webhooks/telegram"),
    ("POST", "/webhooks/telegram/demo/more"),
]
WRONG_METHOD = [
    ("PUT", "/api/v1/messages", {"GET", "HEAD", "POST", "DELETE", "OPTIONS"}),
    ("DELETE", "/api/v1/contacts", {"GET", "HEAD", "POST", "OPTIONS"}),
    ("POST", "/healthz", {"GET", "HEAD", "OPTIONS"}),
    ("PUT", "/webhooks/telegram/demo", {"GET", "HEAD", "POST", "OPTIONS"}),
]
STRANGERS = {
    "no key": None,
    "wrong key": "Bearer gw_0000000000000000000000000000000000000000000",
    "empty": "",
    "no key after the scheme": "Bearer ",
    "no scheme": "{key}",
    "wrong scheme": "Basic {key}",
    "part of the key": "Bearer {half}",
    "more than the key": "Bearer {key} {key}",
    "not ASCII": "Bearer ключ",
}


async def ask(demo: ApiClient, method: str, path: str, authorization: str | None) -> tuple[int, Any, Any]:
    """Send a request with this Authorization header. Returns the answer's status, headers and JSON."""
    headers = {} if authorization is None else {"Authorization": authorization}
    async with (
        aiohttp.ClientSession(demo.environment.url) as http,
        http.request(method, path, headers=headers) as response,
    ):
        return response.status, response.headers, await response.json()


@pytest.mark.parametrize("stranger", STRANGERS)
async def test_strangers_are_refused_and_told_nothing(demo: ApiClient, stranger: str) -> None:
    """Unknown paths and methods too: without a key nobody learns which there are."""
    key = demo.environment.key
    authorization = STRANGERS[stranger]
    authorization = authorization and authorization.format(key=key, half=key[: len(key) // 2])
    answers = []
    for method, path in [*GUARDED, *UNKNOWN, *[(method, path) for method, path, _ in WRONG_METHOD]]:
        status, headers, body = await ask(demo, method, path, authorization)
        assert status == 401, (method, path)
        assert headers["WWW-Authenticate"] == "Bearer"
        answers.append(body)
    assert all(answer == answers[0] for answer in answers)
    assert set(answers[0]) == {"error", "details"}


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_in_any_case(demo: ApiClient, scheme: str) -> None:
    status, _, _ = await ask(demo, "GET", "/api/v1/messages/m1", f"{scheme} {demo.environment.key}")
    assert status == 404


@pytest.mark.parametrize(("method", "path"), UNKNOWN)
async def test_unknown_paths(demo: ApiClient, method: str, path: str) -> None:
    status, headers, body = await ask(demo, method, path, f"Bearer {demo.environment.key}")
    assert (status, headers["Content-Type"]) == (404, "application/json")
    assert set(body) == {"error", "details"}


@pytest.mark.parametrize(("method", "path", "allowed"), WRONG_METHOD)
async def test_wrong_methods(demo: ApiClient, method: str, path: str, allowed: set[str]) -> None:
    status, headers, body = await ask(demo, method, path, f"Bearer {demo.environment.key}")
    assert status == 405
    assert set(headers["Allow"].split(", ")) == allowed
    assert set(body) == {"error", "details"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_is_public(demo: ApiClient, path: str) -> None:
    status, _, body = await ask(demo, "GET", path, None)
    assert (status, body.get("alive") or body.get("ready")) == (200, True)


async def test_webhooks_are_public_and_want_the_providers_proof(demo: ApiClient) -> None:
    for channel in demo.environment.simulators:
        status, headers, body = await ask(demo, "POST", f"/webhooks/{channel}/demo", f"Bearer {demo.environment.key}")
        assert status in {401, 403}
        assert body == {"error": "The proof is missing or wrong.", "details": None}
        assert (await ask(demo, "POST", f"/webhooks/{channel}/nobody", None))[0] == 404
        assert headers["Content-Type"] == "application/json"


async def test_a_revoked_key_is_dead_at_once(demo: ApiClient) -> None:
    db, now = demo.environment.runtime.db, demo.environment.runtime.clock()
    first, second, other = [await keys.create_key(db, name, now, Role.SENDER) for name in ("shop", "shop", "office")]
    statuses = [await ask(demo, "GET", "/api/v1/messages/m1", f"Bearer {key}") for key in (first, second, other)]
    assert [status for status, _, _ in statuses] == [404, 404, 404]
    assert await keys.revoke_keys(db, "shop") == 2
    statuses = [await ask(demo, "GET", "/api/v1/messages/m1", f"Bearer {key}") for key in (first, second, other)]
    assert [status for status, _, _ in statuses] == [401, 401, 404]


async def test_keys_are_stored_as_digests(demo: ApiClient) -> None:
    stored = [document async for document in demo.environment.runtime.db["keys"].find()]
    assert stored
    assert demo.environment.key not in str(stored)
