"""Our messages, over the wire: what arrives, and that it arrives once."""

import asyncio
from datetime import timedelta

import pytest

from bots.vk.outbound.sending import random_id
from gateway.domain.channel.errors import Ambiguous, Refused, Stopped, WindowClosed
from gateway.domain.model.nouns import Content, TemplateMessage
from tests.bots.vk.bench import Bench, a_bench
from tests.support.http.barrier import Together

MANY, EACH = 200, 0.2


async def test_a_message_arrives(bench: Bench) -> None:
    anna = await bench.started()
    sent = await bench.send(anna, "Ваш заказ A-17 готов 📦")
    (accepted,) = bench.vk.accepted
    shown = bench.vk.phone(anna).screen[-1]
    assert sent == accepted.id == shown.id == f"{anna}/2"
    assert (shown.text, shown.mine, shown.state) == ("Ваш заказ A-17 готов 📦", False, "read")
    assert accepted.request["peer_ids"] == anna
    assert accepted.request["disable_mentions"] == "1"
    assert accepted.request["v"] == "5.199"
    assert "intent" not in accepted.request
    assert "access_token" not in accepted.request


async def test_a_group_chat_is_written_to(bench: Bench) -> None:
    anna = await bench.started()
    await bench.vk.say_in_chat("2000000001", anna, "hi all")
    assert await bench.send("2000000001", "hi") == "2000000001/2"


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
async def test_text_is_never_interpreted(bench: Bench, text: str) -> None:
    anna = await bench.started()
    for piece in bench.channel.split(Content(text)):
        await bench.send(anna, piece)
    assert bench.vk.phone(anna).screen[-1].text.replace("\u200b", "") == text


async def test_a_retry_after_a_lost_answer_arrives_once(bench: Bench) -> None:
    anna = await bench.started()
    bench.vk.faults.lose_answers()
    with pytest.raises(Ambiguous, match="may have been sent"):
        await bench.send(anna, "hi", key="n1.0.0")
    bench.pass_time(minutes=29)
    again = await bench.send(anna, "hi", key="n1.0.0")
    assert [accepted.id for accepted in bench.vk.accepted] == [again]
    assert bench.channel.facts.idempotent == timedelta(minutes=30)


async def test_vk_forgets(bench: Bench) -> None:
    anna = await bench.started()
    await bench.send(anna, "hi", key="n1.0.0")
    bench.pass_time(minutes=61)
    await bench.send(anna, "hi", key="n1.0.0")
    await bench.send(anna, "hi", key="n1.0.1")
    assert len(bench.vk.accepted) == 3


async def test_one_key_does_not_hold_up_another_person(bench: Bench) -> None:
    anna, boris = await bench.started(), await bench.started("+79990001133")
    for user in (anna, boris):
        await bench.send(user, "hi", key="n1.0.0")
    assert {accepted.user for accepted in bench.vk.accepted} == {anna, boris}


def test_a_random_id_is_stable_and_a_positive_int32() -> None:
    assert random_id("n1.0.0") == 184_839_057 == random_id("n1.0.0")
    ids = {random_id(f"n{number}.0.0") for number in range(10_000)}
    assert len(ids) == 10_000
    assert all(0 < one < 2**31 for one in ids)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        (Content(), "the message is empty"),
        (Content(" \n"), "the message is empty"),
        (TemplateMessage("order_ready", "ru"), "VK has no templates"),
    ],
)
async def test_what_vk_has_no_form_for_is_refused_here(
    bench: Bench, what: Content | TemplateMessage, reason: str
) -> None:
    anna = await bench.started()
    bench.vk.faults.fail("10")
    with pytest.raises(Refused, match=reason):
        await bench.send(anna, what)
    assert bench.vk.faults.planned, "nothing was asked of VK"


async def test_to_whom_we_may_not_write(bench: Bench) -> None:
    anna = await bench.started()
    await bench.vk.deny(anna)
    stranger = bench.vk.user_of("+79990001133")
    for user in (anna, stranger):
        with pytest.raises(Stopped, match="VK 901"):
            await bench.send(user, "hi")
    with pytest.raises(Refused, match="peer_ids is invalid"):
        await bench.send("anna", "hi")
    assert bench.vk.accepted == []
    await bench.vk.say(anna, "I am back")
    await bench.vk.allow(stranger)
    await bench.send(anna, "hi")
    await bench.send(stranger, Content("hi", intent="purchase_update"))


async def test_after_a_day_vk_wants_to_know_why(bench: Bench) -> None:
    anna = await bench.started()
    bench.pass_time(hours=24)
    with pytest.raises(WindowClosed, match="VK 950"):
        await bench.send(anna, "hi")
    with pytest.raises(WindowClosed, match="VK 943"):
        await bench.send(anna, Content("hi", intent="promo_newsletter"))
    await bench.send(anna, Content("Ready", intent="purchase_update"))
    assert [accepted.request["intent"] for accepted in bench.vk.accepted] == ["purchase_update"]
    await bench.vk.say(anna, "thanks")
    await bench.send(anna, "bye")


async def test_without_a_window_there_is_no_end() -> None:
    async with a_bench(window_hours=0) as bench:
        anna = await bench.started()
        bench.pass_time(days=400)
        await bench.send(anna, "hi")


async def test_many_are_sent_at_once(bench: Bench) -> None:
    users = [await bench.started(f"+7999{number:07}") for number in range(10)]
    bench.vk.echoes = False
    bench.vk.faults = Together(MANY, EACH)
    await asyncio.gather(*(bench.send(users[n % 10], "hi", key=f"n{n}.0.0") for n in range(MANY)))
    assert len(bench.vk.accepted) == MANY
