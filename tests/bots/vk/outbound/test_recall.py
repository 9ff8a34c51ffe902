"""Recalled messages, over the wire: what is left on the person's screen, and what each refusal means."""

from collections.abc import Sequence

import pytest
from quart import Quart

from gateway.domain.channel.errors import Misconfigured, Refused, SendError, Throttled, Unavailable
from gateway.domain.channel.secret import Secret
from tests.bots.vk.pair import Pair
from tests.bots.vk.test_simulator import call, error_code
from tests.support.http.serving import served


def screen_texts(pair: Pair, user: str) -> Sequence[str]:
    return [bubble.text for bubble in pair.vk.phone(user).screen]


async def recall(pair: Pair, message: str) -> None:
    await pair.channel.recall(pair.address(message.partition("/")[0]), message)


async def test_a_message_is_gone_from_the_phone_and_its_neighbours_are_not(pair: Pair) -> None:
    anna = await pair.start_user()
    mistake, neighbour = await pair.send(anna, "oops", key="k1"), await pair.send(anna, "hello", key="k2")
    await recall(pair, mistake)
    assert screen_texts(pair, anna) == ["Начать", "hello"]
    assert pair.vk.phone(anna).screen[-1].id == neighbour


async def test_nobody_elses_message_of_that_number_is_touched(pair: Pair) -> None:
    anna, oleg = await pair.start_user(), await pair.start_user("+79990001133")
    first, second = await pair.send(anna, "oops"), await pair.send(oleg, "oops")
    assert first.partition("/")[2] == second.partition("/")[2]
    await recall(pair, first)
    assert (screen_texts(pair, anna), screen_texts(pair, oleg)) == (["Начать"], ["Начать", "oops"])


async def test_what_is_gone_already_is_as_it_should_be(pair: Pair) -> None:
    anna = await pair.start_user()
    provider_id = await pair.send(anna, "oops")
    for message in (provider_id, provider_id, f"{anna}/404"):
        await recall(pair, message)
    assert screen_texts(pair, anna) == ["Начать"]


async def test_in_a_group_chat(pair: Pair) -> None:
    await pair.vk.say_in_chat("2000000001", pair.vk.user_of("+79990001122"), "hi all")
    await recall(pair, await pair.send("2000000001", "oops"))
    assert screen_texts(pair, "2000000001") == ["hi all"]


async def test_who_has_denied_our_messages_since_is_rid_of_it_too(pair: Pair) -> None:
    anna = await pair.start_user()
    provider_id = await pair.send(anna, "oops")
    await pair.vk.deny(anna)
    await recall(pair, provider_id)
    assert screen_texts(pair, anna) == ["Начать"]


async def test_vk_lets_it_be_done_for_as_long_as_we_say(pair: Pair) -> None:
    anna = await pair.start_user()
    first, second = await pair.send(anna, "first", key="k1"), await pair.send(anna, "second", key="k2")
    pair.now += pair.channel.facts.recalls
    pair.pass_time(seconds=-1)
    await recall(pair, first)
    pair.pass_time(seconds=1)
    with pytest.raises(Refused, match="VK 924: the message cannot be taken back"):
        await recall(pair, second)
    assert screen_texts(pair, anna) == ["Начать", "second"]


async def test_what_a_person_wrote_is_theirs(pair: Pair) -> None:
    anna = await pair.start_user()
    with pytest.raises(Refused, match="VK 924"):
        await recall(pair, f"{anna}/1")
    assert screen_texts(pair, anna) == ["Начать"]


@pytest.mark.parametrize(("code", "error"), [(6, Throttled), (9, Unavailable), (7, Misconfigured), (15, Refused)])
async def test_what_vk_refuses(pair: Pair, code: int, error: type[SendError]) -> None:
    anna = await pair.start_user()
    provider_id = await pair.send(anna, "oops")
    pair.vk.faults.fail(code)
    with pytest.raises(error, match=f"VK {code}"):
        await recall(pair, provider_id)
    assert screen_texts(pair, anna) == ["Начать", "oops"]


async def test_a_wrong_token(pair: Pair) -> None:
    anna = await pair.start_user()
    provider_id = await pair.send(anna, "oops")
    with pytest.raises(Misconfigured):
        await pair.channel_with(access_token=Secret("vk1.a.somebody-elses-token")).recall(
            pair.address(anna), provider_id
        )
    assert screen_texts(pair, anna) == ["Начать", "oops"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ([{"peer_id": 1, "conversation_message_id": 5, "response": 1}], None),
        ([{"peer_id": 1, "conversation_message_id": 5, "response": 0}], None),
        ({"5": 1}, None),
        ([{"peer_id": 1, "conversation_message_id": 5, "error": {"code": 924, "description": "no"}}], Refused),
    ],
)
async def test_the_shapes_of_vks_answer(pair: Pair, answer: object, error: type[SendError] | None) -> None:
    app = Quart("vk")

    @app.post("/method/messages.delete")
    async def respond() -> dict[str, object]:
        return {"response": answer}

    async with served(app) as url:
        channel = pair.channel_with(api_url=url)
        if error is None:
            return await channel.recall(pair.address("1"), "1/5")
        with pytest.raises(error, match="VK 924"):
            await channel.recall(pair.address("1"), "1/5")
    return None


async def test_the_stand_in_refuses_what_makes_no_sense(pair: Pair) -> None:
    anna = await pair.start_user()
    assert await error_code(pair, "messages.delete", cmids="2", delete_for_all="1") == 100
    assert await error_code(pair, "messages.delete", peer_id=anna, cmids="two", delete_for_all="1") == 100
    assert await error_code(pair, "messages.delete", peer_id=anna, delete_for_all="1") == 100
    assert await error_code(pair, "messages.delete", peer_id="404", cmids="2", delete_for_all="1") == 936


async def test_without_delete_for_all_the_person_still_sees_it(pair: Pair) -> None:
    anna = await pair.start_user()
    number = (await pair.send(anna, "oops")).partition("/")[2]
    answer = await call(pair, "messages.delete", peer_id=anna, cmids=f"{number},404")
    assert [line["response"] for line in answer["response"]] == [1, 0]
    assert screen_texts(pair, anna) == ["Начать", "oops"]
