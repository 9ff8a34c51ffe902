"""Edits, through the providers' webhooks: they are put on record, and nothing follows from them."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from bots.simulation.simulation import Simulator
from bots.telegram.inbound.webhook import SECRET_HEADER
from bots.telegram.simulator.server import Server as Telegram
from bots.vk.simulator.server import Server as Vk
from bots.whatsapp.simulator.server import Server as WhatsApp
from gateway.domain.channel.calls import Call
from gateway.runtime.settings.settings import Settings
from tests.gateway.conversations.test_consent import begin, is_stopped, session_of, shown
from tests.support.client import PHONE, ApiClient, until
from tests.support.http.callback_receiver import opened_callback_receiver
from webhooks.demo.environment import opened_environment

EDITED = "/stop"


def edit(simulator: Simulator, user: str, key: str) -> None:
    """Let the provider report that the person has changed the message of this `providerId` into a command."""
    number = int(key.rpartition("/")[2]) if "/" in key else 0
    now = simulator.clock()
    at = int(now.timestamp())
    match simulator:
        case Telegram():
            person = {"id": int(user), "is_bot": False, "first_name": "Anna"}
            message = {
                "message_id": number,
                "from": person,
                "chat": {"id": int(user), "type": "private"},
                "text": EDITED,
            }
            update = {"update_id": 900000001, "edited_message": {**message, "date": at, "edit_date": at}}
            headers = {SECRET_HEADER: simulator.account.webhook_secret.reveal()}
            simulator.deliver(Call("POST", simulator.webhook_url, headers, json.dumps(update).encode(), now))
        case Vk():
            message = {"peer_id": int(user), "from_id": int(user), "conversation_message_id": number, "text": EDITED}
            simulator._post_event("message_edit", {**message, "date": at, "update_time": at, "out": 0})
        case WhatsApp():
            change = {"original_message_id": key, "message": {"type": "text", "text": {"body": EDITED}}}
            simulator._write(user, {"type": "edit", "edit": change}, EDITED)


async def lines_of(demo: ApiClient, session: str) -> Any:
    return (await shown(demo, f"/api/v1/sessions/{session}/messages"))["messages"]


async def said(demo: ApiClient, session: str) -> Any:
    """Return the line of what the person has said first."""
    return next(line for line in reversed(await lines_of(demo, session)) if line["direction"] == "in")


@pytest.mark.parametrize("channel", ["telegram", "vk", "whatsapp"])
async def test_an_edit_is_nothing_newly_said(settings: Settings, channel: str) -> None:
    async with (
        opened_callback_receiver() as receiver,
        opened_environment(replace(settings, callbacks={f"{channel}:demo": receiver.url})) as environment,
        ApiClient.of(environment) as demo,
    ):
        await begin(demo, channel, PHONE)
        session = session_of(demo, channel, PHONE)
        demo.pass_time(hours=25)
        before, answers = await shown(demo, f"/api/v1/sessions/{session}"), len(demo.answers(channel))
        simulator, key = environment.simulators[channel], (await said(demo, session))["providerId"]
        edit(simulator, simulator.user_of(PHONE), key)

        async def edited_line() -> Any:
            return next((line for line in await lines_of(demo, session) if line["edited"]), None)

        line = await until(edited_line)
        assert (line["direction"], line["text"], line["providerId"]) == ("in", EDITED, key)

        async def edited_call() -> Any:
            return next((call for call in receiver.accepted if call["event"] == "message.edited"), None)

        call = await until(edited_call)
        assert (call["text"], call["session"]) == (EDITED, session)
        inbound = next(call for call in receiver.accepted if call["event"] == "message.inbound")
        assert (call["author"], inbound["author"]) == (None, None), "in a private chat it is the person"
        assert (call["name"], inbound["name"]) == (before["name"], before["name"]), "as far as the provider tells one"
        assert call["providerId"] == inbound["providerId"] == key, "it names the message that was changed"
        assert await is_stopped(demo, channel, PHONE) == (False, False)
        assert await shown(demo, f"/api/v1/sessions/{session}") == before, "neither the window nor anything else moves"
        await demo.say(channel, "/help")
        assert len(demo.answers(channel)) == answers + 1
