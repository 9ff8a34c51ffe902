"""Consent, through the providers' webhooks: which words and presses end a conversation and marketing."""

import asyncio
from typing import Any

import pytest

from bots.sms.simulator import Server as Sms
from tests.support.client import ApiClient, until
from tests.support.workload import phones

CHANNELS = ("telegram", "vk", "viber", "whatsapp", "sms")
STOPS = ("стоп", "“STOP”", "[STOP]", "REVOKE", "Отписаться 🙏", "/stop it all!")
OTHERS = (
    "Stop by tomorrow, I am home after six",
    "Stop sending two copies, one is enough",
    "could you stop",
    "Start with the second one",
    "Yes",
)
SERVICE = "Your visit is cancelled."
QUESTION = "Your visit is tomorrow."


async def shown(demo: ApiClient, path: str, **query: str) -> Any:
    async with demo.http.get(path, params=query) as response:
        return await response.json() if response.status == 200 else {}


def session_of(demo: ApiClient, channel: str, phone: str) -> str:
    simulator = demo.environment.simulators[channel]
    return f"{channel}:demo:{simulator.known_as(simulator.user_of(phone))}"


async def begin(demo: ApiClient, channel: str, phone: str) -> None:
    """Let a person write to us for the first time, and wait for the greeting."""
    await demo.say(channel, "/start", phone)


async def write(demo: ApiClient, channel: str, phone: str, text: str) -> None:
    """Let them write, and wait until it stands in the chat log."""
    simulator = demo.environment.simulators[channel]
    await simulator.say(simulator.user_of(phone), text)
    await wait_for_line(demo, channel, phone, text)


async def wait_for_line(demo: ApiClient, channel: str, phone: str, text: str) -> None:
    path = f"/api/v1/sessions/{session_of(demo, channel, phone)}/messages"

    async def is_logged() -> bool:
        lines = (await shown(demo, path)).get("messages", [])
        return any(line["direction"] == "in" and line["text"] == text for line in lines)

    await until(is_logged)


async def is_stopped(demo: ApiClient, channel: str, phone: str) -> tuple[bool, bool]:
    """Return whether the conversation has stopped, and whether the person is out of marketing."""
    session = session_of(demo, channel, phone)
    has_stopped = (await shown(demo, f"/api/v1/sessions/{session}"))["stoppedAt"] is not None
    return has_stopped, await is_out_of_marketing(demo, chatSessionId=session)


async def is_out_of_marketing(demo: ApiClient, **person: str) -> bool:
    return any(opt_out["holds"] for opt_out in (await shown(demo, "/api/v1/optOuts", **person))["optOuts"])


async def send(demo: ApiClient, channel: str, phone: str, text: str, *buttons: dict[str, str]) -> Any:
    step = {"channel": channel, "text": text, "buttons": list(buttons)}
    key = await demo.send(step, chatSessionId=session_of(demo, channel, phone))
    return await demo.wait_for(key, "SENT", "DELIVERED", "READ", "UNDELIVERED")


@pytest.mark.parametrize("channel", CHANNELS)
async def test_only_a_word_alone_ends_anything(demo: ApiClient, channel: str) -> None:
    people = [person["phone"] for person in phones(len(STOPS) + len(OTHERS))]
    await asyncio.gather(*(begin(demo, channel, phone) for phone in people))
    texts = dict(zip(people, STOPS + OTHERS, strict=True))
    await asyncio.gather(*(write(demo, channel, phone, text) for phone, text in texts.items()))
    for phone, text in texts.items():
        stops = text in STOPS
        assert await is_stopped(demo, channel, phone) == (stops, stops), text
        story = await send(demo, channel, phone, SERVICE)
        assert (story["status"] != "UNDELIVERED") is not stops, text


@pytest.mark.parametrize("channel", [channel for channel in CHANNELS if channel != "sms"])
@pytest.mark.parametrize("reply", ["", "Cancel", "cancel:5"])
async def test_a_callers_button_ends_nothing_whatever_stands_on_it(demo: ApiClient, channel: str, reply: str) -> None:
    phone = phones(1)[0]["phone"]
    await begin(demo, channel, phone)
    cancel = {"text": "Cancel"} | ({"reply": reply} if reply else {})
    await send(demo, channel, phone, QUESTION, {"text": "I will come", "reply": "come"}, cancel)
    await demo.press(channel, "Cancel", phone)
    assert await is_stopped(demo, channel, phone) == (False, False)
    assert (await send(demo, channel, phone, SERVICE))["status"] != "UNDELIVERED"
    assert demo.answers(channel, phone)[-1].text == SERVICE


async def test_a_vibers_keyboard_counts_while_it_is_on_the_screen(demo: ApiClient) -> None:
    """The client shows the last keyboard until another comes. REST Bot API: Keyboards."""
    phone = phones(1)[0]["phone"]
    await begin(demo, "viber", phone)
    await send(demo, "viber", phone, QUESTION, {"text": "Cancel"})
    question, viber = demo.answers("viber", phone)[-1].id, demo.environment.simulators["viber"]
    await asyncio.gather(*(send(demo, "viber", phone, f"{SERVICE} {number}") for number in range(25)))
    await viber.press(viber.user_of(phone), question, "Cancel")
    await wait_for_line(demo, "viber", phone, "Cancel")
    assert await is_stopped(demo, "viber", phone) == (False, False)
    await write(demo, "viber", phone, "stop")
    assert await is_stopped(demo, "viber", phone) == (True, True)


@pytest.mark.parametrize("channel", CHANNELS)
async def test_our_own_stop_button_ends_it(demo: ApiClient, channel: str) -> None:
    phone = phones(1)[0]["phone"]
    await begin(demo, channel, phone)
    if channel == "sms":
        await demo.say(channel, "2", phone)
    else:
        await demo.press(channel, "Stop", phone)
    assert await is_stopped(demo, channel, phone) == (True, True)


@pytest.mark.parametrize(("text", "end"), [("2️⃣", ""), ("2. Cancel", ""), ("i will come!", ""), ("Cancel", "stopped")])
async def test_a_numbered_button_is_chosen_but_a_carriers_word_stays_one(demo: ApiClient, text: str, end: str) -> None:
    """A carrier obeys a bare "Cancel" itself, whatever was asked; a number it does not know."""
    phone = phones(1)[0]["phone"]
    await begin(demo, "sms", phone)
    site = {"text": "Our site", "url": "https://shop.ru"}
    await send(demo, "sms", phone, QUESTION, site, {"text": "I will come"}, {"text": "Cancel"})
    assert demo.answers("sms", phone)[-1].text.splitlines()[2:] == ["1. I will come", "2. Cancel"]
    await write(demo, "sms", phone, text)
    assert await is_stopped(demo, "sms", phone) == (bool(end), bool(end))
    assert ((await send(demo, "sms", phone, SERVICE))["status"] == "UNDELIVERED") is bool(end)


@pytest.mark.parametrize(
    ("text", "said", "end"),
    [("Schluss", "STOP", "stopped"), ("STOP", "STOP", "stopped"), ("HELP", "HELP", ""), ("YES", "START", "")],
)
async def test_what_the_provider_has_answered_counts_and_is_not_answered_again(
    demo: ApiClient, text: str, said: str, end: str
) -> None:
    """Twilio takes a messaging service's own words for commands, answers them, and says so."""
    phone, sms = phones(1)[0]["phone"], demo.environment.simulators["sms"]
    assert isinstance(sms, Sms)
    await begin(demo, "sms", phone)
    form = {"MessageSid": f"SM{'0' * 32}", "From": phone, "Body": text, "OptOutType": said}
    sms._post_form(sms.webhook_url, form)
    await wait_for_line(demo, "sms", phone, text)
    assert await is_stopped(demo, "sms", phone) == (bool(end), bool(end))
    story = await send(demo, "sms", phone, SERVICE)
    assert (story["status"] == "UNDELIVERED") is bool(end)
    assert len(demo.answers("sms", phone)) == (1 if end else 2), "the greeting, and the message where it went"
