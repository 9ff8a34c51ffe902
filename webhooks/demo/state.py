"""The demo's state, which its routes work with, and the parts of the page that do not change while it is open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quart import current_app

from bots.simulation.simulation import Phone, Simulator
from gateway.domain.channel.facts import Facts
from webhooks.demo.client import PERSON, PHONE, Client
from webhooks.demo.environment import Environment
from webhooks.http.answers import Refusal

OPERATOR = "operator@demo.example"
"""The demo's operator, who has no password: the demo's page alone signs them in."""


@dataclass(frozen=True)
class State:
    """The demo environment and the business, which has one customer."""

    environment: Environment
    client: Client

    @property
    def facts(self) -> dict[str, Facts]:
        """The facts of every channel, in the channels' order."""
        channels = {name: self.environment.runtime.channel(name) for name in self.environment.simulators}
        return {name: channel.facts for name, channel in channels.items() if channel}

    def simulator(self, channel: str) -> Simulator:
        """Return the stand-in of this channel's provider. Raises Refusal if there is none."""
        if channel not in self.environment.simulators:
            raise Refusal(404, "There is no such phone.", {"channel": channel})
        return self.environment.simulators[channel]

    def phone(self, channel: str) -> Phone:
        """Return the customer's phone on this channel. Raises Refusal if there is no such channel."""
        simulator = self.simulator(channel)
        return simulator.phone(simulator.user_of(PHONE), PERSON)

    def code(self, channel: str) -> str:
        """Return the code that joins a new chat to the customer; "" where the messenger has no start links."""
        return self.client.start_code if channel in self.client.links else ""

    def title(self, channel: str) -> str:
        """Return the channel's name for people."""
        return self.facts[channel].title


def current_state() -> State:
    """Return the state of the app that handles the current request."""
    state = current_app.extensions["state"]
    if not isinstance(state, State):
        raise TypeError(state)
    return state


def page_context(state: State) -> Mapping[str, Any]:
    """Return the variables of the page's template."""
    channels = [
        {
            "name": name,
            "title": state.title(name),
            "link": state.client.links.get(name, "").partition("?")[0].removeprefix("https://"),
            "errors": simulator.errors,
        }
        for name, simulator in state.environment.simulators.items()
    ]
    return {"channels": channels, "presets": presets(state), "person": PERSON, "number": PHONE}


def presets(state: State) -> list[dict[str, Any]]:
    """Return orders of the channels to choose from.

    The first shows the usual case: a channel with approved templates, and then one that always works.
    """
    templated = [name for name, facts in state.facts.items() if facts.templates]
    startable = [name for name, facts in state.facts.items() if facts.needs_start]
    always = [name for name in state.facts if name not in templated + startable]
    orders = [templated + always, startable + always, list(state.facts), *([name] for name in state.facts)]
    return [_preset([state.title(name) for name in order], order) for order in orders]


def _preset(titles: list[str], order: list[str]) -> dict[str, Any]:
    words = ", then ".join(titles) if len(titles) > 1 else f"{titles[0]} only"
    return {"title": words, "first": titles[0], "channels": order}
