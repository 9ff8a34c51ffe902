"""Clients that others wrote drive the stand-ins: what they send has to be taken, and what comes back has to be read."""
