"""The stand-in for Viber's servers, and for the people behind them."""

from bots.viber.simulator.server import Server, demo_account

__all__ = ["Server", "demo_account"]
