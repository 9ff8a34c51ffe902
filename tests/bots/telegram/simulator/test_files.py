"""The stand-in takes files as Telegram does: by id, by URL with the documented types and sizes, or uploaded."""

import aiohttp
import pytest
from quart import Quart, Response

from tests.bots.telegram.conftest import Pair
from tests.bots.telegram.simulator.calling import call, refusal_of
from tests.support.http.serving import served

TYPE, CONTENT, ID = "wrong type of the web page content", "failed to get HTTP URL content", "AgACAgIAAxkBAAIB-large"


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("document", "a.docx", TYPE),
        ("document", "a.txt", TYPE),
        ("photo", "a.pdf", TYPE),
        ("photo", "a.svg", TYPE),
        ("video", "a.png", TYPE),
        ("audio", "a.mp4", TYPE),
        ("voice", "a.wav", TYPE),
        ("video_note", "a.mp4", "can't use file of this type by URL"),
    ],
)
async def test_a_url_of_another_type_is_refused(pair: Pair, kind: str, name: str, words: str) -> None:
    anna = await pair.start_user("Anna")
    method = f"send{kind.replace('_', '')}"
    assert await refusal_of(pair, method, chat_id=anna, **{kind: f"https://shop.ru/{name}?v=1"}) == words


@pytest.mark.parametrize(
    ("kind", "name"), [("document", "a.PDF"), ("document", "a.zip"), ("document", "a.gif"), ("document", "invoice/17")]
)
async def test_a_url_that_may_be_right_is_taken(pair: Pair, kind: str, name: str) -> None:
    anna = await pair.start_user("Anna")
    status, answer = await call(pair, "sendDocument", data={"chat_id": anna, kind: f"https://shop.ru/{name}"})
    assert (status, answer["ok"]) == (200, True)


@pytest.mark.parametrize(
    ("kind", "type_", "size", "words"),
    [
        ("photo", "image/png", 5_000_000, ""),
        ("photo", "image/png", 5_000_001, CONTENT),
        ("video", "video/mp4", 20_000_000, ""),
        ("video", "video/mp4", 20_000_001, CONTENT),
        ("document", "application/pdf", 1, ""),
        ("document", "text/csv", 1, TYPE),
        ("document", "text/html", 0, CONTENT),
    ],
)
async def test_a_page_on_this_machine_is_looked_at(pair: Pair, kind: str, type_: str, size: int, words: str) -> None:
    """A page of no bytes is one that is not there."""
    anna, pages = await pair.start_user("Anna"), Quart("pages")

    @pages.get("/file")
    async def file() -> Response:
        return Response(b"x" * size, 200 if size else 404, content_type=type_)

    async with served(pages) as url:
        params = {"chat_id": anna, kind: f"{url}/file"}
        if words:
            assert await refusal_of(pair, f"send{kind}", **params) == words
        else:
            assert (await call(pair, f"send{kind}", data=params))[0] == 200


async def test_an_uploaded_file_keeps_its_name_and_can_be_downloaded(pair: Pair) -> None:
    anna, form = await pair.start_user("Anna"), aiohttp.FormData(quote_fields=False)
    form.add_field("chat_id", anna)
    form.add_field("document", b"a;b", filename="Заказы.csv", content_type="text/csv")
    _, answer = await call(pair, "sendDocument", data=form)
    document = answer["result"]["document"]
    assert (document["file_name"], document["mime_type"], document["file_size"]) == ("Заказы.csv", "text/csv", 3)
    _, answer = await call(pair, "getFile", data={"file_id": document["file_id"]})
    url = f"{pair.account.api_url}/file/bot{pair.account.token.reveal()}/{answer['result']['file_path']}"
    async with pair.http.get(url) as response:
        assert await response.read() == b"a;b"
    assert (await call(pair, "sendDocument", data={"chat_id": anna, "document": document["file_id"]}))[0] == 200


async def test_an_upload_that_is_not_there_or_empty_is_refused(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    assert await refusal_of(pair, "sendPhoto", chat_id=anna, photo="attach://picture") == "file attachment not found"
    empty = aiohttp.FormData({"chat_id": anna})
    empty.add_field("photo", b"", filename="a.png")
    _, answer = await call(pair, "sendPhoto", data=empty)
    assert answer["description"] == "Bad Request: file must be non-empty"


async def test_an_album_has_two_to_ten_files(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    items = [
        {"type": "photo", "media": ID, "caption": f"<i>{number}</i>", "parse_mode": "HTML"} for number in range(11)
    ]
    for count in (1, 11):
        _, answer = await call(pair, "sendMediaGroup", json={"chat_id": anna, "media": items[:count]})
        assert answer["description"] == "Bad Request: media group must include 2-10 items"
    _, answer = await call(pair, "sendMediaGroup", json={"chat_id": anna, "media": items[:10]})
    assert [message["caption"] for message in answer["result"]] == [str(number) for number in range(10)]
    assert len({message["media_group_id"] for message in answer["result"]}) == 1
