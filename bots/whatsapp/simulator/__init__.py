"""The stand-in for WhatsApp's servers, and for the people behind them."""

from bots.whatsapp.simulator.server import Server, demo_account

__all__ = ["Server", "demo_account"]
