"""Files that callers point at: fetched, handed to VK, and named in the message."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from quart import Quart, Response

from bots import files
from bots.vk import open_accounts, uploads
from gateway.channel import Outside, Refused, Unavailable
from gateway.model import Content, Media
from tests.serving import free_port, served
from tests.vk.bench import Bench

PNG = b"\x89PNG\r\n\x1a\n" + b"pixels" * 100


@dataclass
class Shelf:
    """A server with files on it. `fetched` counts, by name; `opens` lets them out."""

    url: str = ""
    fetched: Counter[str] = field(default_factory=Counter)
    opens: asyncio.Event = field(default_factory=asyncio.Event)
    files: dict[str, tuple[bytes, str]] = field(
        default_factory=lambda: {
            "a.png": (PNG, "image/png"),
            "b.png": (PNG, "image/png"),
            "text.png": (b"not a picture", "image/png"),
            "invoice.pdf": (b"%PDF-1.7", "application/pdf"),
            "setup.exe": (b"MZ", "application/octet-stream"),
            "счёт.pdf": (b"%PDF-1.7", "application/pdf"),
        }
    )


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    app, shelf = Quart("shelf"), Shelf()
    shelf.opens.set()

    @app.get("/<name>")
    async def give(name: str) -> Response:
        shelf.fetched[name] += 1
        await shelf.opens.wait()
        if name not in shelf.files:
            return Response(status=404)
        body, kind = shelf.files[name]
        return Response(body, content_type=kind)

    async with served(app) as shelf.url:
        yield shelf


@pytest.mark.parametrize(
    ("type_", "name", "kind"),
    [
        ("image", "a.png", "photo"),
        ("sticker", "a.png", "photo"),
        ("document", "invoice.pdf", "doc"),
        ("document", "счёт.pdf", "doc"),
        ("video", "invoice.pdf", "doc"),
        ("document", "a.png", "doc"),
    ],
)
async def test_a_file_arrives(bench: Bench, shelf: Shelf, type_: str, name: str, kind: str) -> None:
    anna = await bench.started()
    await bench.send(anna, Content("Вот он", Media(type_, url=f"{shelf.url}/{name}")))
    shown = bench.vk.phone(anna).screen[-1]
    assert shown.text == "Вот он"
    assert shown.media.startswith(f"{kind}-{bench.account.group_id}_")
    stored = bench.vk.files.stored[shown.media]
    assert (stored.title, stored.body) == (name, shelf.files[name][0])


async def test_a_file_alone_is_a_message(bench: Bench, shelf: Shelf) -> None:
    anna = await bench.started()
    await bench.send(anna, Content(media=Media("image", url=f"{shelf.url}/a.png")))
    assert bench.vk.phone(anna).screen[-1].media.startswith("photo-")


async def test_one_file_for_many_people_is_uploaded_once(bench: Bench, shelf: Shelf) -> None:
    people = [await bench.started(f"+7999{number:07}") for number in range(10)]
    picture = Content("Sale", Media("image", url=f"{shelf.url}/a.png"))
    await asyncio.gather(*(bench.send(user, picture, key=f"n{user}.0.0") for user in people))
    await bench.send(people[0], picture, key="another")
    assert shelf.fetched == {"a.png": 1}
    assert len(bench.vk.files.stored) == 1
    assert len({bubble.media for user in people for bubble in bench.vk.phone(user).screen[1:]}) == 1


async def test_not_for_ever(bench: Bench, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "KEPT", 0.0)
    anna = await bench.started()
    for number in range(2):
        await bench.send(anna, Content(media=Media("image", url=f"{shelf.url}/a.png")), key=f"n{number}.0.0")
    assert shelf.fetched == {"a.png": 2}


async def test_not_too_many(bench: Bench, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST", 1)
    anna = await bench.started()
    for number, name in enumerate(("a.png", "a.png", "b.png", "a.png")):
        await bench.send(anna, Content(media=Media("image", url=f"{shelf.url}/{name}")), key=f"n{number}.0.0")
    assert shelf.fetched == {"a.png": 2, "b.png": 1}


async def test_what_came_in_goes_out_by_its_name(bench: Bench) -> None:
    anna = await bench.started()
    with pytest.raises(Refused, match="attachment is invalid"):
        await bench.send(anna, Content(media=Media("image", id="photo-1_2")))
    bench.vk.files.stored["photo-1_2"] = next(iter(bench.vk.files.stored.values()), None)  # type: ignore[assignment]
    await bench.send(anna, Content(media=Media("image", url="https://sun9-1.userapi.com/w.jpg", id="photo-1_2")))
    assert bench.vk.phone(anna).screen[-1].media == "photo-1_2"


@pytest.mark.parametrize(
    ("media", "reason"),
    [
        (Media("image", url="/text.png"), "VK does not take the file"),
        (Media("document", url="/setup.exe"), "ERR_UPLOAD_BAD_FILE"),
        (Media("image", url="/gone.png"), "its server answers 404"),
        (Media("image"), "neither an id nor a url"),
    ],
)
async def test_what_vk_does_not_take(bench: Bench, shelf: Shelf, media: Media, reason: str) -> None:
    anna = await bench.started()
    url = f"{shelf.url}{media.url}" if media.url else ""
    with pytest.raises(Refused, match=reason):
        await bench.send(anna, Content("hi", Media(media.type, url=url)))
    assert bench.vk.accepted == []


async def test_a_failed_upload_is_tried_again(bench: Bench, shelf: Shelf) -> None:
    anna = await bench.started()
    picture = Content(media=Media("image", url=f"{shelf.url}/a.png"))
    bench.vk.faults.fail("10")
    with pytest.raises(Unavailable, match="VK 10"):
        await bench.send(anna, picture)
    await bench.send(anna, picture)
    assert shelf.fetched == {"a.png": 2}


async def test_what_is_unclear_about_an_upload_is_clear_about_the_message(bench: Bench, shelf: Shelf) -> None:
    """Nothing was sent, so trying again can do no harm."""
    anna = await bench.started()
    bench.vk.faults.fail("36")
    with pytest.raises(Unavailable, match="the file did not reach VK"):
        await bench.send(anna, Content(media=Media("document", url=f"{shelf.url}/invoice.pdf")))
    assert bench.vk.accepted == []


@pytest.mark.parametrize(("status", "error"), [(502, Unavailable), (413, Refused), (200, Refused)])
async def test_a_file_server_that_is_not_well(
    bench: Bench, shelf: Shelf, status: int, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Quart("pu.vk.com")

    @app.post("/photo")
    async def take() -> Response:
        return Response("<html>sorry</html>", status, content_type="text/html")

    anna = await bench.started()
    async with served(app) as url:
        monkeypatch.setattr(bench.vk.files, "_url", url)
        with pytest.raises(error, match="file"):
            await bench.send(anna, Content(media=Media("image", url=f"{shelf.url}/a.png")))


@pytest.mark.parametrize(
    ("target", "saved", "reason"),
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
    bench: Bench, shelf: Shelf, target: object, saved: object, reason: str
) -> None:
    app = Quart("proxy")

    @app.post("/method/<method>")
    async def answer(method: str) -> dict[str, object]:
        asked = {"upload_url": f"{bench.account.api_url}/upload/photo"} if target is None else target
        return {"response": asked if method == "photos.getMessagesUploadServer" else saved}

    async with served(app) as url:
        with pytest.raises(Unavailable, match=reason):
            await bench.other(api_url=url).send(
                bench.address("1"), Content(media=Media("image", url=f"{shelf.url}/a.png")), key="k1"
            )


async def test_a_file_server_that_is_away(bench: Bench, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = await bench.started()
    monkeypatch.setattr(bench.vk.files, "_url", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable, match="could not be reached"):
        await bench.send(anna, Content(media=Media("image", url=f"{shelf.url}/a.png")))


async def test_a_slow_file_is_ready_for_the_next_try(
    bench: Bench, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PATIENCE", 0.1)
    anna = await bench.started()
    picture = Content(media=Media("image", url=f"{shelf.url}/a.png"))
    shelf.opens.clear()
    with pytest.raises(Unavailable, match="still on its way"):
        await bench.send(anna, picture)
    shelf.opens.set()
    monkeypatch.setattr(uploads, "PATIENCE", 10.0)
    await bench.send(anna, picture)
    assert shelf.fetched == {"a.png": 1}


async def test_closing_gives_up_what_nobody_waits_for(
    bench: Bench, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "PATIENCE", 0.1)
    anna = await bench.started()
    shelf.opens.clear()
    with pytest.raises(Unavailable):
        await bench.send(anna, Content(media=Media("image", url=f"{shelf.url}/a.png")))
    await bench.channel.close()
    shelf.opens.set()
    assert bench.vk.files.stored == {}


async def test_our_own_network_is_not_reached(bench: Bench, shelf: Shelf) -> None:
    async with files.session(private=False) as outside:
        way = open_accounts({"shop": bench.account}, Outside(bench.outside.http, bench.url, outside))["shop"]
        with pytest.raises(Refused, match="private network"):
            await way.send(bench.address("1"), Content(media=Media("image", url=f"{shelf.url}/a.png")), key="k1")
        await way.close()
    assert not shelf.fetched


async def test_a_document_bears_the_name_that_it_was_given(bench: Bench, shelf: Shelf) -> None:
    anna = await bench.started()
    await bench.send(anna, Content(media=Media("document", url=f"{shelf.url}/invoice.pdf", name="Счёт 17.pdf")))
    assert bench.vk.files.stored[bench.vk.phone(anna).screen[-1].media].title == "Счёт 17.pdf"
