"""What the demo's routes stand on: the town and its shop; and what of them does not change while the page is open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quart import current_app

from bots.simulation.simulation import Phone, Simulator
from gateway.domain.channel.facts import Facts
from webhooks.demo.client import PERSON, PHONE, Client
from webhooks.demo.environment import Environment
from webhooks.http.answers import Refusal


@dataclass(frozen=True)
class State:
    """A town, and a shop in it that has one customer."""

    environment: Environment
    client: Client

    @property
    def facts(self) -> dict[str, Facts]:
        """Of every channel, in their order."""
        all_channels = {name: self.environment.runtime.channel(name) for name in self.environment.simulators}
        return {name: channel.facts for name, channel in all_channels.items() if channel}

    def simulator(self, channel: str) -> Simulator:
        """Raises Refusal."""
        if channel not in self.environment.simulators:
            raise Refusal(404, "There is no such phone.", {"channel": channel})
        return self.environment.simulators[channel]

    def phone(self, channel: str) -> Phone:
        """The customer's phone, as this channel's provider knows it. Raises Refusal."""
        simulator = self.simulator(channel)
        return simulator.phone(simulator.user_of(PHONE), PERSON)

    def code(self, channel: str) -> str:
        """What joins a chat to the customer from its start, where the messenger has start links."""
        return self.client.start_code if channel in self.client.links else ""

    def title(self, channel: str) -> str:
        return self.environment.simulators[channel].title or channel.title()


def state() -> State:
    """The one of the app that is answering."""
    found = current_app.extensions["scene"]
    if not isinstance(found, State):
        raise TypeError(found)
    return found


def setting(on: State) -> Mapping[str, Any]:
    """What the page is made of."""
    channels = [
        {
            "name": name,
            "title": on.title(name),
            "link": on.client.links.get(name, "").partition("?")[0].removeprefix("https://"),
            "errors": simulator.errors,
        }
        for name, simulator in on.environment.simulators.items()
    ]
    return {"channels": channels, "presets": presets(on), "person": PERSON, "number": PHONE}


def presets(on: State) -> list[dict[str, Any]]:
    """Orders of the channels. The first tells the story: an approved template, and then what always works."""
    templated = [name for name, facts in on.facts.items() if facts.templates]
    started = [name for name, facts in on.facts.items() if facts.needs_start]
    always = [name for name in on.facts if name not in templated + started]
    orders = [templated + always, started + always, list(on.facts), *([name] for name in on.facts)]
    return [_preset([on.title(name) for name in order], order) for order in orders]


def _preset(titles: list[str], order: list[str]) -> dict[str, Any]:
    words = ", then ".join(titles) if len(titles) > 1 else f"{titles[0]} only"
    return {"title": words, "first": titles[0], "channels": order}
