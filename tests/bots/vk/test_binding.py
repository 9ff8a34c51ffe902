"""Setting up our callback server at VK, asking how it stands, taking it away."""

import pytest
from quart import Quart

from bots.vk.simulator.callbacks import Server
from gateway.domain.channel.contract import Binding
from gateway.domain.channel.errors import Ambiguous, Misconfigured
from gateway.domain.channel.secret import OwnSecret, Secret
from gateway.domain.model.event import Inbound
from tests.bots.vk.bench import Bench
from tests.support.http.serving import served

EVENTS = ["message_new", "message_event", "message_allow", "message_deny", "message_reply"]


async def test_bind_is_repeatable_and_unbind_takes_it_away(bench: Bench) -> None:
    bench.vk.callbacks.servers.clear()
    for _ in range(2):
        await bench.channel.bind(bench.webhook_url)
    (server,) = bench.vk.callbacks.servers
    assert (server.url, server.status, server.title) == (bench.webhook_url, "ok", "gateway")
    assert server.secret_key == bench.account.secret.reveal()
    assert [event for event, on in server.events.items() if on] == EVENTS
    assert await bench.channel.binding() == Binding(bench.webhook_url, [])
    for _ in range(2):
        await bench.channel.unbind()
    assert bench.vk.callbacks.servers == []
    assert await bench.channel.binding() == Binding()


async def test_a_server_that_is_well_is_not_confirmed_again(bench: Bench) -> None:
    bench.vk.callbacks.servers[0].title = "by hand"
    await bench.channel.bind(bench.webhook_url)
    assert bench.vk.callbacks.servers[0].title == "by hand"
    bench.vk.callbacks.servers[0].status = "failed"
    await bench.channel.bind(bench.webhook_url)
    assert (bench.vk.callbacks.servers[0].status, bench.vk.callbacks.servers[0].title) == ("ok", "gateway")


async def test_other_servers_of_the_community_are_left_alone(bench: Bench) -> None:
    others = [Server(id_, f"https://crm{id_}.ru/vk", "CRM", "x", "ok") for id_ in range(100, 109)]
    bench.vk.callbacks.servers[:] = others
    await bench.channel.bind(bench.webhook_url)
    await bench.channel.unbind()
    assert bench.vk.callbacks.servers == others
    bench.vk.callbacks.servers.append(Server(109, "https://crm109.ru/vk", "CRM", "x", "ok"))
    with pytest.raises(Misconfigured, match="10 callback servers already"):
        await bench.channel.bind(bench.webhook_url)


async def test_without_a_server_nothing_comes(bench: Bench) -> None:
    await bench.channel.unbind()
    await bench.started()
    assert bench.events == []
    await bench.channel.bind(bench.webhook_url)
    await bench.vk.say(bench.vk.user_of("+79990001122"), "hi")
    assert len(await bench.of(Inbound)) == 1


async def test_the_confirmation_that_vk_wants_is_told(bench: Bench) -> None:
    bench.vk.callbacks.servers.clear()
    bench.vk.callbacks.code = "deadbeef"
    with pytest.raises(Misconfigured, match='confirmation = "deadbeef"'):
        await bench.channel.bind(bench.webhook_url)
    assert bench.vk.callbacks.servers == []


async def test_problems_are_told_in_words(bench: Bench) -> None:
    (server,) = bench.vk.callbacks.servers
    server.status, server.secret_key, server.api_version = "failed", "another1", "5.131"
    server.events["message_deny"] = 0
    del server.events["message_reply"]
    bench.vk.callbacks.code = "deadbeef"
    binding = await bench.channel.binding()
    assert binding.url == bench.webhook_url
    assert binding.problems == [
        "the callback server is failed: VK sends it nothing",
        "the callback server has another secret key than the account: its calls are refused",
        "the callback server leaves out message_deny, message_reply",
        "the callback server speaks version 5.131, the account 5.199",
        f'confirmation is "{bench.account.confirmation}"; to be confirmed again, VK wants to hear "deadbeef"',
    ]
    assert "another1" not in str(binding)
    assert bench.account.secret.reveal() not in str(binding)


async def test_a_server_that_a_move_has_left_behind_is_told(bench: Bench) -> None:
    (server,) = bench.vk.callbacks.servers
    server.title = "gateway"
    moved = bench.webhook_url.replace("127.0.0.1", "localhost")
    words = f"VK also calls {bench.webhook_url}: where that is a gateway too, people are answered twice"
    assert (await bench.channel.callbacks.binding(moved)) == Binding(note=words)
    await bench.channel.bind(moved)
    assert (await bench.channel.callbacks.binding(moved)).problems == [words]
    server.title = "our shop's CRM"
    assert (await bench.channel.callbacks.binding(moved)).problems == []


async def test_a_server_that_vk_has_not_asked_yet(bench: Bench) -> None:
    bench.vk.callbacks.servers[0].status = "wait"
    (problem,) = (await bench.channel.binding()).problems
    assert problem.startswith("VK has not asked the callback server for its confirmation yet")


async def test_a_server_that_is_confirmed_stays_so(bench: Bench) -> None:
    """VK changes the string from time to time; that it differs does not matter until VK asks."""
    bench.vk.callbacks.code = "deadbeef"
    binding = await bench.channel.binding()
    assert binding.problems == []
    assert 'VK wants to hear "deadbeef"' in binding.note


async def test_another_confirmation_is_not_believed_by_vk(bench: Bench) -> None:
    bench.vk.callbacks.servers.clear()
    way = bench.other(confirmation="0badc0de")
    bench.vk.callbacks.code = "0badc0de"
    await way.bind(bench.webhook_url)
    assert bench.vk.callbacks.servers[0].status == "failed", "our webhook answers with what it was opened with"
    assert (await way.binding()).problems == ["the callback server is failed: VK sends it nothing"]


async def test_another_secret_is_set_anew(bench: Bench) -> None:
    way = bench.other(secret=OwnSecret("vkshop2Zk3vX9qLr7Wm2PbT"))
    assert len((await way.binding()).problems) == 1
    bench.vk.callbacks.servers[0].status = "ok"
    await way.bind(bench.webhook_url)
    assert bench.vk.callbacks.servers[0].secret_key == "vkshop2Zk3vX9qLr7Wm2PbT"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"access_token": Secret("vk1.a.somebody-elses-token")}, "VK 5"), ({"group_id": 5}, "VK 203")],
)
async def test_a_token_of_another_community(bench: Bench, fields: dict[str, object], reason: str) -> None:
    way = bench.other(**fields)
    for ask in (way.binding, way.unbind):
        with pytest.raises(Misconfigured, match=reason):
            await ask()
    with pytest.raises(Misconfigured, match=reason):
        await way.bind(bench.webhook_url)


@pytest.mark.parametrize("answer", [5, None, [], {"items": [{"id": "one"}]}, {"items": {}, "code": []}])
async def test_an_answer_that_makes_no_sense(bench: Bench, answer: object) -> None:
    app = Quart("proxy")

    @app.post("/method/<method>")
    async def take(method: str) -> dict[str, object]:
        return {"response": answer}

    async with served(app) as url:
        way = bench.other(api_url=url)
        with pytest.raises(Ambiguous, match="VK's answer cannot be read"):
            await way.bind(bench.webhook_url)
        with pytest.raises(Ambiguous, match="VK's answer cannot be read"):
            await way.unbind()
