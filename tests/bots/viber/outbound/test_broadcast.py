"""The same message to many people at once."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.viber.outbound.broadcast import Letter, split_into_batches
from bots.viber.simulator.server import Server
from gateway.domain.channel.errors import Ambiguous, Misconfigured, Refused, Stopped, Throttled, Unavailable
from gateway.domain.model.event import Receipt
from gateway.domain.model.nouns import Button, Content, Media, Progress
from tests.bots.viber.pair import Pair, opened_pair, outcomes
from tests.support.http.barrier import AnswerBarrier, AnswerGate


def phone_numbers(count: int) -> list[str]:
    return [f"+7916{number:07}" for number in range(count)]


async def send_all(pair: Pair, phones: list[str], content: Content | str = "hello") -> list[object]:
    return await outcomes(*(pair.send(content, phone) for phone in phones))


def calls(server: Server) -> tuple[int, int]:
    """Return the number of broadcasts, and of messages on their own: only these carry our key."""
    return server.broadcasts, sum(line.request["tracking_data"] == "n1:0:0" for line in server.accepted)


async def test_three_hundred_a_call() -> None:
    async with opened_pair() as pair:
        phones = phone_numbers(601)
        await pair.subscribers(*phones)
        ids = await send_all(pair, phones)
        assert all(isinstance(outcome, str) for outcome in ids), ids
        assert sorted(map(str, ids)) == sorted(line.id for line in pair.server.accepted)
        assert calls(pair.server) == (2, 1)
        assert {line.user for line in pair.server.accepted} == {pair.address(phone).user for phone in phones}


async def test_receipts_tell_whose_copy_they_are_of() -> None:
    async with opened_pair() as pair:
        phones = phone_numbers(3)
        await pair.subscribers(*phones)
        ids = await send_all(pair, phones)
        await pair.server.quiet()
        assert len({str(outcome).rpartition("/")[2] for outcome in ids}) == 1, "one token for all"
        for progress in (Progress.DELIVERED, Progress.READ):
            provider_ids = [event.provider_id for event in pair.parsed_events(Receipt) if event.progress is progress]
            assert sorted(provider_ids) == sorted(map(str, ids))
        assert len({event.id for event in pair.parsed_events(Receipt)}) == 6


async def test_one_alone_is_no_broadcast() -> None:
    async with opened_pair() as pair:
        await pair.subscribers(*phone_numbers(1))
        await send_all(pair, phone_numbers(1))
        assert calls(pair.server) == (0, 1)


async def test_what_is_personal_goes_to_one_person() -> None:
    async with opened_pair() as pair:
        phones = phone_numbers(20)
        await pair.subscribers(*phones)
        ids = await outcomes(*(pair.send(f"hello {phone}", phone) for phone in phones))
        assert len({*ids}) == 20
        assert calls(pair.server) == (0, 20)
        texts = {line.user: line.text for line in pair.server.accepted}
        assert texts == {pair.address(phone).user: f"hello {phone}" for phone in phones}


async def test_what_looks_like_a_placeholder_stays_as_it_is() -> None:
    async with opened_pair() as pair:
        await pair.subscribers(*phone_numbers(2))
        await send_all(pair, phone_numbers(2), "Dear replace_me_with_user_name")
        assert calls(pair.server) == (0, 2)


async def test_a_long_text_leaves_room_for_fewer_people() -> None:
    async with opened_pair() as pair:
        phones = phone_numbers(300)
        await pair.subscribers(*phones)
        ids = await send_all(pair, phones, Content("ы" * 7000, buttons=(Button("Да", reply="ы" * 3000),)))
        assert all(isinstance(outcome, str) for outcome in ids), ids
        assert pair.server.broadcasts == 2


async def test_a_file_is_measured_once_for_all() -> None:
    async with opened_pair() as pair:
        await pair.subscribers(*phone_numbers(30))
        ids = await send_all(pair, phone_numbers(30), Content(media=Media("document", f"{pair.url}/files/7/a.pdf")))
        assert all(isinstance(outcome, str) for outcome in ids), ids
        assert (pair.server.broadcasts, pair.measured) == (1, 1)


async def test_some_get_it_and_some_do_not() -> None:
    async with opened_pair() as pair:
        phones = phone_numbers(5)
        await pair.subscribers(*phones[:4])
        await pair.server.unsubscribe(pair.address(phones[1]).user)
        pair.server.troubles[pair.address(phones[2]).user] = 12
        ids = await send_all(pair, phones)
        assert [type(outcome) for outcome in ids] == [str, Stopped, Unavailable, str, Refused]
        assert [line.id for line in pair.server.accepted] == [ids[0], ids[3]]
        assert calls(pair.server) == (1, 0)


@pytest.mark.parametrize("status", [18, 19, 20])
async def test_where_broadcasts_are_not_allowed_each_goes_alone(status: int) -> None:
    async with opened_pair() as pair:
        phones = phone_numbers(10)
        await pair.subscribers(*phones)
        pair.server.faults.fail(status)
        for _ in range(2):
            ids = await send_all(pair, phones)
            assert all(isinstance(outcome, str) for outcome in ids), ids
        assert calls(pair.server) == (0, 20)


async def test_an_account_that_wants_no_broadcasts() -> None:
    async with opened_pair(broadcast=False) as pair:
        await pair.subscribers(*phone_numbers(10))
        await send_all(pair, phone_numbers(10))
        assert calls(pair.server) == (0, 10)


async def test_a_lost_answer_leaves_everybody_in_doubt() -> None:
    async with opened_pair() as pair:
        await pair.subscribers(*phone_numbers(10))
        pair.server.faults.lose_answers()
        errors = await send_all(pair, phone_numbers(10))
        assert {type(error) for error in errors} == {Ambiguous}
        assert len({id(error) for error in errors}) == 10, "each has its own, with its own traceback"
        assert len(pair.server.accepted) == 10


async def test_a_refused_broadcast_is_refused_to_everybody() -> None:
    async with opened_pair() as pair:
        await pair.subscribers(*phone_numbers(3))
        pair.server.faults.fail(7)
        assert [type(error) for error in await send_all(pair, phone_numbers(3))] == [Misconfigured] * 3
        pair.server.faults.fail(12)
        assert [type(error) for error in await send_all(pair, phone_numbers(3))] == [Throttled] * 3
        assert pair.server.accepted == []


async def test_the_same_person_twice_gets_it_twice() -> None:
    async with opened_pair() as pair:
        first, second = phone_numbers(2)
        await pair.subscribers(first, second)
        ids = await send_all(pair, [first, second, first, first])
        assert len({*ids}) == 4
        users = [line.user for line in pair.server.accepted]
        assert (users.count(pair.address(first).user), users.count(pair.address(second).user)) == (3, 1)


async def test_whoever_gives_up_harms_nobody_else() -> None:
    async with opened_pair() as pair:
        phones = phone_numbers(3)
        await pair.subscribers(*phones)
        tasks = [asyncio.create_task(pair.send("hello", phone)) for phone in phones]
        await asyncio.sleep(0)
        tasks[0].cancel()
        ids = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(ids[0], asyncio.CancelledError)
        assert [line.id for line in pair.server.accepted] == ids[1:]


async def test_giving_up_while_it_is_under_way() -> None:
    async with opened_pair() as pair:
        phones = phone_numbers(3)
        await pair.subscribers(*phones)
        pair.server.faults = gate = AnswerGate()
        tasks = [asyncio.create_task(pair.send("hello", phone)) for phone in phones]
        await gate.arrived.wait()
        tasks[0].cancel()
        gate.opened.set()
        ids = await asyncio.gather(*tasks, return_exceptions=True)
        assert [line.id for line in pair.server.accepted][1:] == ids[1:]


@pytest.mark.parametrize(("is_under_way", "error"), [(False, Unavailable), (True, Ambiguous)])
async def test_closing_leaves_nobody_waiting(is_under_way: bool, error: type[Exception]) -> None:  # noqa: FBT001
    async with opened_pair() as pair:
        await pair.subscribers(*phone_numbers(3))
        pair.server.faults = gate = AnswerGate()
        tasks = [asyncio.create_task(pair.send("hello", phone)) for phone in phone_numbers(3)]
        await (gate.arrived.wait() if is_under_way else asyncio.sleep(0))
        await pair.channel.close()
        assert {type(outcome) for outcome in await asyncio.gather(*tasks, return_exceptions=True)} == {error}
        gate.opened.set()
        assert await pair.send("again", phone_numbers(1)[0])


@pytest.mark.parametrize("same", [True, False])
async def test_many_at_once_do_not_queue(*, same: bool) -> None:
    async with opened_pair() as pair:
        phones = phone_numbers(200)
        await pair.subscribers(*phones)
        pair.server.faults = AnswerBarrier(1 if same else len(phones), 0.2)
        ids = await outcomes(*(pair.send("hello" if same else f"hello {phone}", phone) for phone in phones))
        assert sorted(map(str, ids)) == sorted(line.id for line in pair.server.accepted)


@given(st.lists(st.sampled_from("abcdefgh"), max_size=40), st.integers(1, 6))
def test_batches_lose_nobody_and_have_nobody_twice(receivers: list[str], size: int) -> None:
    loop = asyncio.new_event_loop()
    letters = [Letter(receiver, str(index), loop.create_future()) for index, receiver in enumerate(receivers)]
    loop.close()
    batches = split_into_batches(letters, size)
    assert sorted(letter.key for batch in batches for letter in batch) == sorted(letter.key for letter in letters)
    for batch in batches:
        assert 0 < len(batch) <= size
        assert len({letter.receiver for letter in batch}) == len(batch)
