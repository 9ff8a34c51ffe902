"""Web addresses, as callers and settings write them. Pure."""

from ipaddress import ip_address
from urllib.parse import urlsplit

MOST = 4000
"""Bytes of an address that we call."""


def is_address(url: str) -> bool:
    """Is it http or https, with a host that anybody can look up, and nothing in it that cannot be seen?"""
    try:
        parts = urlsplit(url)
        host, _ = (parts.hostname or "").encode("idna"), parts.port
    except ValueError:  # labels that are empty, too long, or of impossible letters; a port that is no number
        return False
    return url.startswith(("http://", "https://")) and bool(host) and url.isprintable() and " " not in url


def is_base(url: str) -> bool:
    """Is it an address that paths can be put behind?"""
    return is_address(url) and not {"?", "#"}.intersection(url)


def is_private(url: str) -> bool:
    """Does it plainly lead to this machine or a private network? What a name leads to is seen when it is looked up."""
    host = (urlsplit(url).hostname or "").rstrip(".").partition("%")[0]
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not ip_address(host).is_global
    except ValueError:
        return False


def callback_problem(url: str, *, private: bool) -> str:
    """Why nobody can be called there, in words; "" if somebody can. private: our own network is allowed."""
    if len(url.encode()) > MOST or not is_address(url):
        return f"a web address of at most {MOST} bytes is needed"
    if "@" in urlsplit(url).netloc:
        return "an address must not hold a name or password"
    if not private and is_private(url):
        return "this leads to a private network; GATEWAY_PRIVATE_CALLBACKS=yes allows that"
    return ""
