"""The stand-in refuses what VK refuses; without that, the other tests would prove little."""

import json
from typing import Any

import pytest

from tests.bots.vk.pair import Pair

KEY = {"action": {"type": "callback", "label": "Yes", "payload": '{"reply":"yes"}'}}


async def call(pair: Pair, method: str, **params: str) -> Any:
    """Make a call as another program would make it; return the body of the response."""
    form = {"access_token": pair.account.access_token.reveal(), "v": "5.199", **params}
    async with pair.outside.http.post(f"{pair.account.api_url}/method/{method}", data=form) as response:
        assert response.status == 200
        return await response.json()


async def error_code(pair: Pair, method: str, **params: str) -> int:
    error = (await call(pair, method, **params))["error"]
    assert {"key": "v", "value": params.get("v", "5.199")} in error["request_params"]
    assert error["error_msg"]
    assert isinstance(error["error_code"], int)
    return error["error_code"]


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        ({"access_token": "vk1.a.x"}, 5),
        ({"v": ""}, 8),
        ({"random_id": ""}, 100),
        ({"random_id": "n1.0.0"}, 100),
        ({"random_id": "2147483648"}, 100),
        ({"message": " "}, 100),
        ({"message": "a" * 4097}, 914),
        ({"attachment": "photo1_2"}, 100),
        ({"peer_ids": "anna"}, 100),
        ({"peer_ids": ""}, 100),
        ({"keyboard": "{"}, 911),
        ({"peer_ids": ",".join(map(str, range(1, 102)))}, 100),
        ({"keyboard": json.dumps({"inline": True, "one_time": True, "buttons": [[KEY]]})}, 911),
        ({"keyboard": json.dumps({"inline": True, "buttons": [[KEY | {"color": "purple"}]]})}, 911),
        ({"keyboard": json.dumps({"inline": True, "buttons": [[]]})}, 911),
        ({"keyboard": json.dumps({"buttons": [[KEY]] * 11})}, 911),
        ({"keyboard": json.dumps({"buttons": [[KEY] * 5] * 9})}, 911),
        ({"template": json.dumps({"type": "carousel", "elements": []})}, 911),
        ({"keyboard": json.dumps({"inline": True, "buttons": [[KEY]] * 7})}, 911),
        ({"keyboard": json.dumps({"inline": True, "buttons": [[KEY] * 4] * 3})}, 911),
        ({"keyboard": json.dumps({"inline": True, "buttons": [[KEY] * 6]})}, 911),
        ({"keyboard": json.dumps({"inline": True, "buttons": [[{"action": KEY["action"] | {"payload": None}}]]})}, 911),
        (
            {"keyboard": json.dumps({"inline": True, "buttons": [[{"action": KEY["action"] | {"payload": "yes"}}]]})},
            911,
        ),
        ({"keyboard": json.dumps({"inline": True, "buttons": [[{"action": KEY["action"] | {"type": "vkpay"}}]]})}, 911),
    ],
)
async def test_what_is_wrong_with_a_message(pair: Pair, faults: dict[str, str], code: int) -> None:
    anna = await pair.start_user()
    params = {"peer_ids": anna, "random_id": "7", "message": "hi"}
    assert await error_code(pair, "messages.send", **{**params, **faults}) == code
    assert pair.vk.accepted == []
    assert "response" in await call(pair, "messages.send", **params)


async def test_each_recipient_has_a_line(pair: Pair) -> None:
    anna, stranger = await pair.start_user(), pair.vk.user_of("+79990001133")
    answer = await call(pair, "messages.send", peer_ids=f"{anna},{stranger}", random_id="7", message="hi")
    success, failure = answer["response"]
    assert (success["peer_id"], success["conversation_message_id"]) == (int(anna), 2)
    assert failure["error"]["code"] == 901


async def test_without_a_random_id_vk_knows_nothing_again(pair: Pair) -> None:
    anna = await pair.start_user()
    for _ in range(2):
        await call(pair, "messages.send", peer_ids=anna, random_id="0", message="hi")
    assert len(pair.vk.accepted) == 2


async def test_a_method_of_no_kind(pair: Pair) -> None:
    assert await error_code(pair, "messages.sing") == 3


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        ({"group_id": "5"}, 203),
        ({"title": "a title too long"}, 100),
        ({"url": "gateway.shop.ru"}, 100),
        ({"secret_key": "with-dashes"}, 100),
        ({"secret_key": "a" * 51}, 100),
    ],
)
async def test_what_is_wrong_with_a_callback_server(pair: Pair, faults: dict[str, str], code: int) -> None:
    group = str(pair.account.group_id)
    params = {"group_id": group, "url": pair.webhook_url, "title": "gateway", "secret_key": "abc"}
    assert await error_code(pair, "groups.addCallbackServer", **{**params, **faults}) == code
    assert await error_code(pair, "groups.deleteCallbackServer", group_id=group, server_id="77") == 100
    assert len(pair.vk.callbacks.servers) == 1


async def test_an_answer_that_is_not_ok_is_none(pair: Pair) -> None:
    status, answer = await pair.vk.post_webhook(pair.vk.call_of(pair.vk.callbacks.servers[0], {"type": "confirmation"}))
    assert (status, answer) == (0, f"not ok: {pair.account.confirmation}")


async def test_echoes_can_be_switched_off(pair: Pair) -> None:
    anna = await pair.start_user()
    pair.vk.echoes = False
    await pair.send(anna, "hi")
    await pair.vk.quiet()
    assert len(pair.events) == 2


@pytest.mark.parametrize(("kind", "status"), [("photo", 200), ("video", 404)])
async def test_the_upload_page(pair: Pair, kind: str, status: int) -> None:
    async with pair.outside.http.post(f"{pair.account.api_url}/upload/{kind}", data={"x": "y"}) as response:
        assert response.status == status
    assert await error_code(pair, "photos.saveMessagesPhoto", photo="[]", server="1", hash="x") == 129
    assert await error_code(pair, "docs.save", file="1|2|3") == 105
    assert await error_code(pair, "docs.getMessagesUploadServer", type="doc") == 100
