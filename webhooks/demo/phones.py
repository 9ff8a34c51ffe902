"""The customer's phones, as the page shows them."""

from datetime import datetime
from typing import Any

from bots.simulation.simulation import Bubble
from gateway.domain.channel import window
from gateway.domain.channel.facts import Facts
from gateway.domain.model.nouns import Address, Session
from storage.people import sessions
from webhooks.demo.environment import ACCOUNT
from webhooks.demo.state import State


async def phones(on: State) -> list[dict[str, Any]]:
    """Every phone as it is now."""
    return [await _phone(on, channel) for channel in on.environment.simulators]


async def _phone(on: State, channel: str) -> dict[str, Any]:
    phone, faults = on.phone(channel), on.simulator(channel).faults
    session = await sessions.get(on.environment.runtime.db, Address(channel, ACCOUNT, phone.user).key)
    return {
        "channel": channel,
        "reachable": phone.reachable,
        "faults": [*faults.planned, *["lost answer"] * faults.lost_answers],
        "bubbles": [_bubble(bubble) for bubble in phone.screen],
        **_standing(on.facts[channel], session, on.environment.runtime.clock()),
    }


def _standing(facts: Facts, session: Session | None, now: datetime) -> dict[str, str]:
    """May we write to this person now? In words, and as a tone for the eye."""
    if session and session.stopped_at:
        return {"window": "the person asked us to stop", "tone": "shut"}
    if session and session.blocked_at:
        return {"window": "the person has blocked us", "tone": "shut"}
    if facts.needs_start and (session is None or session.started_at is None):
        return {"window": "the person has not started the bot", "tone": "shut"}
    words = window.describe(facts.window, session, now)
    if facts.window.mode is window.Mode.NONE:
        return {"window": words, "tone": "none"}
    return {"window": words, "tone": "open" if window.is_open(facts.window, session, now) else "shut"}


def _bubble(bubble: Bubble) -> dict[str, Any]:
    return {
        "id": bubble.id,
        "mine": bubble.mine,
        "at": bubble.at,
        "text": bubble.text,
        "media": bubble.media,
        "state": bubble.state,
        "buttons": bubble.buttons,
    }
