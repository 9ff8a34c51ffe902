"""Short links: web addresses in a text are replaced by ours, which count their clicks. Pure."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from secrets import choice
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from gateway.domain.channel.web import is_address
from gateway.domain.model.nouns import Content

LETTERS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
LENGTH = 8
"""Letters of a code, 47 bits: with a million live links, one guess in a hundred million is right.

Letters that look alike are left out.
"""

CODE = re.compile(rf"[{LETTERS}]{{{LENGTH}}}")
LONGEST = 2048
ADDRESS = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
AROUND = ".,;:!?)]}»…*_~"
"""Characters that belong to the sentence and not to the address, where an address ends with them."""


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

    def content(self, content: Content) -> Content:
        """Return the content with short links in its text and its buttons."""
        buttons = (replace(button, url=self.short(button.url)) if button.url else button for button in content.buttons)
        return replace(content, text=ADDRESS.sub(self._replace, content.text), buttons=tuple(buttons))

    def short(self, target: str) -> str:
        """Return our address for this one, the same for the same target.

        Returns the target itself where it cannot be shortened: it is too long, no web address, or holds a password.
        """
        if len(target) > LONGEST or not is_address(target) or "@" in urlsplit(target).netloc:
            return target
        link = next((link for link in self.links if link.target == target), None)
        if link is None:
            link = Link(code(), target, self.message, self.at, self.at + self.lifetime)
            self.links.append(link)
        return f"{self.base}/{link.id}"

    def _replace(self, match: re.Match[str]) -> str:
        address = match[0].rstrip(AROUND)
        if address.count("(") > address.count(")") and match[0][len(address) :].startswith(")"):
            address += ")"  # as in an encyclopaedia's addresses
        return self.short(address) + match[0][len(address) :]


def code() -> str:
    """Return a new random code."""
    return "".join(choice(LETTERS) for _ in range(LENGTH))
