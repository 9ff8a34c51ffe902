"""The stand-in refuses what Telegram refuses, in Telegram's own words, in every form of request."""

import json

import aiohttp
import pytest

from tests.bots.telegram.conftest import Pair
from tests.bots.telegram.simulator.calling import call


def keyboard(**button: str) -> str:
    return json.dumps({"inline_keyboard": [[button]]})


def many_buttons(count: int) -> str:
    keys = [[{"text": str(number), "callback_data": str(number)}] for number in range(count)]
    return json.dumps({"inline_keyboard": keys})


async def test_parameters_may_be_json_or_a_form_of_either_kind(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    multipart = aiohttp.FormData({"chat_id": anna, "text": "3"}, default_to_multipart=True)
    markup = {"inline_keyboard": [[{"text": "Yes", "callback_data": "yes"}]]}
    await call(pair, "sendMessage", json={"chat_id": int(anna), "text": "1", "reply_markup": markup})
    await call(pair, "sendmessage", data={"chat_id": anna, "text": "2"})
    status, answer = await call(pair, "sendMessage", data=multipart)
    assert (status, answer["ok"], answer["result"]["chat"]["id"]) == (200, True, int(anna))
    assert [accepted.text for accepted in pair.server.accepted] == ["1", "2", "3"]
    assert pair.server.phone(anna).screen[-3].buttons[0].reply == "yes"


async def test_parameters_may_stand_in_the_query_of_a_get(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    status, answer = await call(pair, "sendMessage", verb="GET", params={"chat_id": anna, "text": "1 & 2"})
    assert (status, answer["result"]["text"]) == (200, "1 & 2")


@pytest.mark.parametrize("path", ["bot123", "bot123/sendMessage/more", "file/bot123/photo.jpg"])
async def test_whatever_is_not_there_is_refused_in_json(pair: Pair, path: str) -> None:
    async with pair.http.get(f"{pair.account.api_url}/{path}") as response:
        assert (response.status, (await response.json())["ok"]) == (404, False)


async def test_get_me(pair: Pair) -> None:
    _, answer = await call(pair, "getMe")
    assert answer["result"]["username"] == "demo_shop_bot"


async def test_delete_message(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    _, answer = await call(pair, "sendMessage", data={"chat_id": anna, "text": "oops"})
    request = {"chat_id": anna, "message_id": answer["result"]["message_id"]}
    assert await call(pair, "deleteMessage", json=request) == (200, {"ok": True, "result": True})
    assert [bubble.text for bubble in pair.server.phone(anna).screen] == ["/start"]
    assert (await call(pair, "deleteMessage", json=request))[1]["description"].endswith("message to delete not found")


async def test_a_wrong_token_and_a_wrong_method(pair: Pair) -> None:
    assert await call(pair, "getMe", "7000123456:AAAA") == (
        401,
        {"ok": False, "error_code": 401, "description": "Unauthorized"},
    )
    status, answer = await call(pair, "sendTelepathy")
    assert (status, answer["error_code"]) == (404, 404)


@pytest.mark.parametrize(
    ("params", "description"),
    [
        ({}, "message text is empty"),
        ({"text": " \n "}, "message text is empty"),
        ({"text": "\u200b\u2060 \ufeff\u3164"}, "text must be non-empty"),
        ({"text": "😀" * 2049}, "message is too long"),
        ({"text": "hi", "chat_id": "404"}, "chat not found"),
        ({"text": "hi", "reply_markup": "{"}, "can't parse reply keyboard markup JSON object"),
        ({"text": "hi", "reply_markup": keyboard(text="Yes", callback_data="x" * 65)}, "BUTTON_DATA_INVALID"),
        ({"text": "hi", "reply_markup": keyboard(text="Yes")}, "Text buttons are unallowed"),
        ({"text": "hi", "reply_markup": keyboard(text="", callback_data="x")}, "must be non-empty"),
        ({"text": "hi", "reply_markup": keyboard(text="Site", url="nowhere")}, "is invalid"),
        ({"text": "hi", "reply_markup": keyboard(text="Site", url="ftp://shop.ru/")}, "Unsupported URL protocol"),
        ({"text": "hi", "reply_markup": keyboard(text="Yes", url="https://a.ru", callback_data="x")}, "exactly one"),
        ({"text": "hi", "reply_markup": many_buttons(101)}, "REPLY_MARKUP_TOO_LONG"),
    ],
)
async def test_a_message_that_is_refused(pair: Pair, params: dict[str, str], description: str) -> None:
    anna = await pair.start_user("Anna")
    status, answer = await call(pair, "sendMessage", data={"chat_id": anna} | params)
    assert (status, answer["ok"], answer["error_code"]) == (400, False, 400)
    assert description in answer["description"]
    assert pair.server.accepted == []


async def test_a_hundred_buttons_are_taken(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    await call(pair, "sendMessage", data={"chat_id": anna, "text": "hi", "reply_markup": many_buttons(100)})
    assert len(pair.server.phone(anna).screen[-1].buttons) == 100


async def test_a_file_that_is_missing(pair: Pair) -> None:
    anna = await pair.start_user("Anna")
    _, answer = await call(pair, "sendPhoto", data={"chat_id": anna})
    assert answer["description"] == "Bad Request: there is no photo in the request"


async def test_a_secret_with_characters_that_are_not_allowed(pair: Pair) -> None:
    _, answer = await call(pair, "setWebhook", data={"url": pair.url, "secret_token": "a b"})
    assert answer["description"] == "Bad Request: secret token contains unallowed characters"
