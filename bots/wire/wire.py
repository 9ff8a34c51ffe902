"""Calls providers over the one shared aiohttp session, and says what a broken connection means for a message."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import Any

import aiohttp
import msgspec

from gateway.domain.channel.errors import Ambiguous, Unavailable

TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5)
LONGEST = timedelta(days=1)
"""We wait for no provider longer than this, whatever it asks for, so that date arithmetic cannot overflow."""


@dataclass(frozen=True)
class Reply:
    """A provider's response. `json` is None where the body is not JSON (a proxy's error page, mostly)."""

    status: int
    json: Any
    retry_after: timedelta | None = None


async def call(
    http: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    json: object = None,
    form: Mapping[str, str] | aiohttp.FormData | None = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: aiohttp.ClientTimeout = TIMEOUT,
) -> Reply:
    """Make one request, never repeated here, and return its response.

    Raises Unavailable where no connection was made, so nothing was sent; Ambiguous where the request may have left. The
    error texts carry no URL, because some providers' URLs hold a token.
    """
    try:
        async with http.request(
            method,
            url,
            json=json,
            data=form if body is None else body,
            headers=headers,
            timeout=timeout,
            allow_redirects=False,
        ) as response:
            return Reply(response.status, _json(await response.read()), _retry_after(response.headers))
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL, UnicodeError):
        raise Unavailable("the provider could not be reached") from None
    except TimeoutError:
        raise Ambiguous("the provider did not answer in time; it may have been sent") from None
    except aiohttp.ClientError as error:
        raise Ambiguous(f"the connection broke ({type(error).__name__}); it may have been sent") from None


def straight() -> aiohttp.TraceConfig:
    """Return the configuration that keeps a session from following redirects, whatever library calls over it.

    A redirect would carry the message, and maybe the token, to wherever it leads.
    """
    config: aiohttp.TraceConfig = aiohttp.TraceConfig()
    config.on_request_redirect.append(_refuse_redirect)
    return config


async def _refuse_redirect(
    _: aiohttp.ClientSession, __: SimpleNamespace, params: aiohttp.TraceRequestRedirectParams
) -> None:
    params.response.close()
    raise aiohttp.ClientError("it was redirected")


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Read Retry-After (RFC 9110, 10.2.3): seconds, or a date. Returns None for anything else."""
    value = headers.get("Retry-After", "")
    if value.isascii() and value.isdigit():
        # As a float, because endless digits become infinity there, but are an error as an int.
        return timedelta(seconds=min(float(value), LONGEST.total_seconds()))
    return _until(value, headers.get("Date", "")) if value else None


def _until(moment: str, response_date: str) -> timedelta | None:
    """Return the time from `response_date` to `moment`: both are the provider's, whose clock may differ from ours."""
    try:
        pause = parsedate_to_datetime(moment) - parsedate_to_datetime(response_date)
    except (ValueError, OverflowError, TypeError):
        return None
    return min(max(pause, timedelta(0)), LONGEST)
