"""Short links: web addresses in a text are replaced by ours, which count their clicks. Pure."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import choice
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from gateway.domain.api.addresses import find_addresses
from gateway.domain.channel.web import is_address
from gateway.domain.model.nouns import Content

LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
LENGTH = 8
"""Letters of a code, 47 bits: with a million live links, one guess in a hundred million is right.

Letters that look alike are left out.
"""

CODE = re.compile(rf"[{LETTERS}]{{{LENGTH}}}")
LONGEST = 2048
MOST = 20
"""Addresses of one content that are shortened; a text with more of them is a list, and nobody counts its clicks."""


class Link(Struct, frozen=True, omit_defaults=True, gc=False):
    """A short link; `id` is its code and `message` the id of the message that it stands in.

    previews: how often a messenger fetched it to show a preview, which is nobody's click.
    """

    id: str
    target: str
    message: str
    at: datetime
    expires_at: datetime
    clicks: int = 0
    previews: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None


@dataclass
class Shortening:
    """Shortens the addresses of one message.

    base: what short links begin with. lifetime: how long they lead anywhere. links: those made so far.
    """

    base: str
    message: str
    at: datetime
    lifetime: timedelta
    links: list[Link] = field(default_factory=list)
    _by_target: dict[str, Link] = field(default_factory=dict, init=False)

    def content(self, content: Content) -> Content:
        """Return the content with short links in its text and its buttons, MOST at the most, the buttons first."""
        used = set[str]()
        buttons = [replace(key, url=self._short(key.url, used)) if key.url else key for key in content.buttons]
        parts, last = list[str](), 0
        for start, end in find_addresses(content.text):
            parts += [content.text[last:start], self._short(content.text[start:end], used)]
            last = end
        return replace(content, text="".join([*parts, content.text[last:]]), buttons=tuple(buttons))

    def short(self, target: str) -> str:
        """Return our address for this one, the same for the same target.

        Returns the target itself where it cannot be shortened: it is too long, no web address, or holds a password.
        """
        return self._short(target, set())

    def _short(self, target: str, used: set[str]) -> str:
        if target not in used:
            if len(used) == MOST or not can_be_shortened(target):
                return target
            used.add(target)
        if target not in self._by_target:
            link = Link(code(), target, self.message, self.at, self.at + self.lifetime)
            self._by_target[target] = link
            self.links.append(link)
        return f"{self.base}/{self._by_target[target].id}"


def can_be_shortened(target: str) -> bool:
    """Tell whether a short link may lead there: not if it is too long, no web address, or holds a password."""
    return len(target) <= LONGEST and is_address(target) and "@" not in urlsplit(target).netloc


def read_code(path: str) -> str | None:
    """Return the code at the beginning of what stands after the base, whatever marks a messenger took for a part of it.

    Returns None where no code of ours is meant.
    """
    found = CODE.match(path)
    following = path[LENGTH : LENGTH + 1]
    return found[0] if found and not (following.isascii() and following.isalnum()) else None


def code() -> str:
    """Return a new random code."""
    return "".join(choice(LETTERS) for _ in range(LENGTH))
