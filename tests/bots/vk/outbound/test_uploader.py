"""One file on its way to VK: what arrives, how VK and its servers answer, and what a failed upload leads to."""

import asyncio
from contextlib import nullcontext
from urllib.parse import unquote

import pytest
from quart import Quart, Response

from gateway.domain.channel.errors import Refused, Throttled, Unavailable
from gateway.domain.model.nouns import Button, Content, Media
from tests.bots.vk.pair import Pair
from tests.support.http.file_server import PNG, FileServer
from tests.support.http.serving import free_port, served


@pytest.mark.parametrize(
    ("type_", "name", "kind"),
    [
        ("image", "a.png", "photo"),
        ("sticker", "a.png", "photo"),
        ("document", "invoice.pdf", "doc"),
        ("document", "счёт.pdf", "doc"),
        ("video", "invoice.pdf", "doc"),
        ("document", "a.png", "doc"),
        ("image", "text.png", "doc"),
        ("audio", "call.ogg", "audio_message"),
        ("voice", "call.opus", "audio_message"),
        ("audio", "call.wav", "doc"),
        ("audio", "broken.ogg", "doc"),
        ("document", "call.ogg", "doc"),
    ],
)
async def test_a_file_arrives(pair: Pair, file_server: FileServer, type_: str, name: str, kind: str) -> None:
    anna = await pair.start_user()
    await pair.send(anna, Content("Вот он", Media(type_, url=f"{file_server.url}/{name}")))
    bubble = pair.vk.phone(anna).screen[-1]
    assert bubble.text == "Вот он"
    assert bubble.media.startswith(f"{kind}-{pair.account.group_id}_")
    stored_file = pair.vk.files.stored[bubble.media]
    assert (stored_file.title, stored_file.body) == (name, file_server.files[name][0])


@pytest.mark.parametrize("name", ["song.mp3", "setup.exe"])
@pytest.mark.parametrize("text", ["Вот он", "", "a" * 4096])
async def test_a_file_that_vk_does_not_take_is_a_link_under_its_text(
    pair: Pair, file_server: FileServer, name: str, text: str
) -> None:
    anna, url = await pair.start_user(), f"{file_server.url}/{name}"
    pieces = pair.channel.split(Content(text, Media("audio", url=url), (Button("OK"),)))
    for number, piece in enumerate(pieces):
        await pair.send(anna, piece, key=f"n1/0/{number}")
    shown = pair.vk.phone(anna).screen[-len(pieces) :]
    assert sorted("\n".join(bubble.text for bubble in shown).split("\n")) == sorted(filter(None, [text, url]))
    assert [bubble.media for bubble in shown] == [""] * len(pieces)
    assert [len(bubble.buttons) for bubble in shown] == [0] * (len(pieces) - 1) + [1]


async def test_what_vk_has_refused_once_is_not_uploaded_for_everybody(pair: Pair, file_server: FileServer) -> None:
    anna = await pair.start_user()
    for number in range(3):
        content = Content("Hits", Media("audio", url=f"{file_server.url}/song.mp3"))
        await pair.send(anna, content, key=f"n{number}/0/0")
    assert file_server.fetch_counts == {"song.mp3": 1}


async def test_a_file_alone_is_a_message(pair: Pair, file_server: FileServer) -> None:
    anna = await pair.start_user()
    await pair.send(anna, Content(media=Media("image", url=f"{file_server.url}/a.png")))
    assert pair.vk.phone(anna).screen[-1].media.startswith("photo-")


@pytest.mark.parametrize(
    ("media", "reason"),
    [
        (Media("image", url="/gone.png"), "its server answers 404"),
        (Media("image"), "neither an id nor a url"),
    ],
)
async def test_what_vk_does_not_take(pair: Pair, file_server: FileServer, media: Media, reason: str) -> None:
    anna = await pair.start_user()
    url = f"{file_server.url}{media.url}" if media.url else ""
    with pytest.raises(Refused, match=reason):
        await pair.send(anna, Content("hi", Media(media.type, url=url)))
    assert pair.vk.accepted == []


async def test_what_is_unclear_about_an_upload_is_clear_about_the_message(pair: Pair, file_server: FileServer) -> None:
    """Nothing was sent, so trying again can do no harm."""
    anna = await pair.start_user()
    pair.vk.faults.fail("36")
    with pytest.raises(Unavailable, match="the file did not reach VK"):
        await pair.send(anna, Content(media=Media("document", url=f"{file_server.url}/invoice.pdf")))
    assert pair.vk.accepted == []


@pytest.mark.parametrize(
    ("status", "error"), [(500, Unavailable), (502, Unavailable), (429, Throttled), (413, None), (200, None)]
)
async def test_a_file_server_that_is_not_well(
    pair: Pair, file_server: FileServer, status: int, error: type[Exception] | None
) -> None:
    """Where it will not be better the next time, the file goes as a link."""
    app = Quart("pu.vk.com")

    @app.post("/photo")
    async def take() -> Response:
        return Response("<html>sorry</html>", status, content_type="text/html")

    anna = await pair.start_user()
    async with served(app) as url:
        pair.vk.files.url = url
        with pytest.raises(error, match="file") if error else nullcontext():
            await pair.send(anna, Content(media=Media("image", url=f"{file_server.url}/a.png")))
    assert [line.text for line in pair.vk.accepted] == ([] if error else [f"{file_server.url}/a.png"])


@pytest.mark.parametrize(
    ("target", "saved_files", "reason"),
    [
        ({}, None, "VK named no address for the file"),
        ([], None, "VK named no address for the file"),
        ({"upload_url": 5}, None, "VK named no address for the file"),
        (None, [], "VK saved the file and named no id for it"),
        (None, {}, "VK saved the file and named no id for it"),
        (None, [{"id": "one"}], "VK saved the file and named no id for it"),
    ],
)
async def test_answers_that_make_no_sense(
    pair: Pair, file_server: FileServer, target: object, saved_files: object, reason: str
) -> None:
    app = Quart("proxy")

    @app.post("/method/<method>")
    async def answer(method: str) -> dict[str, object]:
        upload_target = {"upload_url": f"{pair.account.api_url}/upload/photo"} if target is None else target
        return {"response": upload_target if method == "photos.getMessagesUploadServer" else saved_files}

    async with served(app) as url:
        with pytest.raises(Unavailable, match=reason):
            await pair.channel_with(api_url=url).send(
                pair.address("1"), Content(media=Media("image", url=f"{file_server.url}/a.png")), key="k1"
            )


async def test_a_file_server_that_is_away(pair: Pair, file_server: FileServer) -> None:
    anna = await pair.start_user()
    pair.vk.files.url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(Unavailable, match="could not be reached"):
        await pair.send(anna, Content(media=Media("image", url=f"{file_server.url}/a.png")))


async def test_a_document_bears_the_name_that_it_was_given(pair: Pair, file_server: FileServer) -> None:
    anna = await pair.start_user()
    await pair.send(anna, Content(media=Media("document", url=f"{file_server.url}/invoice.pdf", name="Счёт 17.pdf")))
    assert pair.vk.files.stored[pair.vk.phone(anna).screen[-1].media].title == "Счёт 17.pdf"


@pytest.mark.parametrize(
    ("path", "name", "title"),
    [
        ("in%0D%0Avoice.pdf", "", "invoice.pdf"),
        ("in%00voice%7F.pdf", "", "invoice.pdf"),
        ("%0D%0A", "", "file"),
        ("invoice.pdf", "Счёт\r\n\x0017\x85.pdf", "Счёт17.pdf"),
        ("invoice.pdf", "\r\n", "invoice.pdf"),
    ],
)
async def test_a_name_has_no_control_characters(
    pair: Pair, file_server: FileServer, path: str, name: str, title: str
) -> None:
    file_server.files[unquote(path)] = (b"%PDF-1.7", "application/pdf")
    anna = await pair.start_user()
    await pair.send(anna, Content(media=Media("document", url=f"{file_server.url}/{path}", name=name)))
    assert pair.vk.files.stored[pair.vk.phone(anna).screen[-1].media].title == title


async def test_a_picture_whose_name_has_control_characters(pair: Pair, file_server: FileServer) -> None:
    file_server.files["\r\n.png"] = (PNG, "image/png")
    anna = await pair.start_user()
    await pair.send(anna, Content(media=Media("image", url=f"{file_server.url}/%0D%0A.png")))
    assert pair.vk.phone(anna).screen[-1].media.startswith("photo-")


async def test_a_type_that_has_control_characters(pair: Pair) -> None:
    """Only a faulty server sends such a type; a well-behaved one cannot even write it."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\x01\r\nContent-Length: %d\r\n\r\n" % len(PNG) + PNG)
        writer.close()

    anna = await pair.start_user()
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await pair.send(anna, Content(media=Media("image", url=f"http://127.0.0.1:{port}/a.png")))
    assert pair.vk.phone(anna).screen[-1].media.startswith("photo-")


@pytest.mark.parametrize("code", ["7", "15"])
@pytest.mark.parametrize(
    ("type_", "name", "right"), [("image", "a.png", "photos"), ("document", "invoice.pdf", "docs")]
)
async def test_a_token_without_the_right_to_files(
    pair: Pair, file_server: FileServer, code: str, type_: str, name: str, right: str
) -> None:
    """Only the message with the file is refused: the account can do everything else."""
    anna = await pair.start_user()
    pair.vk.faults.fail(code)
    with pytest.raises(Refused, match=f"the right to {right}: VK {code}"):
        await pair.send(anna, Content("hi", Media(type_, url=f"{file_server.url}/{name}")))
    await pair.send(anna, "hi")
    assert [line.text for line in pair.vk.accepted] == ["hi"]
