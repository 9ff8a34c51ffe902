"""How the stand-in deletes messages. VK API: messages.delete."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bots.simulation.simulation import Phone
from bots.vk.simulator.rules import VkError, wrong

DELETABLE = timedelta(hours=24)


def delete(phone: Phone, params: Mapping[str, str], now: datetime) -> list[dict[str, Any]]:
    """Without delete_for_all a message leaves the community's own list alone, and the person still sees it."""
    numbers = numbers_of(params)
    ids = {f"{phone.user}/{number}" for number in numbers}
    found = [bubble for bubble in phone.screen if bubble.id in ids]
    if params.get("delete_for_all") == "1":
        if any(bubble.mine or now - bubble.at >= DELETABLE for bubble in found):
            raise VkError(924, "Can't delete this message for everybody")
        phone.screen = [bubble for bubble in phone.screen if bubble.id not in ids]
    there = {bubble.id for bubble in found}
    return [_line(phone.user, number, deleted=f"{phone.user}/{number}" in there) for number in numbers]


def numbers_of(params: Mapping[str, str]) -> list[int]:
    """The messages, by their numbers within the conversation."""
    given = params.get("cmids", "").split(",")
    if not all(number.isdecimal() for number in given):
        raise wrong("cmids is invalid")
    return [int(number) for number in given]


def _line(peer: str, number: int, *, deleted: bool) -> dict[str, Any]:
    return {"peer_id": int(peer), "conversation_message_id": number, "response": int(deleted)}
