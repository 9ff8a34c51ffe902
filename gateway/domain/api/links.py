"""Short links: an address in a text is replaced by one of ours, which counts who follows it. Pure."""

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
"""47 bits: with a million live links, one guess in a hundred million is right. Letters that look alike are left out."""

CODE = re.compile(rf"[{LETTERS}]{{{LENGTH}}}")
LONGEST = 2048
ADDRESS = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
AROUND = ".,;:!?)]}»…*_~"
"""What belongs to the sentence around an address when it stands at its end."""


class Link(Struct, frozen=True, omit_defaults=True):
    """`id` is the code. previews: how often a messenger looked at it to show a preview; that is nobody's click."""

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
    """Makes the links of one message. `made`: those that its texts have by now."""

    base: str
    message: str
    at: datetime
    kept: timedelta
    made: list[Link] = field(default_factory=list)

    def content(self, content: Content) -> Content:
        """With short addresses in its text and its buttons."""
        buttons = (replace(button, url=self.short(button.url)) if button.url else button for button in content.buttons)
        return replace(content, text=ADDRESS.sub(self._found, content.text), buttons=tuple(buttons))

    def short(self, target: str) -> str:
        """Ours for this address; the same one for the same address; the address itself where it cannot be."""
        if len(target) > LONGEST or not is_address(target) or "@" in urlsplit(target).netloc:
            return target
        known = next((link for link in self.made if link.target == target), None)
        if known is None:
            known = Link(code(), target, self.message, self.at, self.at + self.kept)
            self.made.append(known)
        return f"{self.base}/{known.id}"

    def _found(self, match: re.Match[str]) -> str:
        address = match[0].rstrip(AROUND)
        if address.count("(") > address.count(")") and match[0][len(address) :].startswith(")"):
            address += ")"  # as in an encyclopaedia's addresses
        return self.short(address) + match[0][len(address) :]


def code() -> str:
    return "".join(choice(LETTERS) for _ in range(LENGTH))
