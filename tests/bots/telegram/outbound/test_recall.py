"""Messages taken back, over the wire: what is left on the person's screen, and what each refusal means."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from bots.telegram import FACTS, open_accounts
from gateway.domain.channel.contract import Outside
from gateway.domain.channel.errors import Misconfigured, Refused, SendError, Throttled
from gateway.domain.channel.secret import Secret
from gateway.domain.model.nouns import Content, Media
from tests.bots.telegram.conftest import Shop

PHOTO = Media("image", url="https://shop.ru/a.png")


def seen(shop: Shop, user: str) -> Sequence[str]:
    return [bubble.text for bubble in shop.server.phone(user).screen]


async def send(shop: Shop, user: str, text: str = "oops") -> str:
    return await shop.channel.send(shop.address(user), Content(text), key="k1")


async def test_a_message_is_gone_from_the_phone_and_its_neighbours_are_not(shop: Shop) -> None:
    anna = await shop.started("Anna")
    wrong, right = await send(shop, anna), await send(shop, anna, "hello")
    file = await shop.channel.send(shop.address(anna), Content("look", PHOTO), key="k2")
    for sent in (wrong, file):
        await shop.channel.recall(shop.address(anna), sent)
    assert seen(shop, anna) == ["/start", "hello"]
    assert shop.server.phone(anna).screen[-1].id == right


async def test_nobody_elses_message_of_that_number_is_touched(shop: Shop) -> None:
    anna, oleg = await shop.started("Anna"), await shop.started("Oleg", "+79990001133")
    first, second = await send(shop, anna), await send(shop, oleg)
    assert first.partition("/")[2] == second.partition("/")[2]
    await shop.channel.recall(shop.address(anna), first)
    assert (seen(shop, anna), seen(shop, oleg)) == (["/start"], ["/start", "oops"])


async def test_what_is_gone_already_is_as_it_should_be(shop: Shop) -> None:
    anna = await shop.started("Anna")
    sent = await send(shop, anna)
    for message in (sent, sent, f"{anna}/404"):
        await shop.channel.recall(shop.address(anna), message)
    assert seen(shop, anna) == ["/start"]


async def test_in_a_group(shop: Shop) -> None:
    shop.server.phone("-4001", "Warehouse")
    sent = await send(shop, "-4001")
    await shop.channel.recall(shop.address("-4001"), sent)
    assert seen(shop, "-4001") == []


async def test_telegram_lets_it_be_done_for_as_long_as_we_say(shop: Shop) -> None:
    anna = await shop.started("Anna")
    first, second = await send(shop, anna, "first"), await send(shop, anna, "second")
    shop.now += FACTS.recalls
    shop.pass_time(seconds=-1)
    await shop.channel.recall(shop.address(anna), first)
    shop.pass_time(seconds=1)
    with pytest.raises(Refused, match="can't be deleted for everyone"):
        await shop.channel.recall(shop.address(anna), second)
    assert seen(shop, anna) == ["/start", "second"]


async def test_a_chat_that_does_not_exist(shop: Shop) -> None:
    with pytest.raises(Refused, match="chat not found"):
        await shop.channel.recall(shop.address("404404"), "404404/1")


@pytest.mark.parametrize(("code", "error"), [("429", Throttled), ("401", Misconfigured), ("404", Misconfigured)])
async def test_what_telegram_refuses(shop: Shop, code: str, error: type[SendError]) -> None:
    anna = await shop.started("Anna")
    sent = await send(shop, anna)
    shop.server.faults.fail(code)
    with pytest.raises(error):
        await shop.channel.recall(shop.address(anna), sent)
    assert seen(shop, anna) == ["/start", "oops"]


async def test_a_wrong_token(shop: Shop) -> None:
    anna = await shop.started("Anna")
    sent = await send(shop, anna)
    account = replace(shop.account, token=Secret(f"7000123456:{'A' * 35}"))
    stranger = open_accounts({"shop": account}, Outside(shop.http, shop.url, shop.http))["shop"]
    with pytest.raises(Misconfigured):
        await stranger.recall(shop.address(anna), sent)
    assert seen(shop, anna) == ["/start", "oops"]
