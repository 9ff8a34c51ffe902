"""Downloads files that callers point at, for providers that want the bytes and not the address.

Callers choose the address, so fetching must not become their way into our own network: an address that is not public
is refused at the moment of the connection, which no name, redirect or second answer of a DNS server gets around.
"""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from ipaddress import ip_address
from mimetypes import guess_extension
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
from msgspec.structs import replace

from gateway.domain.channel.errors import Refused, Unavailable
from gateway.domain.channel.file import File
from gateway.domain.channel.web import is_public
from gateway.domain.model.nouns import Content, Media

MOST = 50 * 1024 * 1024
"""Bytes: the largest file that we pass on."""

TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=5)
CHUNK = 64 * 1024
AGENT = f"messenger-gateway/{version('messenger-gateway')}"
PER_HOST = 20
"""Connections to one host. There is no bound on all of them, or hosts that are slow would take them from the others."""
OK, TOO_MANY, SERVER_ERROR = 200, 429, 500


class TooLarge(Refused):
    """Raised for a file that is larger than what we pass on."""


class NotPublic(OSError):
    """Raised for an address that belongs to this machine or to a private network."""


def session(*, private: bool) -> aiohttp.ClientSession:
    """Return an HTTP session for `fetch`. `private`: it may reach private addresses too (GATEWAY_PRIVATE_FILES)."""
    factory = None if private else public_socket
    connector = aiohttp.TCPConnector(limit=0, limit_per_host=PER_HOST, socket_factory=factory)
    return aiohttp.ClientSession(connector=connector, headers={"User-Agent": AGENT})


def extension(url: str) -> str:
    """Return the extension of the last part of an address, in lower case and with its dot; "" if it has none."""
    return PurePosixPath(urlsplit(url).path).suffix.lower()


def file_name(media: Media, content_type: str = "") -> str:
    """Return what people read as the file's name: its own or the address's last part; with an extension, if known."""
    name = media.name or PurePosixPath(unquote(urlsplit(media.url).path)).name or "file"
    return name if PurePosixPath(name).suffix else name + (extension(media.url) or guess_extension(content_type) or "")


def as_link(content: Content) -> Content:
    """Return the content with the file's address under its text, for a file that the channel does not take."""
    url = content.media.url if content.media else ""
    return replace(content, text="\n".join(filter(None, [content.text, url])), media=None)


async def fetch(files: aiohttp.ClientSession, url: str, max_bytes: int = MOST) -> File:
    """Download and return the file at `url`, of at most `max_bytes`.

    Raises Unavailable where a later attempt may succeed, Refused where it cannot.
    """
    with failures():
        async with files.get(url, timeout=TIMEOUT) as response:
            if response.status >= SERVER_ERROR or response.status == TOO_MANY:
                raise Unavailable(f"the file's server answers {response.status}")
            if response.status != OK:
                raise Refused(f"the file cannot be had: its server answers {response.status}")
            name = PurePosixPath(response.url.path).name or "file"
            return File(name, response.content_type, await _body(response, max_bytes))


@contextmanager
def failures() -> Iterator[None]:
    """Say what fails at a file's server as Unavailable where a later attempt may succeed, else as Refused."""
    try:
        yield
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError, aiohttp.TooManyRedirects) as error:
        raise Refused(f"the file cannot be had ({type(error).__name__})") from None
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, NotPublic):
            raise Refused("the file is on a private network, which is not allowed here") from None
        raise Unavailable("the file's server could not be reached") from None
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable(f"the file could not be fetched ({type(error).__name__})") from None
    except ValueError:
        # The host name cannot even be resolved, as a..b; aiohttp lets the codec's own error out.
        raise Refused("the file cannot be had (its server's name is none)") from None


async def _body(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """Return the body. Raises Refused as soon as it exceeds `max_bytes`, whatever Content-Length claims."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK):
        body += chunk
        if len(body) > max_bytes:
            raise TooLarge(f"the file has more than {max_bytes // 1024**2} MB")
    return bytes(body)


def public_socket(address_info: tuple[Any, ...]) -> socket.socket:
    """Open the socket for an address that aiohttp is about to connect to. Raises NotPublic."""
    family, kind, protocol, _, (host, *_) = address_info
    if not is_public(ip_address(host.partition("%")[0])):
        raise NotPublic("not a public address")
    return socket.socket(family, kind, protocol)
