"""A community's settings, and the facts that follow from them. VK API: messages.send, Callback API."""

import re
from datetime import timedelta

from msgspec import Struct

from bots.vk.inbound.events import NAME
from bots.vk.inbound.mentions import FIRST_CHAT
from bots.vk.outbound.keyboard import takes_reply
from gateway.domain.channel.facts import Facts
from gateway.domain.channel.rates import Limits, Rate
from gateway.domain.channel.secret import OwnSecret, Secret
from gateway.domain.channel.window import Mode, Window
from gateway.domain.model.nouns import Progress

INTENTS = (
    "promo_newsletter",
    "non_promo_newsletter",
    "confirmed_notification",
    "purchase_update",
    "account_update",
    "customer_support",
    "finance_notification",
    "game_notification",
    "moderated_newsletter",
    "bot_ad_promo",
    "bot_ad_invite",
)
"""VK API: messages.send, `intent`."""

IDEMPOTENT = timedelta(minutes=30)
"""VK recognises a random_id for an hour; half of it leaves room for messages that took long to arrive."""

LIMITS = Limits(account=Rate(20, timedelta(seconds=1)))
"""https://dev.vk.com/ru/api/api-requests: the limit of all calls under a community's access token, not of messages."""


SECRET = re.compile(r"[A-Za-z0-9]{1,50}")
CONFIRMATION = re.compile(r"[A-Za-z0-9]+")
VERSION = re.compile(r"5\.\d{1,3}")
SCREEN_NAME = re.compile(r"[A-Za-z0-9_.]*")
MAX_HOURS = 24 * 365


class Account(Struct, frozen=True, forbid_unknown_fields=True):
    """One community.

    access_token: a key of the community's, with the rights to its messages, photos, documents and management.
    secret: ours; VK repeats it in every call. confirmation: the "String to be returned" to VK when it tests our server.
    screen_name: the community's, for links that start a chat with it. intents: those that VK has granted.
    window_hours: how many hours after a person's message VK's rules let us write freely; 0 for no end.
    """

    group_id: int
    access_token: Secret
    secret: OwnSecret
    confirmation: str
    api_url: str = "https://api.vk.ru"
    version: str = "5.199"
    screen_name: str = ""
    intents: tuple[str, ...] = ()
    window_hours: int = 24

    def __post_init__(self) -> None:
        if self.group_id <= 0:
            raise ValueError("group_id: the community's number is needed, without a minus")
        if not SECRET.fullmatch(self.secret.reveal()):
            raise ValueError("secret: VK takes up to 50 characters A-Z, a-z and 0-9, nothing else")
        if not CONFIRMATION.fullmatch(self.confirmation):
            raise ValueError("confirmation: the string is needed that VK wants to have returned, of letters and digits")
        if not VERSION.fullmatch(self.version):
            raise ValueError("version: a version of VK's API is needed, as in 5.199")
        if not SCREEN_NAME.fullmatch(self.screen_name):
            raise ValueError("screen_name: only the name is needed, as in vk.com/<name>")
        if unknown := [intent for intent in self.intents if intent not in INTENTS]:
            raise ValueError(f"intents: VK has no {', '.join(unknown)}; it has {', '.join(INTENTS)}")
        if not 0 <= self.window_hours <= MAX_HOURS:
            raise ValueError(f"window_hours: a number of hours up to {MAX_HOURS} is needed, or 0 for no window")


def is_group(peer: str) -> bool:
    """Tell whether a peer is a group chat: these are counted from 2000000000 on. VK API: messages.send, `peer_id`."""
    return peer.isdecimal() and int(peer) >= FIRST_CHAT


def facts_of(account: Account) -> Facts:
    """Return what the channel can do with this community's settings."""
    window = Window(Mode.POLICY, timedelta(hours=account.window_hours)) if account.window_hours else Window()
    return Facts(
        name=NAME,
        title="VK",
        colour="#2a5db0",
        window=window,
        receipts=Progress.SENT,
        needs_start=True,
        intents=account.intents,
        idempotent=IDEMPOTENT,
        limits=LIMITS,
        is_group=is_group,
        shared_ids=True,
        # VK API: messages.delete, `delete_for_all`.
        recalls=timedelta(hours=24),
        takes_reply=takes_reply,
        takes_uploads=True,
    )
