"""What clients upload: it is sent by its id, as bytes where the provider takes these, else by a link of ours."""

from datetime import timedelta
from io import BytesIO
from typing import Any

from msgspec.structs import replace

from gateway.client import Gateway
from gateway.messages.media.keeping import sweep
from gateway.messages.media.uploading import LARGEST
from tests.gateway.messages.media.steps import session_of, upload
from tests.support.client import PHONE, ApiClient
from tests.support.files import PAPER, PICTURE, SOUND, VIDEO, Sample, download, get
from tests.support.hostile.stalls import BLOCKED, watched

SAMPLES = [PICTURE, SOUND, VIDEO, PAPER]


async def test_an_upload_says_what_it_is(demo: ApiClient) -> None:
    answers = [await upload(demo, sample) for sample in SAMPLES]
    assert [answer["type"] for answer in answers] == ["image", "audio", "video", "document"]
    assert [answer["contentType"] for answer in answers] == [sample.content_type for sample in SAMPLES]
    assert [answer["size"] for answer in answers] == [len(sample.body) for sample in SAMPLES]
    assert [answer["name"] for answer in answers] == [sample.name for sample in SAMPLES]
    assert (await download(demo, answers[0]["id"]))[2] == PICTURE.body


async def test_a_part_of_a_file_is_had_by_its_range(demo: ApiClient) -> None:
    body = PAPER.body * 8  # some of GridFS's pieces
    address = f"/api/v1/media/{(await upload(demo, PAPER._replace(body=body)))['id']}"
    size = len(body)
    cases: tuple[tuple[str, int, bytes, str | None], ...] = (
        ("bytes=0-0", 206, body[:1], f"bytes 0-0/{size}"),
        ("bytes=262000-300000", 206, body[262_000:300_001], f"bytes 262000-300000/{size}"),
        ("bytes=-7", 206, body[-7:], f"bytes {size - 7}-{size - 1}/{size}"),
        (f"bytes=5-{size * 9}", 206, body[5:], f"bytes 5-{size - 1}/{size}"),
        ("bytes=0-1,4-5", 200, body, None),
        ("lines=1-2", 200, body, None),
        ("bytes=x", 200, body, None),
        ("", 200, body, None),
    )
    for wanted, status, part, told in cases:
        async with demo.http.get(address, headers={"Range": wanted}) as response:
            assert (response.status, await response.read() == part, response.headers.get("Content-Range")) == (
                status,
                True,
                told,
            ), wanted
            assert response.headers["Content-Length"] == str(len(part))
    async with demo.http.get(address, headers={"Range": f"bytes={size}-"}) as response:
        assert (response.status, response.content_type) == (416, "application/json")


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


async def test_a_templates_header_has_an_upload(demo: ApiClient) -> None:
    meta: Any = demo.environment.simulators["whatsapp"]
    head = {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4:a"]}}
    body = {"type": "BODY", "text": "Your parcel is here."}
    stored = {**meta.templates["order_update", "en"], "id": "7", "name": "parcel", "components": [head, body]}
    meta.templates["parcel", "en"] = stored
    await demo.post("/api/v1/messageTemplates/sync", {"channel": "whatsapp"})
    keys = [(await upload(demo, sample))["id"] for sample in (PICTURE, PAPER)]
    step = {"channel": "whatsapp", "template": {"name": "parcel", "language": "en"}}
    steps = [{**step, "template": {**step["template"], "header": {"type": "image", "id": key}}} for key in keys]  # type: ignore[dict-item]
    await demo.wait_for(await demo.send(steps[0]), "DELIVERED", "READ")
    (part,) = meta.accepted[-1].request["template"]["components"][0]["parameters"]
    assert meta.media[part["image"]["id"]].body == PICTURE.body
    error = await refused(demo, steps[1])
    assert (error["code"], error["field"]) == ("bad_media", "messages[0].channels[0].template.header.id")


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
