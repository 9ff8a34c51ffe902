"""The stand-in for Telegram's servers, and for the people behind them."""

from bots.telegram.simulator.server import Server, demo_account

__all__ = ["Server", "demo_account"]
