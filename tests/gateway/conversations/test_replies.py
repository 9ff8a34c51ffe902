"""What a pressed button says is the reply that the caller gave it, whatever the provider has room for."""

from typing import Any

import pytest
from msgspec.structs import replace

from gateway.domain.channel.replies import read_stand_in
from gateway.runtime.settings.settings import Settings
from tests.support.client import PHONE, ApiClient, until
from tests.support.http.callback_receiver import CallbackReceiver, opened_callback_receiver
from tests.support.workload import open_conversations
from webhooks.demo.environment import opened_environment

CHANNELS = ("telegram", "vk", "viber", "whatsapp")
LARGE: dict[str, list[dict[str, str]]] = {
    "a reply of 64 letters that are two bytes each": [{"text": "Да", "reply": "я" * 64}],
    "a text of 64 such letters without a reply": [{"text": "Щ" * 64}],
    "64 characters that JSON writes as six": [{"text": "Да", "reply": "\x01" * 64}],
    "a reply with spaces around it": [{"text": "Yes", "reply": " y "}],
    "a reply that looks like one of ours": [{"text": "Yes", "reply": "reply-" + "A" * 22}],
    "ten buttons of 64 emoji": [{"text": f"{number}" + "👍" * 63} for number in range(10)],
}
DOUBLED: dict[str, list[dict[str, str]]] = {
    "one reply on two buttons": [{"text": "Yes", "reply": "y"}, {"text": "Of course", "reply": "y"}],
    "one text on two buttons": [{"text": "Yes", "reply": "1"}, {"text": "Yes", "reply": "2"}],
    "the same button twice": [{"text": "Yes"}, {"text": "Yes"}],
    "two long texts with one beginning": [{"text": "Щ" * 63 + "1"}, {"text": "Щ" * 63 + "2"}],
}
"""No two buttons look the same on WhatsApp, which refuses that; elsewhere a person cannot tell them apart either."""


async def replies(receiver: CallbackReceiver, count: int) -> list[str]:
    """Wait for so many of the account's calls about messages. Returns what each says; a Viber button writes a text."""

    async def events() -> list[Any] | None:
        found = [event for event in receiver.accepted if event["event"] == "message.inbound"]
        return found if len(found) >= count else None

    return [event["button"] or event["text"] for event in await until(events)]


@pytest.mark.parametrize("channel", CHANNELS)
async def test_each_button_says_its_own_reply(channel: str, settings: Settings) -> None:
    messages = [*LARGE.values(), *(DOUBLED.values() if channel == "whatsapp" else ())]
    async with opened_callback_receiver() as receiver:
        settings = replace(settings, callbacks={f"{channel}:demo": receiver.url})
        async with opened_environment(settings) as environment, ApiClient.of(environment) as client:
            (anna,) = await open_conversations(client, channel, [{"phone": PHONE}])
            simulator, expected = environment.simulators[channel], list[str]()
            for buttons in messages:
                key = await client.send({"channel": channel, "text": "Coming?", "buttons": buttons}, **anna)
                await client.wait_for(key, "SENT", "DELIVERED", "READ")
                bubble = next(bubble for bubble in reversed(client.answers(channel)) if bubble.text == "Coming?")
                for button in bubble.buttons:
                    await simulator.press(simulator.user_of(PHONE), bubble.id, button.text)
                expected += [button.get("reply") or button["text"] for button in buttons]
            assert sorted(await replies(receiver, len(expected))) == sorted(expected)
            shown = {str(event["text"]) for event in receiver.accepted if event["event"] == "message.inbound"}
            assert {text for text in shown if read_stand_in(text)} <= set(expected), "an id of ours is shown to nobody"
