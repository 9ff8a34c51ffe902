"""Files that callers point at: each is uploaded once, a few at a time, and no message waits for ever."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from quart import Quart, Response

from bots.vk import open_accounts
from bots.wire import files
from gateway.domain.channel.contract import Outside
from gateway.domain.channel.errors import Refused, Unavailable
from gateway.domain.model.nouns import Content, Media
from tests.bots.vk.pair import Pair
from tests.support.http.file_server import PNG, FileServer
from tests.support.http.serving import served


def set_limits(pair: Pair, **limits: Any) -> None:
    uploads = pair.channel.uploads
    uploads.limits = replace(uploads.limits, **limits)


async def test_one_file_for_many_people_is_uploaded_once(pair: Pair, file_server: FileServer) -> None:
    users = [await pair.start_user(f"+7999{number:07}") for number in range(10)]
    picture = Content("Sale", Media("image", url=f"{file_server.url}/a.png"))
    await asyncio.gather(*(pair.send(user, picture, key=f"n{user}.0.0") for user in users))
    await pair.send(users[0], picture, key="another")
    assert file_server.fetch_counts == {"a.png": 1}
    assert len(pair.vk.files.stored) == 1
    assert len({bubble.media for user in users for bubble in pair.vk.phone(user).screen[1:]}) == 1


async def test_not_for_ever(pair: Pair, file_server: FileServer) -> None:
    set_limits(pair, kept=timedelta())
    anna = await pair.start_user()
    for number in range(2):
        await pair.send(anna, Content(media=Media("image", url=f"{file_server.url}/a.png")), key=f"n{number}.0.0")
    assert file_server.fetch_counts == {"a.png": 2}


async def test_not_too_many(pair: Pair, file_server: FileServer) -> None:
    set_limits(pair, remembered=1)
    anna = await pair.start_user()
    for number, name in enumerate(("a.png", "a.png", "b.png", "a.png")):
        await pair.send(anna, Content(media=Media("image", url=f"{file_server.url}/{name}")), key=f"n{number}.0.0")
    assert file_server.fetch_counts == {"a.png": 2, "b.png": 1}


async def test_what_came_in_goes_out_by_its_name(pair: Pair) -> None:
    anna = await pair.start_user()
    with pytest.raises(Refused, match="attachment is invalid"):
        await pair.send(anna, Content(media=Media("image", id="photo-1_2")))
    pair.vk.files.stored["photo-1_2"] = next(iter(pair.vk.files.stored.values()), None)  # type: ignore[assignment]
    await pair.send(anna, Content(media=Media("image", url="https://sun9-1.userapi.com/w.jpg", id="photo-1_2")))
    assert pair.vk.phone(anna).screen[-1].media == "photo-1_2"


async def test_a_failed_upload_is_tried_again(pair: Pair, file_server: FileServer) -> None:
    anna = await pair.start_user()
    picture = Content(media=Media("image", url=f"{file_server.url}/a.png"))
    pair.vk.faults.fail("10")
    with pytest.raises(Unavailable, match="VK 10"):
        await pair.send(anna, picture)
    await pair.send(anna, picture)
    assert file_server.fetch_counts == {"a.png": 2}


async def test_a_slow_file_is_ready_for_the_next_try(pair: Pair, file_server: FileServer) -> None:
    set_limits(pair, patience=timedelta(seconds=0.1))
    anna = await pair.start_user()
    picture = Content(media=Media("image", url=f"{file_server.url}/a.png"))
    file_server.gate.clear()
    with pytest.raises(Unavailable, match="still on its way"):
        await pair.send(anna, picture)
    file_server.gate.set()
    set_limits(pair, patience=timedelta(seconds=10))
    await pair.send(anna, picture)
    assert file_server.fetch_counts == {"a.png": 1}


async def test_closing_gives_up_what_nobody_waits_for(pair: Pair, file_server: FileServer) -> None:
    set_limits(pair, patience=timedelta(seconds=0.1))
    anna = await pair.start_user()
    file_server.gate.clear()
    with pytest.raises(Unavailable):
        await pair.send(anna, Content(media=Media("image", url=f"{file_server.url}/a.png")))
    await pair.channel.close()
    file_server.gate.set()
    assert pair.vk.files.stored == {}


async def test_our_own_network_is_not_reached(pair: Pair, file_server: FileServer) -> None:
    async with files.session(private=False) as public_http:
        channel = open_accounts({"shop": pair.account}, Outside(pair.outside.http, pair.url, public_http))["shop"]
        with pytest.raises(Refused, match="private network"):
            await channel.send(
                pair.address("1"), Content(media=Media("image", url=f"{file_server.url}/a.png")), key="k1"
            )
        await channel.close()
    assert not file_server.fetch_counts


async def test_the_same_file_under_another_name_is_another_document(pair: Pair, file_server: FileServer) -> None:
    users = [await pair.start_user(f"+7999{number:07}") for number in range(2)]
    for user, name in zip(users, ("invoice-1.pdf", "invoice-2.pdf"), strict=True):
        await pair.send(
            user, Content(media=Media("document", url=f"{file_server.url}/invoice.pdf", name=name)), key=name
        )
    titles = [pair.vk.files.stored[pair.vk.phone(user).screen[-1].media].title for user in users]
    assert titles == ["invoice-1.pdf", "invoice-2.pdf"]


async def test_a_picture_has_no_name(pair: Pair, file_server: FileServer) -> None:
    anna = await pair.start_user()
    for name in ("one", "two"):
        await pair.send(anna, Content(media=Media("image", url=f"{file_server.url}/a.png", name=name)), key=name)
    assert file_server.fetch_counts == {"a.png": 1}


async def test_only_a_few_files_are_held_at_once(pair: Pair, file_server: FileServer) -> None:
    """At each request for a file, count it and those that VK has not stored yet."""
    anna, most_held = await pair.start_user(), 0
    app = Quart("more")

    @app.get("/<name>")
    async def send_file(name: str) -> Response:
        nonlocal most_held
        file_server.fetch_counts[name] += 1
        most_held = max(most_held, file_server.fetch_counts.total() - len(pair.vk.files.stored))
        return Response(PNG, content_type="image/png")

    async with served(app) as url:
        pictures = [Content(media=Media("image", url=f"{url}/{number}.png")) for number in range(20)]
        await asyncio.gather(
            *(pair.send(anna, picture, key=picture.media.url) for picture in pictures if picture.media)
        )
    assert (most_held, len(pair.vk.files.stored)) == (pair.channel.uploads.limits.held, 20)
