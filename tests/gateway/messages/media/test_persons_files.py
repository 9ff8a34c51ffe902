"""What people send: each file has an id of ours, by which its bytes come from the provider as they were sent."""

from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from bots.telegram.simulator import Server as Telegram
from bots.wire import downloads
from tests.support.client import ApiClient, until
from tests.support.files import PAPER, PICTURE, Sample, download, get, share
from tests.support.http.callback_receiver import opened_callback_receiver
from tests.webhooks.pages.visitor import Visitor, add_user


async def test_a_file_keeps_its_name_in_any_letters(demo: ApiClient) -> None:
    file = await share(demo, "telegram", PAPER)
    headers = (await download(demo, file["fileId"]))[1]
    assert headers["Content-Disposition"] == f"attachment; filename*=UTF-8''{quote(PAPER.name)}"


@pytest.mark.parametrize(
    "body",
    [b"<!doctype html><script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"],
)
async def test_what_a_browser_would_run_is_never_shown_whatever_it_is_called(demo: ApiClient, body: bytes) -> None:
    file = await share(demo, "whatsapp", Sample("photo.png", "image/png", body))
    status, headers, got = await download(demo, file["fileId"])
    assert (status, got) == (200, body)
    assert headers["Content-Disposition"].startswith("attachment")
    assert headers["Content-Type"] != "image/png"


async def test_what_the_provider_has_no_more_is_gone(demo: ApiClient) -> None:
    for channel, forget in (("telegram", "uploads"), ("whatsapp", "media"), ("viber", "files"), ("sms", "media")):
        file = await share(demo, channel, PICTURE)
        getattr(demo.environment.simulators[channel], forget).clear()
        status, _, body = await download(demo, file["fileId"])
        assert (status, b"The file cannot be had" in body) == (410, True), (channel, status, body)


async def test_what_cannot_be_had_now_is_answered_so(demo: ApiClient) -> None:
    file = await share(demo, "whatsapp", PICTURE)
    await demo.answer("whatsapp", 0)
    await demo.environment.simulators["whatsapp"].quiet()
    demo.environment.simulators["whatsapp"].faults.fail(190)
    assert (await download(demo, file["fileId"]))[0] == 502
    demo.environment.simulators["whatsapp"].faults.fail(131000)
    status, headers, _ = await download(demo, file["fileId"])
    assert (status, headers["Retry-After"]) == (503, "30")
    assert (await download(demo, file["fileId"]))[2] == PICTURE.body


async def test_a_bot_gets_no_more_of_telegram_than_it_gives(demo: ApiClient) -> None:
    file = await share(demo, "telegram", PAPER._replace(body=PAPER.body + bytes(20 * 1024 * 1024)))
    status, _, body = await download(demo, file["fileId"])
    assert (status, b"too big" in body) == (410, True)


async def test_a_file_is_taken_to_the_last_byte_of_the_bound_and_no_further(
    demo: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "LARGEST", len(PAPER.body))
    file = await share(demo, "viber", PAPER)
    assert (await download(demo, file["fileId"]))[2] == PAPER.body
    file = await share(demo, "viber", PAPER._replace(body=PAPER.body + b"!"))
    assert (await download(demo, file["fileId"]))[0] == 410


async def test_an_id_that_names_no_file_is_unknown(demo: ApiClient) -> None:
    file = await share(demo, "telegram", PICTURE)
    for key in (f"{file['fileId']}A", "m", "mAAAA", "u" + "A" * 22, "x", f"m{'A' * 3000}"):
        assert (await download(demo, key))[0] == 404, key


async def test_a_link_in_a_callback_and_in_what_the_bot_is_told_needs_no_key(demo: ApiClient) -> None:
    runtime, told = demo.environment.runtime, list[Any]()

    async def remember(event: Any, _: object) -> None:
        told.append(event.content.media)

    runtime.conversation = remember
    async with opened_callback_receiver() as receiver:
        runtime.settings.callbacks["telegram:demo"] = receiver.url  # type: ignore[index]
        file = await share(demo, "telegram", PAPER)
        (event,) = [event for event in receiver.accepted if event.get("media")] or await until_told(receiver)
    assert event["media"]["fileId"] == file["fileId"] == told[0].file
    assert event["media"]["link"] == told[0].link
    link = event["media"]["link"]
    async with aiohttp.ClientSession() as stranger:
        async with stranger.get(link) as response:
            assert (response.status, await response.read()) == (200, PAPER.body)
        async with stranger.head(link) as response:
            assert (response.status, await response.read()) == (200, b"")
        proof = link.split("/")[-2]
        for wrong in (f"{proof}A", proof[:-1], f"0{proof}", "ffffffff" + proof[8:], "x", "-"):
            async with stranger.get(link.replace(proof, wrong)) as response:
                assert response.status == 404, wrong
        async with stranger.get(f"{demo.environment.url}/api/v1/media/{file['fileId']}") as response:
            assert response.status == 401
        demo.pass_time(hours=25.1)
        async with stranger.get(link) as response:
            assert response.status == 410


async def until_told(receiver: Any) -> list[Any]:
    async def with_file() -> list[Any]:
        return [event for event in receiver.accepted if event.get("media")]

    return await until(with_file)


async def test_an_operators_page_shows_a_picture_and_saves_the_rest(demo: ApiClient, visitor: Visitor) -> None:
    picture, paper = await share(demo, "vk", PICTURE), await share(demo, "telegram", PAPER)
    for file, sample, shown in ((picture, PICTURE, "inline"), (paper, PAPER, "attachment")):
        async with visitor.http.get(f"/ui/media/{file['fileId']}") as response:
            assert (response.status, await response.read()) == (200, sample.body)
            assert response.headers["Content-Disposition"].startswith(shown)
            assert "sandbox" in response.headers["Content-Security-Policy"]


@pytest.fixture
async def visitor(demo: ApiClient) -> Any:
    await add_user(demo, "olga@shop.example")
    async with Visitor.of(demo) as visitor:
        await visitor.sign_in("olga@shop.example")
        yield visitor


async def test_telegram_is_asked_again_where_its_path_has_expired(demo: ApiClient) -> None:
    file, simulator = await share(demo, "telegram", PICTURE), demo.environment.simulators["telegram"]
    assert isinstance(simulator, Telegram)
    for _ in range(2):
        assert (await download(demo, file["fileId"]))[2] == PICTURE.body
        demo.pass_time(hours=2)


async def test_only_the_headers_are_sent_if_only_they_are_asked_for(demo: ApiClient) -> None:
    file = await share(demo, "sms", PICTURE)
    status, headers, body = await get(demo, f"/api/v1/media/{file['fileId']}", "HEAD")
    assert (status, headers["Content-Type"], body) == (200, "image/png", b"")
