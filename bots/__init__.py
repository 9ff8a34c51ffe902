"""The messengers. A channel is a folder here, a line below, and its tests."""

from importlib import import_module
from types import ModuleType
from typing import cast

from gateway.domain.channel.contract import ChannelPackage

CHANNELS = {
    "telegram": "bots.telegram",
    "vk": "bots.vk",
    "viber": "bots.viber",
    "whatsapp": "bots.whatsapp",
    "sms": "bots.sms",
}


def package(channel: str) -> ChannelPackage:
    """Import a channel when it is first needed: some provider libraries are heavy."""
    return cast("ChannelPackage", import_module(CHANNELS[channel]))


def simulator(channel: str) -> ModuleType:
    """The stand-in for the channel's provider: `Server` and `demo_account`, see bots.simulation.simulation."""
    return import_module(f"{CHANNELS[channel]}.simulator")
