"""Recalled messages, over the wire: what is left on the person's screen, and what each refusal means."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from bots.telegram import FACTS, open_accounts
from gateway.domain.channel.contract import Outside
from gateway.domain.channel.errors import Misconfigured, Refused, SendError, Throttled
from gateway.domain.channel.secret import Secret
from gateway.domain.model.nouns import Content, Media
from tests.bots.telegram.conftest import Pair

PHOTO = Media("image", url="https://shop.ru/a.png")


def screen_texts(pair: Pair, user: str) -> Sequence[str]:
    return [bubble.text for bubble in pair.server.phone(user).screen]


async def send(pair: Pair, user: str, text: str = "oops") -> str:
    return await pair.channel.send(pair.address(user), Content(text), key="k1")


async def test_a_message_is_gone_from_the_phone_and_its_neighbours_are_not(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    mistake, neighbour = await send(pair, anna), await send(pair, anna, "hello")
    file = await pair.channel.send(pair.address(anna), Content("look", PHOTO), key="k2")
    for provider_id in (mistake, file):
        await pair.channel.recall(pair.address(anna), provider_id)
    assert screen_texts(pair, anna) == ["/start", "hello"]
    assert pair.server.phone(anna).screen[-1].id == neighbour


async def test_nobody_elses_message_of_that_number_is_touched(pair: Pair) -> None:
    anna, oleg = await pair.start_user("Anna"), await pair.start_user("Oleg", "+79990001133")
    first, second = await send(pair, anna), await send(pair, oleg)
    assert first.partition("/")[2] == second.partition("/")[2]
    await pair.channel.recall(pair.address(anna), first)
    assert (screen_texts(pair, anna), screen_texts(pair, oleg)) == (["/start"], ["/start", "oops"])


async def test_what_is_gone_already_is_as_it_should_be(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    provider_id = await send(pair, anna)
    for message in (provider_id, provider_id, f"{anna}/404"):
        await pair.channel.recall(pair.address(anna), message)
    assert screen_texts(pair, anna) == ["/start"]


async def test_in_a_group(pair: Pair) -> None:
    pair.server.phone("-4001", "Warehouse")
    provider_id = await send(pair, "-4001")
    await pair.channel.recall(pair.address("-4001"), provider_id)
    assert screen_texts(pair, "-4001") == []


async def test_telegram_lets_it_be_done_for_as_long_as_we_say(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    first, second = await send(pair, anna, "first"), await send(pair, anna, "second")
    pair.now += FACTS.recalls
    pair.pass_time(seconds=-1)
    await pair.channel.recall(pair.address(anna), first)
    pair.pass_time(seconds=1)
    with pytest.raises(Refused, match="can't be deleted for everyone"):
        await pair.channel.recall(pair.address(anna), second)
    assert screen_texts(pair, anna) == ["/start", "second"]


async def test_a_chat_that_does_not_exist(pair: Pair) -> None:
    with pytest.raises(Refused, match="chat not found"):
        await pair.channel.recall(pair.address("404404"), "404404/1")


@pytest.mark.parametrize(("code", "error"), [("429", Throttled), ("401", Misconfigured), ("404", Misconfigured)])
async def test_what_telegram_refuses(pair: Pair, code: str, error: type[SendError]) -> None:
    anna = await pair.start_user("Anna")
    provider_id = await send(pair, anna)
    pair.server.faults.fail(code)
    with pytest.raises(error):
        await pair.channel.recall(pair.address(anna), provider_id)
    assert screen_texts(pair, anna) == ["/start", "oops"]


async def test_a_wrong_token(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    provider_id = await send(pair, anna)
    account = replace(pair.account, token=Secret(f"7000123456:{'A' * 35}"))
    stranger = open_accounts({"shop": account}, Outside(pair.http, pair.url, pair.http))["shop"]
    with pytest.raises(Misconfigured):
        await stranger.recall(pair.address(anna), provider_id)
    assert screen_texts(pair, anna) == ["/start", "oops"]
