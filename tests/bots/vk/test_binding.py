"""Setting up our callback server at VK, reading its state, and deleting it."""

import pytest
from quart import Quart

from bots.vk.simulator.callbacks import Server
from gateway.domain.channel.contract import Binding
from gateway.domain.channel.errors import Ambiguous, Misconfigured
from gateway.domain.channel.secret import OwnSecret, Secret
from gateway.domain.model.event import Inbound
from tests.bots.vk.pair import Pair
from tests.support.http.serving import served

EVENTS = ["message_new", "message_event", "message_edit", "message_allow", "message_deny", "message_reply"]


async def test_bind_is_repeatable_and_unbind_takes_it_away(pair: Pair) -> None:
    pair.vk.callbacks.servers.clear()
    for _ in range(2):
        await pair.channel.bind(pair.webhook_url)
    (server,) = pair.vk.callbacks.servers
    assert (server.url, server.status, server.title) == (pair.webhook_url, "ok", "gateway")
    assert server.secret_key == pair.account.secret.reveal()
    assert [event for event, enabled in server.events.items() if enabled] == EVENTS
    assert await pair.channel.binding() == Binding(pair.webhook_url, [])
    for _ in range(2):
        await pair.channel.unbind()
    assert pair.vk.callbacks.servers == []
    assert await pair.channel.binding() == Binding()


async def test_a_server_that_is_well_is_not_confirmed_again(pair: Pair) -> None:
    pair.vk.callbacks.servers[0].title = "by hand"
    await pair.channel.bind(pair.webhook_url)
    assert pair.vk.callbacks.servers[0].title == "by hand"
    pair.vk.callbacks.servers[0].status = "failed"
    await pair.channel.bind(pair.webhook_url)
    assert (pair.vk.callbacks.servers[0].status, pair.vk.callbacks.servers[0].title) == ("ok", "gateway")


async def test_other_servers_of_the_community_are_left_alone(pair: Pair) -> None:
    others = [Server(id_, f"https://crm{id_}.ru/vk", "CRM", "x", "ok") for id_ in range(100, 109)]
    pair.vk.callbacks.servers[:] = others
    await pair.channel.bind(pair.webhook_url)
    await pair.channel.unbind()
    assert pair.vk.callbacks.servers == others
    pair.vk.callbacks.servers.append(Server(109, "https://crm109.ru/vk", "CRM", "x", "ok"))
    with pytest.raises(Misconfigured, match="10 callback servers already"):
        await pair.channel.bind(pair.webhook_url)


async def test_without_a_server_nothing_comes(pair: Pair) -> None:
    await pair.channel.unbind()
    await pair.start_user()
    assert pair.events == []
    await pair.channel.bind(pair.webhook_url)
    await pair.vk.say(pair.vk.user_of("+79990001122"), "hi")
    assert len(await pair.events_of(Inbound)) == 1


async def test_the_confirmation_that_vk_wants_is_told(pair: Pair) -> None:
    pair.vk.callbacks.servers.clear()
    pair.vk.callbacks.code = "deadbeef"
    with pytest.raises(Misconfigured, match='confirmation = "deadbeef"'):
        await pair.channel.bind(pair.webhook_url)
    assert pair.vk.callbacks.servers == []


async def test_problems_are_told_in_words(pair: Pair) -> None:
    (server,) = pair.vk.callbacks.servers
    server.status, server.secret_key, server.api_version = "failed", "another1", "5.131"
    server.events["message_deny"] = 0
    del server.events["message_reply"]
    pair.vk.callbacks.code = "deadbeef"
    binding = await pair.channel.binding()
    assert binding.url == pair.webhook_url
    assert binding.problems == [
        "the callback server is failed: VK sends it nothing",
        "the callback server has another secret key than the account: its calls are refused",
        "the callback server leaves out message_deny, message_reply",
        "the callback server speaks version 5.131, the account 5.199",
        f'confirmation is "{pair.account.confirmation}"; to be confirmed again, VK wants to hear "deadbeef"',
    ]
    assert "another1" not in str(binding)
    assert pair.account.secret.reveal() not in str(binding)


async def test_a_server_that_a_move_has_left_behind_is_told(pair: Pair) -> None:
    (server,) = pair.vk.callbacks.servers
    server.title = "gateway"
    new_url = pair.webhook_url.replace("127.0.0.1", "localhost")
    words = f"VK also calls {pair.webhook_url}: where that is a gateway too, people are answered twice"
    assert (await pair.channel.callbacks.binding(new_url)) == Binding(note=words)
    await pair.channel.bind(new_url)
    assert (await pair.channel.callbacks.binding(new_url)).problems == [words]
    server.title = "our shop's CRM"
    assert (await pair.channel.callbacks.binding(new_url)).problems == []


async def test_a_server_that_vk_has_not_asked_yet(pair: Pair) -> None:
    pair.vk.callbacks.servers[0].status = "wait"
    (problem,) = (await pair.channel.binding()).problems
    assert problem.startswith("VK has not asked the callback server for its confirmation yet")


async def test_a_server_that_is_confirmed_stays_so(pair: Pair) -> None:
    """VK changes the string from time to time; that it differs does not matter until VK asks."""
    pair.vk.callbacks.code = "deadbeef"
    binding = await pair.channel.binding()
    assert binding.problems == []
    assert 'VK wants to hear "deadbeef"' in binding.note


async def test_another_confirmation_is_not_believed_by_vk(pair: Pair) -> None:
    pair.vk.callbacks.servers.clear()
    channel = pair.channel_with(confirmation="0badc0de")
    pair.vk.callbacks.code = "0badc0de"
    await channel.bind(pair.webhook_url)
    assert pair.vk.callbacks.servers[0].status == "failed", "our webhook answers with what it was opened with"
    assert (await channel.binding()).problems == ["the callback server is failed: VK sends it nothing"]


async def test_another_secret_is_set_anew(pair: Pair) -> None:
    channel = pair.channel_with(secret=OwnSecret("vkshop2Zk3vX9qLr7Wm2PbT"))
    assert len((await channel.binding()).problems) == 1
    pair.vk.callbacks.servers[0].status = "ok"
    await channel.bind(pair.webhook_url)
    assert pair.vk.callbacks.servers[0].secret_key == "vkshop2Zk3vX9qLr7Wm2PbT"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"access_token": Secret("vk1.a.somebody-elses-token")}, "VK 5"), ({"group_id": 5}, "VK 203")],
)
async def test_a_token_of_another_community(pair: Pair, fields: dict[str, object], reason: str) -> None:
    channel = pair.channel_with(**fields)
    for call in (channel.binding, channel.unbind):
        with pytest.raises(Misconfigured, match=reason):
            await call()
    with pytest.raises(Misconfigured, match=reason):
        await channel.bind(pair.webhook_url)


@pytest.mark.parametrize("answer", [5, None, [], {"items": [{"id": "one"}]}, {"items": {}, "code": []}])
async def test_an_answer_that_makes_no_sense(pair: Pair, answer: object) -> None:
    app = Quart("proxy")

    @app.post("/method/<method>")
    async def take(method: str) -> dict[str, object]:
        return {"response": answer}

    async with served(app) as url:
        channel = pair.channel_with(api_url=url)
        with pytest.raises(Ambiguous, match="VK's answer cannot be read"):
            await channel.bind(pair.webhook_url)
        with pytest.raises(Ambiguous, match="VK's answer cannot be read"):
            await channel.unbind()
