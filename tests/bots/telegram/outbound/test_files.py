"""Files: fetched by Telegram where it does that, else uploaded once; a link where they are too large."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bots.telegram import Telegram
from gateway.domain.channel.errors import Refused, Unavailable
from gateway.domain.model.nouns import Button, Content, Media
from tests.bots.telegram.conftest import Pair
from tests.support.http.file_server import PNG, FileServer, opened_file_server

OK = (Button("OK", reply="ok"),)


@pytest.fixture
async def file_server() -> AsyncIterator[FileServer]:
    async with opened_file_server() as server:
        server.files |= {
            "order.docx": (b"PK words", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
            "clip.mp4": (b"mp4", "video/mp4"),
            "drawing.svg": (b"<svg/>", "image/svg+xml"),
            "medium.png": (PNG + bytes(5_000_000), "image/png"),
            "large.png": (PNG + bytes(10_000_000), "image/png"),
            "7": (b"a,b", "text/csv"),
        }
        yield server


async def send(pair: Pair, media: Media, text: str = "Your order") -> str:
    """Send a file to Anna. Returns the method's field and what is shown of the file."""
    anna = await pair.start_user("Anna")
    await pair.channel.send(pair.address(anna), Content(text, media, OK), key="k1")
    bubble = pair.server.phone(anna).screen[-1]
    assert (bubble.text, bubble.buttons) == (text, list(OK))
    (accepted,) = pair.server.accepted
    field = next((field for field in accepted.request if field not in ("chat_id", "caption", "reply_markup")), "")
    return f"{field} {bubble.media.rpartition('/')[2]}"


@pytest.mark.parametrize(
    ("kind", "path", "name", "shown"),
    [
        ("document", "invoice.pdf", "", "document invoice.pdf"),
        ("document", "invoice.pdf", "Invoice 7.pdf", "document Invoice 7.pdf"),
        ("document", "order.docx", "", "document order.docx"),
        ("document", "order.docx", "Заказ 7.docx", "document Заказ 7.docx"),
        ("document", "order.docx", "Order 7", "document Order 7.docx"),
        ("document", "7", "", "document 7.csv"),
        ("document", "7", "Table", "document Table.csv"),
    ],
)
async def test_a_document_arrives_under_its_name(
    pair: Pair, file_server: FileServer, kind: str, path: str, name: str, shown: str
) -> None:
    assert await send(pair, Media(kind, f"{file_server.url}/{path}", name=name)) == shown
    is_by_address = shown == "document invoice.pdf"
    assert list(pair.server.uploads.values()) == ([] if is_by_address else [file_server.files[path][0]])


@pytest.mark.parametrize(
    ("kind", "path", "shown"),
    [
        ("image", "large.png", "document large.png"),
        ("image", "medium.png", "photo medium.png"),
        ("image", "drawing.svg", "document drawing.svg"),
        ("video", "call.wav", "document call.wav"),
        ("video_note", "clip.mp4", "video_note clip.mp4"),
    ],
)
async def test_what_telegram_could_not_fetch_is_uploaded(
    pair: Pair, file_server: FileServer, kind: str, path: str, shown: str
) -> None:
    text = "" if kind == "video_note" else "Look"
    assert await send(pair, Media(kind, f"{file_server.url}/{path}"), text) == shown
    assert list(pair.server.uploads.values()) == [file_server.files[path][0]]


async def test_one_document_for_many_people_is_uploaded_once(pair: Pair, file_server: FileServer) -> None:
    users = [await pair.start_user("Anna", f"+7999{number:07}") for number in range(10)]
    content = Content("Terms", Media("document", f"{file_server.url}/order.docx", name="Terms.docx"))
    await asyncio.gather(*(pair.channel.send(pair.address(user), content, key=user) for user in users))
    assert file_server.fetch_counts == {"order.docx": 1}
    assert len(pair.server.accepted) == len(users)


async def test_a_file_that_is_too_large_becomes_a_link(pair: Pair, file_server: FileServer) -> None:
    anna = await pair.start_user("Anna")
    assert isinstance(pair.channel, Telegram)
    files = pair.channel.sender.files
    files.limits = replace(files.limits, largest=5)
    media = Media("document", f"{file_server.url}/order.docx")
    await pair.channel.send(pair.address(anna), Content("Your film", media, OK), key="k1")
    bubble = pair.server.phone(anna).screen[-1]
    assert (bubble.text, bubble.media, bubble.buttons) == (f"Your film\n{media.url}", "", list(OK))


async def test_a_file_that_nobody_can_have_is_refused_and_one_that_is_slow_is_tried_again(
    pair: Pair, file_server: FileServer
) -> None:
    anna = await pair.start_user("Anna")
    assert isinstance(pair.channel, Telegram)
    files = pair.channel.sender.files
    files.limits = replace(files.limits, patience=timedelta(seconds=0.2))
    file_server.gate.clear()
    with pytest.raises(Unavailable, match="has not come yet"):
        await pair.channel.send(
            pair.address(anna), Content(media=Media("document", f"{file_server.url}/order.docx")), key="k1"
        )
    file_server.gate.set()
    files.limits = replace(files.limits, patience=timedelta(seconds=30))
    with pytest.raises(Refused, match="answers 404"):
        await pair.channel.send(
            pair.address(anna), Content(media=Media("document", f"{file_server.url}/gone.docx")), key="k2"
        )
    assert pair.server.accepted == []
