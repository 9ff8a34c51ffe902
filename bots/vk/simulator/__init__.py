"""The stand-in for VK's servers, and for the people behind them."""

from bots.vk.simulator.server import Server, demo_account

__all__ = ["Server", "demo_account"]
