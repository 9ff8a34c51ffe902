"""Calls to providers over the one shared aiohttp session, and what a broken wire means for a message."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import msgspec

from gateway.domain.channel.errors import Ambiguous, Unavailable

TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5)
LONGEST = timedelta(days=1)
"""No provider is waited for any longer, whatever it asks: sums with dates have to stay dates."""


@dataclass(frozen=True)
class Reply:
    """A provider's answer. `json` is None where the body is not JSON (a proxy's error page, mostly)."""

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
    """One request, never repeated here.

    Raises Unavailable where no connection was made, so nothing was sent; Ambiguous where the request may have
    left. The texts carry no URL: some providers' URLs hold a token.
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


def _json(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """RFC 9110, 10.2.3: seconds, or a date; what is neither is as good as nothing."""
    told = headers.get("Retry-After", "")
    if told.isascii() and told.isdigit():
        # As a float: endless digits are an infinity there, and an error as an int.
        return timedelta(seconds=min(float(told), LONGEST.total_seconds()))
    return _until(told, headers.get("Date", "")) if told else None


def _until(moment: str, sent: str) -> timedelta | None:
    """How far the one is from the other: by the provider's own clock, which need not agree with ours."""
    try:
        pause = parsedate_to_datetime(moment) - parsedate_to_datetime(sent)
    except (ValueError, OverflowError, TypeError):
        return None
    return min(max(pause, timedelta(0)), LONGEST)
