"""Our messages, over the wire: what arrives, and that it arrives once."""

import asyncio
from datetime import timedelta

import pytest

from bots.vk.outbound.sending import random_id
from gateway.domain.channel.errors import Ambiguous, Refused, Stopped, WindowClosed
from gateway.domain.model.nouns import Content, TemplateMessage
from tests.bots.vk.pair import Pair, opened_pair
from tests.support.http.barrier import AnswerBarrier

MANY, EACH = 200, 0.2


async def test_a_message_arrives(pair: Pair) -> None:
    anna = await pair.start_user()
    provider_id = await pair.send(anna, "Ваш заказ A-17 готов 📦")
    (accepted,) = pair.vk.accepted
    bubble = pair.vk.phone(anna).screen[-1]
    assert provider_id == accepted.id == bubble.id == f"{anna}/2"
    assert (bubble.text, bubble.mine, bubble.state) == ("Ваш заказ A-17 готов 📦", False, "read")
    assert accepted.request == {
        "peer_ids": anna,
        "random_id": accepted.request["random_id"],
        "message": "Ваш заказ A-17 готов 📦",
        "disable_mentions": "1",
        "dont_parse_links": "1",
        "v": "5.199",
    }
    assert 0 < int(accepted.request["random_id"]) < 2**31


async def test_a_group_chat_is_written_to(pair: Pair) -> None:
    anna = await pair.start_user()
    await pair.vk.say_in_chat("2000000001", anna, "hi all")
    assert await pair.send("2000000001", "hi") == "2000000001/2"


@pytest.mark.parametrize(
    "text",
    [
        "[id1|Bank of Russia]",
        "see [https://vk.com/evil|shop.ru] now",
        "[[club1|x]|y]",
        "&#33; and &#128512;",
        "a &amp; b, Tom & Jerry; x[1] | y[2]",
        "*bold* _it_ <b>b</b> a_b",
    ],
)
async def test_text_is_never_interpreted(pair: Pair, text: str) -> None:
    anna = await pair.start_user()
    for piece in pair.channel.split(Content(text)):
        await pair.send(anna, piece)
    assert pair.vk.phone(anna).screen[-1].text.replace("\u200b", "") == text


async def test_a_retry_after_a_lost_answer_arrives_once(pair: Pair) -> None:
    anna = await pair.start_user()
    pair.vk.faults.lose_answers()
    with pytest.raises(Ambiguous, match="may have been sent"):
        await pair.send(anna, "hi", key="n1.0.0")
    pair.pass_time(minutes=29)
    provider_id = await pair.send(anna, "hi", key="n1.0.0")
    assert [accepted.id for accepted in pair.vk.accepted] == [provider_id]
    assert pair.channel.facts.idempotent == timedelta(minutes=30)


async def test_vk_forgets(pair: Pair) -> None:
    anna = await pair.start_user()
    await pair.send(anna, "hi", key="n1.0.0")
    pair.pass_time(minutes=61)
    await pair.send(anna, "hi", key="n1.0.0")
    await pair.send(anna, "hi", key="n1.0.1")
    assert len(pair.vk.accepted) == 3


async def test_one_key_does_not_hold_up_another_person(pair: Pair) -> None:
    anna, boris = await pair.start_user(), await pair.start_user("+79990001133")
    for user in (anna, boris):
        await pair.send(user, "hi", key="n1.0.0")
    assert {accepted.user for accepted in pair.vk.accepted} == {anna, boris}


def test_a_random_id_is_stable_and_a_positive_int32() -> None:
    assert random_id("n1.0.0") == 184_839_057 == random_id("n1.0.0")
    ids = {random_id(f"n{number}.0.0") for number in range(10_000)}
    assert len(ids) == 10_000
    assert all(0 < id_ < 2**31 for id_ in ids)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (Content(), "the message is empty"),
        (Content(" \n"), "the message is empty"),
        (TemplateMessage("order_ready", "ru"), "VK has no templates"),
    ],
)
async def test_what_vk_has_no_form_for_is_refused_here(
    pair: Pair, message: Content | TemplateMessage, reason: str
) -> None:
    anna = await pair.start_user()
    pair.vk.faults.fail("10")
    with pytest.raises(Refused, match=reason):
        await pair.send(anna, message)
    assert pair.vk.faults.planned, "nothing was asked of VK"


async def test_to_whom_we_may_not_write(pair: Pair) -> None:
    anna = await pair.start_user()
    await pair.vk.deny(anna)
    stranger = pair.vk.user_of("+79990001133")
    for user in (anna, stranger):
        with pytest.raises(Stopped, match="VK 901"):
            await pair.send(user, "hi")
    with pytest.raises(Refused, match="peer_ids is invalid"):
        await pair.send("anna", "hi")
    assert pair.vk.accepted == []
    await pair.vk.say(anna, "I am back")
    await pair.vk.allow(stranger)
    await pair.send(anna, "hi")
    await pair.send(stranger, Content("hi", intent="purchase_update"))


async def test_after_a_day_vk_wants_to_know_why(pair: Pair) -> None:
    anna = await pair.start_user()
    pair.pass_time(hours=24)
    with pytest.raises(WindowClosed, match="VK 950"):
        await pair.send(anna, "hi")
    with pytest.raises(WindowClosed, match="VK 943"):
        await pair.send(anna, Content("hi", intent="promo_newsletter"))
    await pair.send(anna, Content("Ready", intent="purchase_update"))
    assert [accepted.request["intent"] for accepted in pair.vk.accepted] == ["purchase_update"]
    await pair.vk.say(anna, "thanks")
    await pair.send(anna, "bye")


async def test_without_a_window_there_is_no_end() -> None:
    async with opened_pair(window_hours=0) as pair:
        anna = await pair.start_user()
        pair.pass_time(days=400)
        await pair.send(anna, "hi")


async def test_many_are_sent_at_once(pair: Pair) -> None:
    users = [await pair.start_user(f"+7999{number:07}") for number in range(10)]
    pair.vk.echoes = False
    pair.vk.faults = AnswerBarrier(MANY, EACH)
    await asyncio.gather(*(pair.send(users[n % 10], "hi", key=f"n{n}.0.0") for n in range(MANY)))
    assert len(pair.vk.accepted) == MANY
