"""Words of others, through the providers' webhooks: what a person forwards or hands over is nothing that they say."""

from functools import partial
from typing import Any

from bots.telegram.simulator.server import Server as Telegram
from bots.viber.simulator.server import Server as Viber
from bots.vk.simulator.server import Server as Vk
from bots.whatsapp.simulator.server import Server as WhatsApp
from tests.gateway.conversations.test_consent import begin, is_stopped, wait_for_line, write
from tests.support.client import PHONE, ApiClient, until

OTHERS = {
    "telegram": (
        {"text": "stop", "forward_origin": {"type": "hidden_user", "sender_user_name": "Boris", "date": 1795430000}},
        {"text": "/stop", "forward_origin": {"type": "hidden_user", "sender_user_name": "Boris", "date": 1795430000}},
        {"text": "stop", "via_bot": {"id": 5, "is_bot": True, "first_name": "Weather"}},
        {"game": {"title": "Stop", "description": "Stop", "photo": []}},
        {"poll": {"id": "5", "question": "Stop", "options": []}},
        {"contact": {"phone_number": "", "first_name": "Stop"}},
        {"venue": {"title": "/stop", "address": "", "location": {"latitude": 1, "longitude": 1}}},
    ),
    "vk": (
        {"text": "", "fwd_messages": [{"text": "стоп", "from_id": 5, "fwd_messages": []}]},
        {"text": "", "geo": {"type": "point", "place": {"title": "/stop"}}},
        {"text": "", "attachments": [{"type": "poll", "poll": {"id": 5, "owner_id": 5, "question": "стоп"}}]},
        {"text": "", "attachments": [{"type": "wall", "wall": {"id": 5, "owner_id": 5, "text": "/stop"}}]},
    ),
    "viber": (
        {"type": "contact", "contact": {"name": "Stop", "phone_number": ""}},
        {"type": "contact", "contact": {"name": "/stop", "phone_number": ""}},
    ),
    "whatsapp": (
        {"type": "text", "text": {"body": "stop"}, "context": {"forwarded": True}},
        {"type": "text", "text": {"body": "/stop"}, "context": {"frequently_forwarded": True}},
        {"type": "location", "location": {"name": "/stop", "latitude": 1, "longitude": 1}},
        {"type": "contacts", "contacts": [{"name": {"formatted_name": "Stop"}, "phones": []}]},
        {"type": "interactive", "interactive": {"type": "list_reply", "list_reply": {"title": "Stop"}}},
        {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"title": "Stop"}}},
        {"type": "button", "button": {"text": "Stop"}},
    ),
}


def hand_over(demo: ApiClient, channel: str, fields: dict[str, Any]) -> None:
    """Let the person send a message with these fields, as their messenger reports it."""
    simulator = demo.environment.simulators[channel]
    user = simulator.user_of(PHONE)
    match simulator:
        case Telegram():
            simulator._write(user, "", **fields)
        case Vk():
            simulator._write(user, **fields)
        case Viber():
            simulator.write(user, fields)
        case WhatsApp():
            simulator._write(user, fields, "")


async def test_only_what_people_write_themselves_ends_anything(demo: ApiClient) -> None:
    for channel, messages in OTHERS.items():
        await begin(demo, channel, PHONE)
        for fields in messages:
            hand_over(demo, channel, fields)
        await write(demo, channel, PHONE, "that is all")
        assert await is_stopped(demo, channel, PHONE) == (False, False), channel
        await write(demo, channel, PHONE, "[STOP]")
        await until(partial(_has_stopped, demo, channel))


async def test_vk_shows_what_is_forwarded_and_obeys_what_is_said_with_it(demo: ApiClient) -> None:
    """What others wrote stands below the person's own word, and our community's name before it is no part of it."""
    await begin(demo, "vk", PHONE)
    vk = demo.environment.simulators["vk"]
    assert isinstance(vk, Vk)
    within = {"text": "Your visit is tomorrow", "fwd_messages": [{"text": "Sale"}, {"text": None}]}
    post = {"id": 5, "owner_id": 5, "text": "Look", "copy_history": [{"type": "post", "text": "Half the price"}]}
    repost = {"text": "", "attachments": [{"type": "wall", "wall": post}]}
    hand_over(demo, "vk", {"text": "[club5|@other] стоп"})
    await wait_for_line(demo, "vk", PHONE, "[club5|@other] стоп")
    assert await is_stopped(demo, "vk", PHONE) == (False, False)
    ours = f"[club{vk.account.group_id}|@shop]"
    hand_over(demo, "vk", {"text": f"{ours} стоп", "fwd_messages": [within, repost, {"text": "See you"}]})
    await wait_for_line(demo, "vk", PHONE, "стоп\nYour visit is tomorrow\nSale\nLook\nHalf the price\nSee you")
    await until(partial(_has_stopped, demo, "vk"))


async def _has_stopped(demo: ApiClient, channel: str) -> bool:
    return await is_stopped(demo, channel, PHONE) == (True, True)
