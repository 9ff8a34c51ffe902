"""Web addresses, as callers and settings write them. Pure."""

from urllib.parse import urlsplit


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
