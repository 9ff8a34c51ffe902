"""The stand-in refuses what VK refuses: without that, the other tests would prove little."""

import json
from typing import Any

import pytest

from tests.bots.vk.bench import Bench

KEY = {"action": {"type": "callback", "label": "Yes", "payload": '{"reply":"yes"}'}}


async def asked(bench: Bench, method: str, **params: str) -> Any:
    """A call as somebody else's program would make it."""
    form = {"access_token": bench.account.access_token.reveal(), "v": "5.199", **params}
    async with bench.outside.http.post(f"{bench.account.api_url}/method/{method}", data=form) as response:
        assert response.status == 200
        return await response.json()


async def refused(bench: Bench, method: str, **params: str) -> int:
    error = (await asked(bench, method, **params))["error"]
    assert {"key": "v", "value": params.get("v", "5.199")} in error["request_params"]
    assert error["error_msg"]
    assert isinstance(error["error_code"], int)
    return error["error_code"]


@pytest.mark.parametrize(
    ("wrong", "code"),
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
        ({"keyboard": json.dumps({"inline": False, "buttons": [[KEY]]})}, 912),
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
async def test_what_is_wrong_with_a_message(bench: Bench, wrong: dict[str, str], code: int) -> None:
    anna = await bench.started()
    right = {"peer_ids": anna, "random_id": "7", "message": "hi"}
    assert await refused(bench, "messages.send", **{**right, **wrong}) == code
    assert bench.vk.accepted == []
    assert "response" in await asked(bench, "messages.send", **right)


async def test_each_recipient_has_a_line(bench: Bench) -> None:
    anna, stranger = await bench.started(), bench.vk.user_of("+79990001133")
    answer = await asked(bench, "messages.send", peer_ids=f"{anna},{stranger}", random_id="7", message="hi")
    sent, failed = answer["response"]
    assert (sent["peer_id"], sent["conversation_message_id"]) == (int(anna), 2)
    assert failed["error"]["code"] == 901


async def test_without_a_random_id_vk_knows_nothing_again(bench: Bench) -> None:
    anna = await bench.started()
    for _ in range(2):
        await asked(bench, "messages.send", peer_ids=anna, random_id="0", message="hi")
    assert len(bench.vk.accepted) == 2


async def test_a_method_of_no_kind(bench: Bench) -> None:
    assert await refused(bench, "messages.sing") == 3


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"group_id": "5"}, 203),
        ({"title": "a title too long"}, 100),
        ({"url": "gateway.shop.ru"}, 100),
        ({"secret_key": "with-dashes"}, 100),
        ({"secret_key": "a" * 51}, 100),
    ],
)
async def test_what_is_wrong_with_a_callback_server(bench: Bench, wrong: dict[str, str], code: int) -> None:
    group = str(bench.account.group_id)
    right = {"group_id": group, "url": bench.webhook_url, "title": "gateway", "secret_key": "abc"}
    assert await refused(bench, "groups.addCallbackServer", **{**right, **wrong}) == code
    assert await refused(bench, "groups.deleteCallbackServer", group_id=group, server_id="77") == 100
    assert len(bench.vk.callbacks.servers) == 1


async def test_an_answer_that_is_not_ok_is_none(bench: Bench) -> None:
    status, answer = await bench.vk._post(bench.vk._call(bench.vk.callbacks.servers[0], {"type": "confirmation"}))
    assert (status, answer) == (0, f"not ok: {bench.account.confirmation}")


async def test_echoes_can_be_switched_off(bench: Bench) -> None:
    anna = await bench.started()
    bench.vk.echoes = False
    await bench.send(anna, "hi")
    await bench.vk.quiet()
    assert len(bench.events) == 2


@pytest.mark.parametrize(("kind", "status"), [("photo", 200), ("video", 404)])
async def test_the_upload_page(bench: Bench, kind: str, status: int) -> None:
    async with bench.outside.http.post(f"{bench.account.api_url}/upload/{kind}", data={"x": "y"}) as response:
        assert response.status == status
    assert await refused(bench, "photos.saveMessagesPhoto", photo="[]", server="1", hash="x") == 129
    assert await refused(bench, "docs.save", file="1|2|3") == 105
    assert await refused(bench, "docs.getMessagesUploadServer", type="doc") == 100
