"""VK's API as one community sees it. VK API: Requests, Error codes."""

from collections.abc import Mapping
from typing import Any

import aiohttp

from bots.vk.errors import refusal, too_many
from bots.wire import wire
from gateway.domain.channel.errors import Ambiguous, Misconfigured, Refused, SendError
from gateway.domain.channel.secret import Secret

OK, TOO_MANY, SERVER_ERROR = 200, 429, 500


class Api:
    """Calls under one access token, which is sent in a header only. Every method raises SendError."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        api_url: str,
        token: Secret,
        version: str,
        timeout: aiohttp.ClientTimeout = wire.TIMEOUT,
    ) -> None:
        self._http = http
        self._url = f"{api_url.rstrip('/')}/method"
        self._token = token
        self._version = version
        self._timeout = timeout

    async def call(self, method: str, params: Mapping[str, str]) -> Any:
        """Call a method and return what VK answers under `response`."""
        headers = {"Authorization": f"Bearer {self._token.reveal()}"}
        form = {**params, "v": self._version}
        url = f"{self._url}/{method}"
        reply = await wire.call(self._http, "POST", url, form=form, headers=headers, timeout=self._timeout)
        return self._response(reply)

    def error(self, error: Mapping[str, Any]) -> SendError:
        """Return our error for VK's, of a whole call or of one recipient. Its request_params are left out: they are
        private.
        """
        code = error.get("error_code", error.get("code"))
        vk_text = str(error.get("error_msg", error.get("description", "")))
        return refusal(code if isinstance(code, int) else 0, vk_text.replace(self._token.reveal(), "<token>"))

    def _response(self, reply: wire.Reply) -> Any:
        answer = reply.json if isinstance(reply.json, dict) else {}
        if reply.status == OK and "response" in answer:
            return answer["response"]
        if reply.status < SERVER_ERROR and isinstance(answer.get("error"), dict):
            raise self.error(answer["error"])
        raise _status_error(reply)


def _status_error(reply: wire.Reply) -> SendError:
    """Return the error for a response that VK's API did not send: a proxy did, or an address that is not VK's."""
    match reply.status:
        case status if status == OK or status >= SERVER_ERROR:
            return Ambiguous(f"VK's answer (HTTP {status}) cannot be read; it may have been sent")
        case status if status == TOO_MANY:
            return too_many("VK", reply.retry_after)
        case 413:
            return Refused("VK: the request is too large (HTTP 413)")
    return Misconfigured(f"HTTP {reply.status} is not an answer of VK's API; check api_url")
