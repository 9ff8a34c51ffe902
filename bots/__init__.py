"""The messengers. A new channel needs a folder here, a line in CHANNELS, and tests."""

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
    """Import and return a channel's package. Imported when first needed, because some provider libraries are heavy."""
    return cast("ChannelPackage", import_module(CHANNELS[channel]))


def simulator(channel: str) -> ModuleType:
    """Import and return the stand-in for the channel's provider. It offers `Server` and `demo_account`.

    See bots.simulation.simulation.Simulator.
    """
    return import_module(f"{CHANNELS[channel]}.simulator")
