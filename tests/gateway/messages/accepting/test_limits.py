"""Whatever validate calls fine arrives at stand-ins that enforce their providers' limits; of the rest it warns.

Every kind of text, buttons and file that the API takes is sent over every channel, up to the largest, and mixtures.
"""

import random
from typing import Any

import pytest

from tests.support.client import ApiClient
from tests.support.http.file_server import PNG, opened_file_server
from tests.support.workload import ENDS, open_conversations, phones

CHANNELS = ("telegram", "vk", "viber", "whatsapp", "sms")
MIXTURES = 10
TEXTS = [
    "Hi",
    "я" * 1024,
    "я" * 1025,
    "a" * 4096,
    "a " * 2049,
    "👍" * 8192,
    "漢" * 7001,
    '"' * 7000,
    "\x01a" * 3500,
    "<&>" * 5461,
    "[id1|x] " * 600,
    "a" + "\n" * 9000 + "b",
    "a" * 4096 + "\u200b" * 100,
    "\u200b" * 5000 + "a",
]
UNSEEN = [" ", "\n\t", "\u200b", "\u2060\ufeff", "\u3164", "\u200d\u00ad"]
LINK = "https://shop.ru/"
BUTTONS: list[list[dict[str, str]]] = [
    [{"text": "Yes"}],
    [{"text": "я" * 64}],
    [{"text": "👍" * 64, "reply": "👍" * 64}],
    [{"text": "<" * 64, "reply": '"' * 64}] * 3,
    [{"text": f"{number}" + "я" * 63, "reply": f"{number}" + "\x01" * 63} for number in range(10)],
    [{"text": "Site", "url": LINK + "a" * (2048 - len(LINK))}],
    [{"text": f"Site {number}", "url": LINK + "я" * (2048 - len(LINK))} for number in range(10)],
    [{"text": "Yes"}, {"text": "Site", "url": LINK}, {"text": "Yes"}, {"text": "No"}, {"text": "Later"}],
]
FILES = {
    "image": ["a.jpg", "a.png", "a.gif", "a.webp", "a.svg", "a", "large.png", "a.png?" + "q" * 1990],
    "video": ["a.mp4", "a.mov", "a.webm", "a"],
    "audio": ["a.mp3", "a.ogg", "a.wav", "a.m4a", "a"],
    "document": ["a.pdf", "a.docx", "a.mp3", "a.exe", "a.zip", "a", "a" * 200 + ".txt"],
}


def media(url: str) -> list[dict[str, str]]:
    """Return a file of every type and ending, some with a name of their own."""
    files = [{"type": kind, "url": f"{url}/{name}"} for kind, names in FILES.items() for name in names]
    return [*files, *({**file, "name": "n" * 256} for file in files[::3])]


def contents(url: str, seed: str) -> list[dict[str, Any]]:
    """Return steps without their channel: each kind by itself, and mixtures."""
    chance, files = random.Random(seed), media(url)
    alone: list[dict[str, Any]] = [{"text": text} for text in [*TEXTS, *UNSEEN]]
    alone += [{"text": "?", "buttons": buttons} for buttons in [*BUTTONS, [{"text": UNSEEN[2]}]]]
    alone += [{"text": chance.choice(["", "Look"]), "media": file} for file in files]
    mixed = [
        {"text": chance.choice(TEXTS), "buttons": chance.choice(BUTTONS), "media": chance.choice(files)}
        for _ in range(MIXTURES)
    ]
    return [*alone, *mixed, *({**step, "media": None} for step in mixed)]


async def post(client: ApiClient, path: str, messages: list[dict[str, Any]]) -> list[Any]:
    """Post messages, a few in a request. Returns the items of all answers."""
    items: list[Any] = []
    for first in range(0, len(messages), 5):
        status, answer = await client.post(path, {"messages": messages[first : first + 5]})
        assert status in (200, 202), answer
        items += answer["messages"]
    return items


@pytest.mark.parametrize("channel", CHANNELS)
async def test_what_validate_calls_fine_arrives(demo: ApiClient, channel: str) -> None:
    async with opened_file_server() as server:
        for names in FILES.values():
            for name in names:
                server.files[name.partition("?")[0]] = (b"OggS data", "application/octet-stream")
        server.files["large.png"] = (PNG + bytes(1_100_000), "image/png")
        steps = [{"channel": channel, **step} for step in contents(server.url, channel)]
        people = phones(len(steps))
        if channel != "sms":
            people = await open_conversations(demo, channel, people)
        messages = [
            {"destinations": [person], "channels": [step], "useShortLinks": False}
            for person, step in zip(people, steps, strict=True)
        ]
        verdicts = await post(demo, "/api/v1/messages/validate", messages)
        accepted = await post(demo, "/api/v1/messages", messages)
        sent = {item["id"]: number for number, item in enumerate(accepted) if "id" in item}
        assert [number for number, verdict in enumerate(verdicts) if "error" not in verdict] == list(sent.values())
        stories = [await demo.wait_for(key, *ENDS) for key in sent]
        failed = [
            (steps[sent[story["id"]]], story["attempts"][-1]["reason"])
            for story in stories
            if story["status"] not in ("SENT", "DELIVERED", "READ") and not verdicts[sent[story["id"]]]["warnings"]
        ]
        assert failed == []
        assert len(sent) == len(steps) - len(UNSEEN) - 1, "only what nobody can see is refused"
