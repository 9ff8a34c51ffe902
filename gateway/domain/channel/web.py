"""Checks of web addresses that callers and settings give. Pure."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

MOST = 4000
"""Bytes of an address for callbacks."""


def is_address(url: str) -> bool:
    """Tell whether this is an http(s) address with a valid host, and without spaces or invisible characters."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").encode("idna"), parts.port
    except ValueError:  # labels that are empty, too long, or of impossible letters; a port that is no number
        return False
    return parts.scheme in ("http", "https") and bool(host) and port != 0 and url.isprintable() and " " not in url


def is_base(url: str) -> bool:
    """Tell whether this is an address to which paths can be appended: it has no query and no fragment."""
    return is_address(url) and not {"?", "#"}.intersection(url)


def is_private(url: str) -> bool:
    """Tell whether the address plainly leads to this machine or a private network.

    Host names are not resolved here; what they lead to is checked when they are.
    """
    host = (urlsplit(url).hostname or "").rstrip(".").partition("%")[0]
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return not is_public(ip_address(host))
    except ValueError:
        return False


NAT64 = IPv6Network("64:ff9b::/96")
LEADING_ELSEWHERE = tuple(
    map(IPv6Network, ("::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10"))
)
"""IPv6 networks through which IPv4 or local addresses are reached (RFC 4291, 2765, 8215, 4380, 3056, 3879)."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether an address is one host of the public internet, whatever addresses stand in it for others."""
    if isinstance(address, IPv6Address):
        if any(address in network for network in LEADING_ELSEWHERE):
            return False
        inner = IPv4Address(address.packed[12:]) if address in NAT64 else address.ipv4_mapped  # RFC 6052
        address = inner or address
    return address.is_global and not address.is_multicast


def callback_problem(url: str, *, private: bool) -> str:
    """Return why callbacks cannot go to this address, or "" if they can. `private`: our own network is allowed."""
    if len(url.encode()) > MOST or not is_address(url):
        return f"a web address of at most {MOST} bytes is needed"
    if "@" in urlsplit(url).netloc:
        return "an address must not hold a name or password"
    if not private and is_private(url):
        return "this leads to a private network; GATEWAY_PRIVATE_CALLBACKS=yes allows that"
    return ""
