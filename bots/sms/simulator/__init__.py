"""The stand-in for Twilio, and for the people behind it."""

from bots.sms.simulator.server import Server, demo_account

__all__ = ["Server", "demo_account"]
