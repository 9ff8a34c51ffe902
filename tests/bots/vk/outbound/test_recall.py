"""Messages taken back, over the wire: what is left on the person's screen, and what each refusal means."""

from collections.abc import Sequence

import pytest
from quart import Quart

from gateway.domain.channel.errors import Misconfigured, Refused, SendError, Throttled, Unavailable
from gateway.domain.channel.secret import Secret
from tests.bots.vk.bench import Bench
from tests.bots.vk.test_simulator import asked, refused
from tests.support.http.serving import served


def seen(bench: Bench, user: str) -> Sequence[str]:
    return [bubble.text for bubble in bench.vk.phone(user).screen]


async def recall(bench: Bench, message: str) -> None:
    await bench.channel.recall(bench.address(message.partition("/")[0]), message)


async def test_a_message_is_gone_from_the_phone_and_its_neighbours_are_not(bench: Bench) -> None:
    anna = await bench.started()
    wrong, right = await bench.send(anna, "oops", key="k1"), await bench.send(anna, "hello", key="k2")
    await recall(bench, wrong)
    assert seen(bench, anna) == ["Начать", "hello"]
    assert bench.vk.phone(anna).screen[-1].id == right


async def test_nobody_elses_message_of_that_number_is_touched(bench: Bench) -> None:
    anna, oleg = await bench.started(), await bench.started("+79990001133")
    first, second = await bench.send(anna, "oops"), await bench.send(oleg, "oops")
    assert first.partition("/")[2] == second.partition("/")[2]
    await recall(bench, first)
    assert (seen(bench, anna), seen(bench, oleg)) == (["Начать"], ["Начать", "oops"])


async def test_what_is_gone_already_is_as_it_should_be(bench: Bench) -> None:
    anna = await bench.started()
    sent = await bench.send(anna, "oops")
    for message in (sent, sent, f"{anna}/404"):
        await recall(bench, message)
    assert seen(bench, anna) == ["Начать"]


async def test_in_a_group_chat(bench: Bench) -> None:
    await bench.vk.say_in_chat("2000000001", bench.vk.user_of("+79990001122"), "hi all")
    await recall(bench, await bench.send("2000000001", "oops"))
    assert seen(bench, "2000000001") == ["hi all"]


async def test_who_has_denied_our_messages_since_is_rid_of_it_too(bench: Bench) -> None:
    anna = await bench.started()
    sent = await bench.send(anna, "oops")
    await bench.vk.deny(anna)
    await recall(bench, sent)
    assert seen(bench, anna) == ["Начать"]


async def test_vk_lets_it_be_done_for_as_long_as_we_say(bench: Bench) -> None:
    anna = await bench.started()
    first, second = await bench.send(anna, "first", key="k1"), await bench.send(anna, "second", key="k2")
    bench.now += bench.channel.facts.recalls
    bench.pass_time(seconds=-1)
    await recall(bench, first)
    bench.pass_time(seconds=1)
    with pytest.raises(Refused, match="VK 924: the message cannot be taken back"):
        await recall(bench, second)
    assert seen(bench, anna) == ["Начать", "second"]


async def test_what_a_person_wrote_is_theirs(bench: Bench) -> None:
    anna = await bench.started()
    with pytest.raises(Refused, match="VK 924"):
        await recall(bench, f"{anna}/1")
    assert seen(bench, anna) == ["Начать"]


@pytest.mark.parametrize(("code", "error"), [(6, Throttled), (9, Unavailable), (7, Misconfigured), (15, Refused)])
async def test_what_vk_refuses(bench: Bench, code: int, error: type[SendError]) -> None:
    anna = await bench.started()
    sent = await bench.send(anna, "oops")
    bench.vk.faults.fail(code)
    with pytest.raises(error, match=f"VK {code}"):
        await recall(bench, sent)
    assert seen(bench, anna) == ["Начать", "oops"]


async def test_a_wrong_token(bench: Bench) -> None:
    anna = await bench.started()
    sent = await bench.send(anna, "oops")
    with pytest.raises(Misconfigured):
        await bench.other(access_token=Secret("vk1.a.somebody-elses-token")).recall(bench.address(anna), sent)
    assert seen(bench, anna) == ["Начать", "oops"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ([{"peer_id": 1, "conversation_message_id": 5, "response": 1}], None),
        ([{"peer_id": 1, "conversation_message_id": 5, "response": 0}], None),
        ({"5": 1}, None),
        ([{"peer_id": 1, "conversation_message_id": 5, "error": {"code": 924, "description": "no"}}], Refused),
    ],
)
async def test_the_shapes_of_vks_answer(bench: Bench, answer: object, error: type[SendError] | None) -> None:
    app = Quart("vk")

    @app.post("/method/messages.delete")
    async def answered() -> dict[str, object]:
        return {"response": answer}

    async with served(app) as url:
        channel = bench.other(api_url=url)
        if error is None:
            return await channel.recall(bench.address("1"), "1/5")
        with pytest.raises(error, match="VK 924"):
            await channel.recall(bench.address("1"), "1/5")
    return None


async def test_the_stand_in_refuses_what_makes_no_sense(bench: Bench) -> None:
    anna = await bench.started()
    assert await refused(bench, "messages.delete", cmids="2", delete_for_all="1") == 100
    assert await refused(bench, "messages.delete", peer_id=anna, cmids="two", delete_for_all="1") == 100
    assert await refused(bench, "messages.delete", peer_id=anna, delete_for_all="1") == 100
    assert await refused(bench, "messages.delete", peer_id="404", cmids="2", delete_for_all="1") == 936


async def test_without_delete_for_all_the_person_still_sees_it(bench: Bench) -> None:
    anna = await bench.started()
    number = (await bench.send(anna, "oops")).partition("/")[2]
    answer = await asked(bench, "messages.delete", peer_id=anna, cmids=f"{number},404")
    assert [line["response"] for line in answer["response"]] == [1, 0]
    assert seen(bench, anna) == ["Начать", "oops"]
