"""Laws of consent: what was said last counts, in whatever order it is heard, and whoever turns out to be one person."""

import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from gateway.conversations import inbound
from gateway.domain.model.event import Inbound, Person
from gateway.domain.model.identifier import identifier
from gateway.domain.model.nouns import Address, Content
from gateway.domain.terms.consent import MOST, Word, heard, standing, takes_back
from gateway.people import contacts as people
from gateway.people.contacts import MergeRequest
from gateway.people.optouts import key
from gateway.runtime.runtime import Runtime, opened
from gateway.runtime.settings.settings import Settings
from storage.people import contacts, optouts, sessions

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
PHONE = identifier("phone", "+79161234567")
BY = ("word in sms: stop", "word in vk: start", "provider whatsapp", "API key crm", "API key shop")

words = st.builds(
    Word,
    at=st.integers(0, 9).map(lambda minute: AT + timedelta(minutes=minute)),
    by=st.sampled_from(BY),
    out=st.booleans(),
)


@given(st.lists(words, unique_by=lambda word: word.at, max_size=8), st.randoms(use_true_random=False))
def test_whatever_the_order_in_which_words_are_heard_the_same_holds(said: list[Word], random: Random) -> None:
    shuffled = list(said)
    random.shuffle(shuffled)
    log: list[Word] = []
    for word in shuffled:
        log = heard(heard(log, word), word)
    holding = standing(log)
    assert holding == standing(sorted(said, key=lambda word: word.at))
    for out in holding:
        assert not [back for back in said if not back.out and back.at > out.at and takes_back(back, out)]
    for out in said:
        if out.out and not [back for back in said if not back.out and back.at > out.at]:
            assert out in holding


def test_a_log_has_a_bound_and_loses_nothing_that_holds() -> None:
    log = [Word(AT, "API key crm", out=True)]
    for number in range(2 * MOST):
        log = heard(log, Word(AT + timedelta(minutes=number + 1), "word in sms: stop", out=number % 2 == 0))
    assert len(log) == MOST + 1
    assert [word.by for word in standing(log)] == ["API key crm"]


@pytest.fixture
async def runtime(settings: Settings) -> AsyncIterator[Runtime]:
    table = {"account_sid": "AC" + "0" * 32, "auth_token": "a1" * 16, "sender": "+79990000001"}
    async with opened(replace(settings, accounts={"sms": {"main": table, "second": table}})) as runtime:
        yield runtime


def said(text: str, minute: int, account: str = "main", user: str = "+79161234567") -> Inbound:
    at = AT + timedelta(minutes=minute)
    person = Person("Anna", (identifier("phone", user),))
    return Inbound(
        Address("sms", account, user), f"{text}{minute}", f"{text}{minute}", Content(text), at, person=person
    )


async def is_out(runtime: Runtime) -> bool:
    return bool(await optouts.find_active(runtime.db, [key("marketing", PHONE)]))


STORY = [said("STOP", 1), said("START", 2), said("Hello", 3), said("STOP", 4, "second")]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
async def test_an_older_word_undoes_no_newer_one(runtime: Runtime, order: tuple[int, ...]) -> None:
    """In two chats of one person, through two accounts; each is heard whenever it is."""
    for number in order:
        await inbound.work(runtime, STORY[number], AT + timedelta(hours=1))
    assert await is_out(runtime)
    chat = await sessions.get(runtime.db, STORY[0].address.key)
    other = await sessions.get(runtime.db, STORY[3].address.key)
    assert chat
    assert other
    assert (chat.stopped_at, other.stopped_at) == (None, STORY[3].at)
    await inbound.work(runtime, said("START", 5), AT + timedelta(hours=1))
    assert not await is_out(runtime)


@pytest.mark.parametrize("order", list(itertools.permutations(("stop", "start", "merge"))))
async def test_opt_outs_survive_merges_and_what_was_taken_back_does_not(
    runtime: Runtime, order: tuple[str, ...]
) -> None:
    """The stop is said in the chat of one contact, and the start later in that of the other."""
    db = runtime.db
    anna = await contacts.join(db, AT, [PHONE])
    also = await contacts.join(db, AT, [identifier("phone", "+79161234568")])
    assert anna
    assert also
    events = {"stop": said("STOP", 1), "start": said("START", 2, user="+79161234568")}
    for step in order:
        if step == "merge":
            now = await contacts.get(db, anna.id)
            assert now
            await people.merge(runtime, now, MergeRequest(contact_id=also.id, phone="+79161234567"))
        else:
            await inbound.work(runtime, events[step], AT + timedelta(hours=1))
    merged_before = order.index("merge") < max(order.index("stop"), order.index("start"))
    assert await is_out(runtime) is not merged_before
