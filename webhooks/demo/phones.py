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


async def phones(state: State) -> list[dict[str, Any]]:
    """Return every phone as it is now, as JSON for the page."""
    return [await _phone(state, channel) for channel in state.environment.simulators]


async def _phone(state: State, channel: str) -> dict[str, Any]:
    phone, simulator = state.phone(channel), state.simulator(channel)
    faults, user = simulator.faults, simulator.known_as(phone.user)
    session = await sessions.get(state.environment.runtime.db, Address(channel, ACCOUNT, user).key)
    return {
        "channel": channel,
        "reachable": phone.reachable,
        "faults": [*faults.planned, *["lost answer"] * faults.lost_answers],
        "pending": simulator.pending_templates(),
        "bubbles": [_bubble(bubble) for bubble in phone.screen],
        **_window(state.facts[channel], session, state.environment.runtime.clock()),
    }


def _window(facts: Facts, session: Session | None, now: datetime) -> dict[str, str]:
    """Return whether we may write to this person now: in words, and as a tone for the page's colours."""
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


def _file(bubble: Bubble) -> str:
    """Return what stands for a file: its address or its name, where the provider has not only a number for it."""
    if not bubble.media and (bubble.text or bubble.buttons):
        return ""
    return bubble.media if "." in bubble.media else "a file"


def _bubble(bubble: Bubble) -> dict[str, Any]:
    return {
        "id": bubble.id,
        "mine": bubble.mine,
        "at": bubble.at,
        "text": bubble.text,
        "media": _file(bubble),
        "state": bubble.state,
        "buttons": bubble.buttons,
    }
