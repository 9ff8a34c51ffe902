"""Calls the stand-in as any client does."""

from typing import Any

from tests.bots.telegram.conftest import Pair


async def call(pair: Pair, method: str, token: str = "", verb: str = "POST", **request: Any) -> tuple[int, Any]:
    """Call a method; return the HTTP status and the JSON body."""
    url = f"{pair.account.api_url}/bot{token or pair.account.token.reveal()}/{method}"
    async with pair.http.request(verb, url, **request) as response:
        return response.status, await response.json()


async def refusal_of(pair: Pair, method: str, **params: Any) -> str:
    """Return the words with which a call is refused."""
    status, answer = await call(pair, method, data=params)
    assert (status, answer["ok"], answer["error_code"]) == (400, False, 400), answer
    assert pair.server.accepted == []
    return str(answer["description"]).removeprefix("Bad Request: ")
