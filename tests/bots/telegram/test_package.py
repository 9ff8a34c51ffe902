"""What importing and configuring the channel costs, and which settings it refuses."""

import subprocess
import sys

import pytest

from bots.telegram import FACTS, Account
from gateway.domain.model.identifier import identifier
from gateway.domain.model.nouns import Progress
from gateway.runtime.settings.accounts import SettingsError, read_account
from tests.bots.telegram.conftest import Pair

TOKEN = "7000123456:AAEkfG3bq0xZ1tVw9uYc5dLm2nRp8sQh4oI"
SECRET = "tg-shop-Zk3vX9qLr7Wm2PbT"


def test_without_a_bot_aiogram_is_not_imported() -> None:
    code = (
        "import sys, bots.telegram\n"
        "from gateway.domain.channel.contract import Outside\n"
        "assert bots.telegram.open_accounts({}, Outside(None, '', None)) == {}\n"
        "sys.exit('aiogram' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_facts() -> None:
    assert FACTS.receipts is Progress.SENT
    assert FACTS.needs_start
    assert not FACTS.templates
    assert not FACTS.idempotent


def test_account_is_read() -> None:
    account = read_account(Account, "telegram.shop", {"token": TOKEN, "webhook_secret": SECRET})
    assert account.api_url == "https://api.telegram.org"
    assert TOKEN not in repr(account)


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": TOKEN[:-1]},
        {"token": f"{TOKEN}A"},
        {"token": TOKEN.replace(":", "-")},
        {"token": TOKEN.replace("7", "x", 1)},
        {"token": f"{TOKEN}\n"},
        {"webhook_secret": "tg-shop Zk3vX9qLr7Wm2PbT"},
        {"webhook_secret": "q" + "x7" * 128},
        {"webhook_secret": "short"},
        {"wehbook_url": "https://gateway.shop.ru"},
    ],
)
def test_account_is_refused_without_its_secrets_being_told(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_account(Account, "telegram.shop", {"token": TOKEN, "webhook_secret": SECRET, **wrong})
    assert not any(value in str(refusal.value) for value in (TOKEN[:-1], SECRET, *wrong.values()))


async def test_start_link(pair: Pair) -> None:
    assert pair.channel.start_link("AbC_1-2") == "https://t.me/demo_shop_bot?start=AbC_1-2"


async def test_nobody_is_reached_by_number(pair: Pair) -> None:
    assert pair.channel.address_of(identifier("phone", "+79990001122")) is None
