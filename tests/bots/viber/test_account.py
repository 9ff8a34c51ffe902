"""An account's settings, and which of them are refused."""

from typing import Any

import pytest

from bots.viber import Account
from gateway.runtime.settings.accounts import SettingsError, read_account

TABLE = {"auth_token": "445da6az1s345z78-dazcczb2542zv51a-e0vc5fva17480im9", "name": "Shop"}


def test_what_may_be_left_out() -> None:
    account = read_account(Account, "[viber.shop]", TABLE)
    assert (account.api_url, account.broadcast, account.uri) == ("https://chatapi.viber.com/pa", True, "")
    assert account.sender == {"name": "Shop"}
    assert "445da6az" not in repr(account)


def test_an_avatar_is_shown() -> None:
    account = read_account(Account, "[viber.shop]", TABLE | {"avatar": "https://shop.ru/a.png"})
    assert account.sender == {"name": "Shop", "avatar": "https://shop.ru/a.png"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"name": ""}, "1 to 28 characters"),
        ({"name": "x" * 29}, "1 to 28 characters"),
        ({"name": "   "}, "1 to 28 characters"),
        ({"avatar": "logo.png"}, "avatar: the address of a picture"),
        ({"uri": "viber://pa?chatURI=shop"}, "only the bot's own name"),
        ({"uri": "@shop"}, "only the bot's own name"),
        ({"welcome": "  "}, "welcome: a text of 1 to 7000"),
        ({"welcome": ""}, "welcome: a text of 1 to 7000"),
        ({"welcome": "x" * 7001}, "welcome: a text of 1 to 7000"),
        ({"auth_token": "445da6az1s345z78_dazcczb2542zv51a"}, "letters, digits and dashes"),
        ({"auth_token": "445da6az1s345z78-dazcczb2542zv51a\n"}, "no spaces, line ends"),
        ({"auth_token": "short"}, "16 characters"),
        ({"broadcast": "yes"}, "broadcast"),
        ({"token": "x"}, "token"),
    ],
)
def test_wrong_fields_are_named(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words) as refusal:
        read_account(Account, "[viber.shop]", TABLE | wrong)
    assert "445da6az1s345z78" not in str(refusal.value)
