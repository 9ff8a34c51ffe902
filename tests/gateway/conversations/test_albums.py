"""Albums: each file is a message of its own, and the person is answered once. Presses that belong to no chat."""

from typing import Any

from tests.support.client import ApiClient
from tests.webhooks.inbound.test_webhooks import deliver, let_write, telegram, until_idle, update


def picture(number: int, album: str, chat: int = 7) -> dict[str, Any]:
    body = update(number, chat=chat)
    del body["message"]["text"]
    body["message"] |= {"photo": [{"file_id": f"photo-{number}"}], "media_group_id": album}
    return body


async def test_an_album_is_answered_once_and_its_files_are_known_to_belong_together(demo: ApiClient) -> None:
    let_write(demo, 7, 8)
    for number in range(1, 5):
        assert await deliver(demo, picture(number, "one")) == 200
    await deliver(demo, picture(5, "two"))
    await deliver(demo, picture(6, "one", chat=8))
    await until_idle(demo.environment.runtime)
    assert sorted(message.user for message in telegram(demo).accepted) == ["7", "7", "8"]
    async with demo.http.get("/api/v1/sessions/telegram%3Ademo%3A7/messages") as response:
        lines = [line for line in (await response.json())["messages"] if line["direction"] == "in"]
    assert sorted((line["album"], line["media"]["id"]) for line in lines) == [
        ("one", "photo-1"),
        ("one", "photo-2"),
        ("one", "photo-3"),
        ("one", "photo-4"),
        ("two", "photo-5"),
    ]
