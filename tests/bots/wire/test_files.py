"""Fetching what callers point at: what is passed on, and what is never reached."""

import asyncio
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest
from quart import Blueprint, Quart, Response, redirect
from quart.typing import ResponseReturnValue

from bots.wire import files
from bots.wire.files import fetch
from gateway.domain.channel.errors import Refused, SendError, Unavailable
from gateway.domain.channel.file import File
from tests.support.http.serving import free_port, served

PHOTO = bytes(range(256)) * 400


def _file_server() -> Quart:
    blueprint, app = Blueprint("files", __name__), Quart("files")

    @blueprint.get("/<path:name>")
    async def file(name: str) -> ResponseReturnValue:
        if name.isdigit():
            return "", int(name)
        if name == "away":
            return redirect("/a%20photo.png")
        if name == "nowhere":
            return redirect("http://a..b/x.png")
        return redirect("/round") if name == "round" else Response(PHOTO, content_type="image/png")

    app.register_blueprint(blueprint)
    return app


@pytest.fixture
async def file_server() -> AsyncIterator[str]:
    async with served(_file_server()) as url:
        yield url


@pytest.fixture
async def private_http() -> AsyncIterator[aiohttp.ClientSession]:
    async with files.session(private=True) as http:
        yield http


@pytest.fixture
async def public_http() -> AsyncIterator[aiohttp.ClientSession]:
    async with files.session(private=False) as http:
        yield http


@pytest.mark.parametrize("path", ["a%20photo.png", "away"])
async def test_a_file_comes_with_its_name_and_type(
    private_http: aiohttp.ClientSession, file_server: str, path: str
) -> None:
    assert await fetch(private_http, f"{file_server}/{path}") == File("a photo.png", "image/png", PHOTO)


@pytest.mark.parametrize(
    ("path", "error"),
    [("404", Refused), ("403", Refused), ("503", Unavailable), ("429", Unavailable), ("round", Refused)],
)
async def test_what_its_server_says(
    private_http: aiohttp.ClientSession, file_server: str, path: str, error: type[SendError]
) -> None:
    with pytest.raises(error):
        await fetch(private_http, f"{file_server}/{path}")


@pytest.mark.parametrize("host", ["a..b", ".com", "...", f"{'a' * 64}.com", f"xn--{'a' * 64}.com", f"{'ы' * 64}.com"])
async def test_a_host_that_has_no_name(private_http: aiohttp.ClientSession, host: str) -> None:
    with pytest.raises(Refused, match="cannot be had"):
        await fetch(private_http, f"http://{host}/x.png")


async def test_being_sent_to_a_host_that_has_no_name(private_http: aiohttp.ClientSession, file_server: str) -> None:
    with pytest.raises(Refused, match="cannot be had"):
        await fetch(private_http, f"{file_server}/nowhere")


async def test_a_server_that_is_down(private_http: aiohttp.ClientSession) -> None:
    with pytest.raises(Unavailable):
        await fetch(private_http, f"http://127.0.0.1:{free_port()}/photo.png")


async def test_too_large_a_file(private_http: aiohttp.ClientSession, file_server: str) -> None:
    assert (await fetch(private_http, f"{file_server}/photo", max_bytes=len(PHOTO))).body == PHOTO
    with pytest.raises(Refused, match="more than"):
        await fetch(private_http, f"{file_server}/photo", max_bytes=len(PHOTO) - 1)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"])
async def test_our_own_network_is_not_reached(public_http: aiohttp.ClientSession, file_server: str, host: str) -> None:
    port = file_server.rpartition(":")[2]
    with pytest.raises(SendError) as refusal:
        await fetch(public_http, f"http://{host}:{port}/photo.png")
    assert isinstance(refusal.value, Refused), refusal.value


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "169.254.169.254", "192.168.1.1", "172.16.0.9", "0.0.0.8", "fd00::1", "64:ff9b::a00:1"),
        *("224.0.0.1", "239.1.2.3", "255.255.255.255", "ff02::1", "ff0e::1", "fec0::1", "fe80::1", "::1", "::"),
        *("::ffff:10.0.0.1", "::10.0.0.1", "::ffff:0:10.0.0.1", "2002:a00:1::1", "64:ff9b:1::a00:1", "2001::a00:1"),
    ],
)
def test_private_addresses(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(files.NotPublic):
        files.public_socket((family, socket.SOCK_STREAM, 6, "", (address, 80)))


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f::1", "64:ff9b::5db8:d70e", "::ffff:93.184.215.14"])
def test_public_addresses(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    files.public_socket((family, socket.SOCK_STREAM, 6, "", (address, 80))).close()


async def test_hosts_that_do_not_answer_leave_the_others_their_connections(
    private_http: aiohttp.ClientSession, file_server: str
) -> None:
    """As many connections as a client has by default are held by hosts that say nothing."""
    silent, taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(7)], list[socket.socket]()
    urls = ["http://{}:{}/".format(*each.getsockname()) for each in silent for _ in range(files.PER_HOST)]
    waiting = [asyncio.create_task(fetch(private_http, url)) for url in urls]
    try:
        for each in silent:
            each.setblocking(False)
            for _ in range(files.PER_HOST):
                taken.append((await asyncio.get_running_loop().sock_accept(each))[0])
        assert (await fetch(private_http, f"{file_server}/photo")).body == PHOTO
        assert [task.exception() for task in waiting if task.done()] == []
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for each in (*silent, *taken):
            each.close()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://example.org/x", "http://", "no address"])
async def test_what_is_no_web_address(private_http: aiohttp.ClientSession, url: str) -> None:
    with pytest.raises(Refused):
        await fetch(private_http, url)
