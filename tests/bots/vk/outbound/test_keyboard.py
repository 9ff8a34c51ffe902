"""Buttons: how they are laid out, and which of them VK has no room for."""

import json

import pytest

from bots.vk.outbound.keyboard import keyboard
from gateway.domain.channel.errors import Refused
from gateway.domain.model.nouns import Button, Content
from tests.bots.vk.pair import Pair


@pytest.mark.parametrize(("count", "rows"), [(1, [1]), (6, [1] * 6), (7, [2, 2, 2, 1]), (8, [2] * 4), (10, [2] * 5)])
async def test_the_rows(pair: Pair, count: int, rows: list[int]) -> None:
    buttons = tuple(Button(f"Button {number}", reply=str(number)) for number in range(count))
    assert [len(row) for row in json.loads(keyboard(buttons))["buttons"]] == rows
    anna = await pair.start_user()
    await pair.send(anna, Content("?", buttons=buttons))
    assert [button.text for button in pair.vk.phone(anna).screen[-1].buttons] == [button.text for button in buttons]


def test_a_button_that_answers_and_one_that_opens_a_page() -> None:
    markup = json.loads(keyboard((Button("Да", reply="да:A-17"), Button("Site", url="https://shop.ru/"))))
    assert markup["inline"] is True
    (callback_key,), (link_key,) = markup["buttons"]
    assert callback_key["action"] == {"type": "callback", "label": "Да", "payload": '{"reply":"да:A-17"}'}
    assert link_key == {"action": {"type": "open_link", "label": "Site", "link": "https://shop.ru/"}}


def test_a_button_without_a_reply_answers_with_its_text() -> None:
    ((key,),) = json.loads(keyboard((Button("Yes"),)))["buttons"]
    assert key["action"]["payload"] == '{"reply":"Yes"}'


@pytest.mark.parametrize("button", [Button("a" * 41, reply="x"), Button("a" * 41, url="https://shop.ru/")])
def test_long_labels_are_cut(button: Button) -> None:
    ((key,),) = json.loads(keyboard((button,)))["buttons"]
    assert key["action"]["label"] == "a" * 39 + "…"
    ((key,),) = json.loads(keyboard((Button("a" * 40, reply="x"),)))["buttons"]
    assert key["action"]["label"] == "a" * 40


async def test_the_longest_reply(pair: Pair) -> None:
    anna = await pair.start_user()
    await pair.send(anna, Content("?", buttons=(Button("Да", reply="я" * 243),)))
    assert pair.vk.phone(anna).screen[-1].buttons
    with pytest.raises(Refused, match="the button 'Да' is too long; VK takes 243 characters"):
        await pair.send(anna, Content("?", buttons=(Button("Да", reply="я" * 244),)))


def test_eleven_are_too_many() -> None:
    with pytest.raises(Refused, match="11 buttons; VK takes 10"):
        keyboard([Button(str(number)) for number in range(11)])


@pytest.mark.parametrize("button", [Button("", reply="x"), Button("Site", url="shop")])
async def test_a_message_goes_without_the_buttons_that_vk_dislikes(pair: Pair, button: Button) -> None:
    anna = await pair.start_user()
    provider_id = await pair.send(anna, Content("Choose: yes or no", buttons=(button,)))
    (accepted,) = pair.vk.accepted
    assert (accepted.id, accepted.text, "keyboard" in accepted.request) == (provider_id, "Choose: yes or no", False)


@pytest.mark.parametrize("code", ["911", "912"])
async def test_it_goes_without_them_once(pair: Pair, code: str) -> None:
    anna = await pair.start_user()
    pair.vk.faults.fail(code, times=2)
    with pytest.raises(Refused, match=f"VK {code}"):
        await pair.send(anna, Content("?", buttons=(Button("Yes"),)))
    assert not pair.vk.faults.planned
    pair.vk.faults.fail(code, times=2)
    with pytest.raises(Refused, match=f"VK {code}"):
        await pair.send(anna, "no buttons at all")
    assert len(pair.vk.faults.planned) == 1
