"""What importing and configuring the channel costs, and which settings it refuses."""

import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from bots.vk import INTENTS, Account
from gateway.domain.channel.window import Mode, Window
from gateway.domain.model.identifier import identifier
from gateway.domain.model.nouns import Progress
from gateway.runtime.settings.accounts import SettingsError, read_account
from tests.bots.vk.pair import Pair, opened_pair

SETTINGS: dict[str, Any] = {
    "group_id": 77001,
    "access_token": "vk1.a.Zq8Xw7Vt5Rn2Lm9Yb4Cd6Fh1JpKs3Gd7",
    "secret": "vkshopQn4tB8xWz2Lc6VdM3kR7",
    "confirmation": "a1b2c3d4",
}


def test_importing_it_reaches_for_nothing() -> None:
    code = (
        "import socket, sys\n"
        "def never(*_): raise SystemExit('the network was reached for')\n"
        "socket.getaddrinfo = socket.socket.connect = never\n"
        "import bots.vk\n"
        "assert bots.vk.open_accounts({}, None) == {}\n"
        "sys.exit('quart' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-W", "error", "-c", code], check=False).returncode == 0


def test_account_is_read() -> None:
    account = read_account(Account, "vk.shop", {**SETTINGS, "intents": ["purchase_update"]})
    assert (account.api_url, account.version, account.window_hours) == ("https://api.vk.ru", "5.199", 24)
    assert account.intents == ("purchase_update",)
    assert SETTINGS["access_token"] not in repr(account)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"group_id": -77001}, "group_id: the community's number is needed, without a minus"),
        ({"group_id": 0}, "group_id"),
        ({"access_token": "short"}, "access_token"),
        ({"secret": "vk-shop-Qn4tB8xWz2Lc6VdM3kR7"}, "secret: VK takes up to 50 characters"),
        ({"secret": "q7" * 26}, "secret: VK takes up to 50 characters"),
        ({"secret": f"{SETTINGS['secret']}\n"}, "a secret has no spaces, line ends"),
        ({"confirmation": ""}, "confirmation: the string is needed"),
        ({"confirmation": "a1 b2"}, "confirmation: the string is needed"),
        ({"version": "latest"}, "version: a version of VK's API is needed"),
        ({"screen_name": "https://vk.com/shop"}, "screen_name: only the name is needed"),
        ({"intents": ["order_update"]}, "intents: VK has no order_update; it has promo_newsletter, "),
        ({"intents": ["default"]}, "intents: VK has no default"),
        ({"window_hours": -1}, "window_hours"),
        ({"window_hours": 10**9}, "window_hours"),
        ({"token": "vk1.a.Zq8Xw7Vt5Rn2Lm9Yb4Cd6Fh1JpKs3Gd7"}, "token"),
    ],
)
def test_account_is_refused_without_its_secrets_being_told(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as refusal:
        read_account(Account, "vk.shop", {**SETTINGS, **wrong})
    secrets = [SETTINGS["access_token"], SETTINGS["secret"], wrong.get("secret"), wrong.get("access_token")]
    assert not any(secret in str(refusal.value) for secret in secrets if secret)


async def test_facts_hang_on_the_account(pair: Pair) -> None:
    facts = pair.channel.facts
    assert (facts.name, facts.receipts, facts.needs_start) == ("vk", Progress.SENT, True)
    assert (facts.templates, facts.echoes_key) == (False, False)
    assert facts.intents == ("purchase_update",)
    assert facts.window == Window(Mode.POLICY, timedelta(hours=24), rolling=True)
    assert pair.channel_with(window_hours=72).facts.window.length == timedelta(hours=72)
    assert pair.channel_with(window_hours=0).facts.window == Window()
    assert pair.channel_with(intents=INTENTS).facts.intents == INTENTS


async def test_start_link() -> None:
    async with opened_pair(group_id=77001) as pair:
        assert pair.channel.start_link("AbC_1-2") == "https://vk.me/demo_shop?ref=AbC_1-2"
        assert pair.channel.start_link("a&b=c/d") == "https://vk.me/demo_shop?ref=a%26b%3Dc%2Fd"
        assert pair.channel_with(screen_name="").start_link("x") == "https://vk.me/club77001?ref=x"


async def test_nobody_is_reached_by_number(pair: Pair) -> None:
    assert pair.channel.address_of(identifier("phone", "+79990001122")) is None
