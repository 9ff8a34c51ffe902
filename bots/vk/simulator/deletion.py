"""Deletes messages in the stand-in. VK API: messages.delete."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bots.simulation.simulation import Phone
from bots.vk.simulator.rules import VkError, invalid_parameter

DELETABLE = timedelta(hours=24)


def delete(phone: Phone, params: Mapping[str, str], now: datetime) -> list[dict[str, Any]]:
    """Delete messages and return an entry for each. Raises VkError where one cannot be deleted for everybody.

    Without delete_for_all a message disappears only from the community's own list, and the person still sees it.
    """
    numbers = numbers_of(params)
    ids = {f"{phone.user}/{number}" for number in numbers}
    bubbles = [bubble for bubble in phone.screen if bubble.id in ids]
    if params.get("delete_for_all") == "1":
        if any(bubble.mine or now - bubble.at >= DELETABLE for bubble in bubbles):
            raise VkError(924, "Can't delete this message for everybody")
        phone.screen = [bubble for bubble in phone.screen if bubble.id not in ids]
    deleted_ids = {bubble.id for bubble in bubbles}
    return [_entry(phone.user, number, deleted=f"{phone.user}/{number}" in deleted_ids) for number in numbers]


def numbers_of(params: Mapping[str, str]) -> list[int]:
    """Return the messages' numbers within the conversation."""
    numbers = params.get("cmids", "").split(",")
    if not all(number.isdecimal() for number in numbers):
        raise invalid_parameter("cmids is invalid")
    return [int(number) for number in numbers]


def _entry(peer: str, number: int, *, deleted: bool) -> dict[str, Any]:
    return {"peer_id": int(peer), "conversation_message_id": number, "response": int(deleted)}
