"""What clients upload: it is sent by its id, as bytes where the provider takes these, else by a link of ours."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from gateway.client import Gateway
from gateway.messages.media.keeping import sweep
from gateway.messages.media.uploading import LARGEST
from tests.support.client import PHONE, ApiClient
from tests.support.files import PAPER, PICTURE, SOUND, VIDEO, Sample, download, get
from tests.support.hostile.stalls import BLOCKED, watched

SAMPLES = [PICTURE, SOUND, VIDEO, PAPER]


async def upload(demo: ApiClient, sample: Sample) -> Any:
    """Upload a file as the only one of a form. Returns the answer."""
    form = aiohttp.FormData(quote_fields=False)  # as browsers and curl write names
    form.add_field("file", sample.body, filename=sample.name, content_type="text/html")
    async with demo.http.post("/api/v1/media", data=form) as response:
        assert response.status == 201, await response.text()
        return await response.json()


def session_of(demo: ApiClient, channel: str) -> str:
    """Return the id of the person's conversation on this channel."""
    simulator = demo.environment.simulators[channel]
    return f"{channel}:demo:{simulator.known_as(simulator.user_of(PHONE))}"


async def sent(demo: ApiClient, channel: str, sample: Sample) -> Any:
    """Upload a file and send it on this channel. Returns the provider's own book of it."""
    simulator = demo.environment.simulators[channel]
    await demo.say(channel, "/start")
    step = {"channel": channel, "media": {"id": (await upload(demo, sample))["id"]}}
    key = await demo.send(step, chatSessionId=session_of(demo, channel))
    await demo.wait_for(key, "SENT", "DELIVERED", "READ")
    return simulator.accepted[-1].request


async def test_an_upload_says_what_it_is(demo: ApiClient) -> None:
    answers = [await upload(demo, sample) for sample in SAMPLES]
    assert [answer["type"] for answer in answers] == ["image", "audio", "video", "document"]
    assert [answer["contentType"] for answer in answers] == [sample.content_type for sample in SAMPLES]
    assert [answer["size"] for answer in answers] == [len(sample.body) for sample in SAMPLES]
    assert [answer["name"] for answer in answers] == [sample.name for sample in SAMPLES]
    assert (await download(demo, answers[0]["id"]))[2] == PICTURE.body


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
async def test_telegram_gets_the_bytes(demo: ApiClient, sample: Sample) -> None:
    await sent(demo, "telegram", sample)
    simulator: Any = demo.environment.simulators["telegram"]
    assert list(simulator.uploads.values()) == [sample.body]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
async def test_vk_gets_the_bytes(demo: ApiClient, sample: Sample) -> None:
    await sent(demo, "vk", sample)
    simulator: Any = demo.environment.simulators["vk"]
    assert [file.body for file in simulator.files.stored.values()] == [sample.body]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
async def test_whatsapp_gets_the_bytes_under_an_id(demo: ApiClient, sample: Sample) -> None:
    request = await sent(demo, "whatsapp", sample)
    simulator: Any = demo.environment.simulators["whatsapp"]
    media = simulator.media[request[request["type"]]["id"]]
    assert (media.body, media.mime) == (sample.body, sample.content_type)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
async def test_viber_fetches_the_bytes_from_a_link(demo: ApiClient, sample: Sample) -> None:
    request = await sent(demo, "viber", sample)
    async with aiohttp.ClientSession() as viber, viber.get(request["media"]) as response:
        assert await response.read() == sample.body
    if request["type"] == "file":
        assert (request["size"], request["file_name"]) == (len(sample.body), sample.name)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
async def test_a_text_message_has_a_link_to_the_bytes(demo: ApiClient, sample: Sample) -> None:
    request = await sent(demo, "sms", sample)
    async with aiohttp.ClientSession() as person, person.get(request["Body"]) as response:
        assert await response.read() == sample.body


async def test_a_file_for_many_people_is_uploaded_once(demo: ApiClient) -> None:
    await demo.say("whatsapp", "/start")
    await demo.say("whatsapp", "/start", "+79000000002")
    step = {"channel": "whatsapp", "media": {"id": (await upload(demo, PICTURE))["id"]}}
    for phone in (PHONE, "+79000000002"):
        await demo.wait_for(await demo.send(step, phone=phone), "DELIVERED", "READ")
    simulator: Any = demo.environment.simulators["whatsapp"]
    assert len(simulator.media) == 1


async def test_an_operator_replies_with_an_upload(demo: ApiClient) -> None:
    await demo.say("telegram", "Hello")
    simulator: Any = demo.environment.simulators["telegram"]
    reply = {"text": "Here it is", "media": {"id": (await upload(demo, PAPER))["id"]}}
    status, item = await demo.post(f"/api/v1/sessions/{session_of(demo, 'telegram')}/messages", reply)
    assert status == 202, item
    await demo.wait_for(item["id"], "SENT")
    assert list(simulator.uploads.values()) == [PAPER.body]


async def test_what_cannot_be_sent_is_refused_with_its_field(demo: ApiClient) -> None:
    key = (await upload(demo, PICTURE))["id"]
    cases: tuple[tuple[dict[str, str], str, str], ...] = (
        ({"id": "u" + "A" * 22}, "unknown_media", "media.id"),
        ({"id": "m"}, "unknown_media", "media.id"),
        ({}, "invalid", "media"),
        ({"id": key, "url": "https://shop.ru/a.png", "type": "image"}, "invalid", "media"),
        ({"url": "https://shop.ru/a.png"}, "invalid", "media.type"),
    )
    for media, code, field in cases:
        error = await refused(demo, {"channel": "sms", "text": "Hi", "media": media})
        assert (error["code"], error["field"]) == (code, f"messages[0].channels[0].{field}"), media
    runtime = demo.environment.runtime
    demo.pass_time(hours=30 * 24 - 1)
    assert (await refused(demo, {"channel": "sms", "media": {"id": key}}))["code"] == "media_expires"
    demo.pass_time(hours=2)
    assert (await refused(demo, {"channel": "sms", "media": {"id": key}}))["code"] == "unknown_media"
    await sweep(runtime, runtime.clock())
    assert await runtime.db["contents.chunks"].find_one() is None


async def test_without_a_secret_only_those_get_it_who_take_bytes(demo: ApiClient) -> None:
    await demo.say("telegram", "/start")
    runtime = demo.environment.runtime
    runtime.settings = replace(runtime.settings, media_secrets=())
    key = (await upload(demo, PICTURE))["id"]
    for channel in ("viber", "sms"):
        assert (await refused(demo, {"channel": channel, "media": {"id": key}}))["code"] == "no_links"
    step = {"channel": "telegram", "media": {"id": key}}
    await demo.wait_for(await demo.send(step, chatSessionId=session_of(demo, "telegram")), "SENT")


async def refused(demo: ApiClient, step: dict[str, Any]) -> Any:
    """Send a message that is not accepted. Returns its error."""
    message = {"destinations": [{"phone": PHONE}], "channels": [step]}
    return (await demo.post("/api/v1/messages", {"messages": [message]}))[1]["messages"][0]["error"]


async def test_the_largest_file_is_taken_and_one_byte_more_is_not(demo: ApiClient) -> None:
    body = PAPER.body + bytes(LARGEST - len(PAPER.body))
    async with Gateway(demo.environment.url, demo.environment.key) as client:
        with watched() as stalls:
            file = await client.upload_media(body, "large.pdf")
            assert (file.size, file.content_type) == (LARGEST, "application/pdf")
            assert await client.download_media(file.id) == body
    assert stalls.longest < BLOCKED
    async with demo.http.post("/api/v1/media", data=BytesIO(body + b"!")) as response:
        assert response.status == 413
    async with demo.http.post("/api/v1/media", data=b"") as response:
        assert response.status == 400


async def test_what_a_browser_would_run_is_saved_and_not_shown(demo: ApiClient) -> None:
    answer = await upload(demo, Sample("a.png", "image/png", b"<html><script>alert(1)</script></html>"))
    assert (answer["type"], answer["contentType"]) == ("document", "text/html")
    status, headers, _ = await get(demo, f"/api/v1/media/{answer['id']}")
    assert (status, headers["Content-Disposition"].partition(";")[0]) == (200, "attachment")


async def test_uploads_are_kept_as_long_as_the_settings_say(demo: ApiClient) -> None:
    runtime = demo.environment.runtime
    runtime.settings = replace(runtime.settings, uploads_kept=timedelta(days=2))
    file = await upload(demo, PICTURE)
    demo.pass_time(hours=49)
    assert (await download(demo, file["id"]))[0] == 404
