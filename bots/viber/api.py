"""Viber's HTTP API as one account calls it. REST Bot API: Authentication token, Send message."""

from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec

from bots.viber.errors import OK, failure, number_of, unreadable_failure
from bots.wire import wire
from gateway.domain.channel.errors import Ambiguous, Refused
from gateway.domain.channel.secret import Secret

MAX_JSON = 30_000
"""Bytes of a request: Viber says 30 kb."""


class Api:
    """Calls under one token. Every call raises SendError."""

    def __init__(self, http: aiohttp.ClientSession, api_url: str, token: Secret) -> None:
        self._http = http
        self._root = api_url.rstrip("/")
        self._token = token

    async def call(self, method: str, request: Mapping[str, object]) -> Mapping[str, Any]:
        """Call a method and return its response, whose status is 0."""
        body = msgspec.json.encode(request)
        if len(body) > MAX_JSON:
            raise Refused(f"the message has {len(body)} bytes, and Viber takes {MAX_JSON}")
        headers = {"X-Viber-Auth-Token": self._token.reveal(), "Content-Type": "application/json"}
        # As UTF-8, because a long text that is not Latin would exceed Viber's limit if it was escaped.
        reply = await wire.call(self._http, "POST", f"{self._root}/{method}", body=body, headers=headers)
        answer = reply.json if isinstance(reply.json, dict) and reply.status == OK else {}
        if "status" not in answer:
            raise unreadable_failure(reply)
        if number_of(answer["status"]) != 0:
            raise failure(answer["status"], answer.get("status_message"))
        return answer


def token_of(answer: Mapping[str, Any]) -> str:
    """Return Viber's 64-bit number of the message, which comes as a number or as a string. Raises Ambiguous."""
    token = answer.get("message_token")
    if not token or not isinstance(token, int | str):
        raise Ambiguous("Viber's answer names no message; it may have been sent")
    return str(token)
