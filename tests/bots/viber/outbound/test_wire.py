"""Sending, receipts and faults, over real HTTP."""

import logging
from datetime import timedelta

import aiohttp
import pytest

from bots.viber import Account, open_accounts
from bots.viber.outbound.media import look_at
from bots.wire import files
from gateway.domain.channel.contract import Outside
from gateway.domain.channel.errors import Ambiguous, Misconfigured, Refused, Unavailable
from gateway.domain.channel.secret import Secret
from gateway.domain.model.event import Inbound, Receipt
from gateway.domain.model.nouns import Address, Button, Cause, Content, Media, Progress, TemplateMessage
from tests.bots.viber.pair import ANNA, Clock, Pair, opened_pair
from tests.support.client import until
from tests.support.http.serving import free_port


@pytest.mark.parametrize("string_tokens", [True, False])
async def test_a_message_arrives_and_is_reported(*, string_tokens: bool) -> None:
    async with opened_pair() as pair:
        await pair.subscribers(ANNA)
        pair.server.string_tokens = string_tokens
        provider_id = await pair.send("Заказ № 5 <b> & *готов*")
        await pair.server.quiet()
        accepted = pair.server.accepted[0]
        assert (accepted.id, accepted.user, accepted.text) == (provider_id, pair.anna.user, "Заказ № 5 <b> & *готов*")
        assert accepted.request["tracking_data"] == "n1:0:0"
        assert accepted.request["sender"]["name"] == "Demo shop"
        assert int(provider_id.removeprefix(f"{pair.anna.user}/")) > 2**53
        assert pair.server.phone(pair.anna.user).screen[-1].state == "read"
        assert [(event.progress, event.provider_id) for event in pair.parsed_events(Receipt)] == [
            (Progress.DELIVERED, provider_id),
            (Progress.READ, provider_id),
        ]
        assert len({event.id for event in pair.parsed_events(Receipt)}) == 2
        assert pair.forged == 0


async def test_whoever_does_not_read_is_reported_as_delivered_to() -> None:
    async with opened_pair() as pair:
        await pair.subscribers(ANNA)
        pair.server.phone(pair.anna.user).reads = False
        await pair.send()
        await pair.server.quiet()
        assert [event.progress for event in pair.parsed_events(Receipt)] == [Progress.DELIVERED]


async def test_a_phone_that_is_off_gets_it_later() -> None:
    async with opened_pair() as pair:
        await pair.subscribers(ANNA)
        phone = pair.server.phone(pair.anna.user)
        phone.reachable = False
        await pair.send()
        await pair.server.quiet()
        assert (pair.events, phone.screen[-1].state) == ([], "sent")
        phone.reachable = True
        await until(lambda: _are_events(pair, 2))
        assert phone.screen[-1].state == "read"


async def _are_events(pair: Pair, count: int) -> bool:
    return len(pair.events) >= count


async def test_a_late_rejection_by_the_app() -> None:
    async with opened_pair() as pair:
        await pair.subscribers(ANNA)
        pair.server.reject_later("failure description")
        provider_id = await pair.send()
        await pair.server.quiet()
        (receipt,) = pair.parsed_events(Receipt)
        assert (receipt.provider_id, receipt.progress, receipt.cause) == (provider_id, Progress.FAILED, Cause.REFUSED)
        assert receipt.reason == "failure description"
        assert pair.server.phone(pair.anna.user).screen[-1].state == "failed"


async def test_buttons() -> None:
    buttons = (Button("Да & <нет>", reply="/yes"), Button("Shop", url="https://shop.ru/a?b=1&c=2"), Button("Bare"))
    async with opened_pair() as pair:
        await pair.subscribers(ANNA)
        await pair.send(Content("Well?", buttons=buttons))
        bubble = pair.server.phone(pair.anna.user).screen[-1]
        assert [button.text for button in bubble.buttons] == ["Да & <нет>", "Shop", "Bare"]
        keys = pair.server.accepted[0].request["keyboard"]["Buttons"]
        assert keys[0]["Text"] == "Да &amp; &lt;нет&gt;"
        assert [(key["ActionType"], key["ActionBody"]) for key in keys] == [
            ("reply", "/yes"),
            ("open-url", "https://shop.ru/a?b=1&c=2"),
            ("reply", "Bare"),
        ]
        await pair.server.press(pair.anna.user, bubble.id, "Да & <нет>")
        await pair.server.quiet()
        assert [event.content.text for event in pair.parsed_events(Inbound)] == ["/yes"]


async def test_an_opened_link_is_not_something_that_the_person_wrote() -> None:
    async with opened_pair() as pair:
        await pair.subscribers(ANNA)
        await pair.send(Content("Well?", buttons=(Button("Shop", url="https://shop.ru"),)))
        bubble = pair.server.phone(pair.anna.user).screen[-1]
        await pair.server.press(pair.anna.user, bubble.id, "Shop")
        await pair.server.quiet()
        assert pair.parsed_events(Inbound) == []
        assert pair.server.phone(pair.anna.user).screen[-1] is bubble


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        (Media("image", "{url}/files/10/a.JPG?x=1"), {"type": "picture", "text": "Look"}),
        (Media("image", "{url}/files/1000000/a.jpg"), {"type": "picture", "text": "Look"}),
        (Media("image", "{url}/files/1000001/a.jpg"), {"type": "text", "text": "Look\n{url}/files/1000001/a.jpg"}),
        (Media("image", "{url}/files/10/photo"), {"type": "file", "size": 10, "file_name": "photo.jpg"}),
        (Media("document", "{url}/files/10/a.pdf?" + "q" * 2000), {"type": "text"}),
        (Media("video", "{url}/files/5000/a.mp4"), {"type": "video", "size": 5000}),
        (Media("video", "{url}/files/30000000/a.mp4"), {"type": "file", "size": 30000000, "file_name": "a.mp4"}),
        (Media("video", "{url}/files/5000/a.mov"), {"type": "file", "size": 5000, "file_name": "a.mov"}),
        (Media("document", "{url}/files/7/a.pdf", name="Счёт.pdf"), {"type": "file", "file_name": "Счёт.pdf"}),
        (Media("document", "{url}/files/60000000/a.pdf"), {"type": "url"}),
        (Media("document", "{url}/files/7/missing.pdf"), {"type": "url"}),
        (Media("video", "http://127.0.0.1:9/a.mp4"), {"type": "url"}),
        (Media("document", "http://a..b:9/a.pdf"), {"type": "url"}),
        (Media("document", f"http://{'a' * 64}.com:9/a.pdf"), {"type": "url"}),
        (Media("document", "https://"), Refused),
    ],
)
async def test_files(media: Media, expected: dict[str, object] | type[Refused]) -> None:
    async with opened_pair() as pair:
        await pair.subscribers(ANNA)
        content = Content("Look", Media(media.type, media.url.format(url=pair.url), name=media.name))
        pieces = pair.channel.split(content)
        if isinstance(expected, type):
            with pytest.raises(expected):
                await pair.send(pieces[-1])
            return
        for piece in pieces:
            await pair.send(piece)
        url = media.url.format(url=pair.url)
        request = pair.server.accepted[-1].request
        told = {
            name: value.format(url=pair.url) if isinstance(value, str) else value for name, value in expected.items()
        }
        assert {name: request[name] for name in expected} == told
        assert (request["media"] or url) == url
        assert "".join(line.text for line in pair.server.accepted).replace(url, "").strip() == "Look"
        assert pair.measured == (":9/" not in media.url)


async def test_a_file_whose_server_sends_us_to_a_host_without_a_name() -> None:
    async with opened_pair() as pair:
        content = Content(media=Media("document", f"{pair.url}/files/7/elsewhere.pdf"))
        await pair.subscribers(ANNA)
        await pair.send(content)
        assert pair.server.accepted[-1].request["type"] == "url"


async def test_a_file_on_a_private_network_is_not_asked_for() -> None:
    async with opened_pair() as pair, files.session(private=False) as guarded:
        media = Media("document", f"{pair.url}/files/7/a.pdf")
        assert await look_at(guarded, media) is None
        assert pair.measured == 0


async def test_the_longest_text() -> None:
    async with opened_pair() as pair:
        await pair.subscribers(ANNA)
        assert await pair.send("ы" * 7000)
        with pytest.raises(Refused, match=r"\(3 badData: text is too long\)"):
            await pair.send("ы" * 7001)


async def test_a_message_that_is_too_large_is_not_even_tried() -> None:
    async with opened_pair() as pair:
        buttons = tuple(Button(f"{number}", reply="ы" * 2000) for number in range(10))
        with pytest.raises(Refused, match="bytes"):
            await pair.send(Content("hello", buttons=buttons))


async def test_more_buttons_than_viber_shows() -> None:
    async with opened_pair() as pair:
        await pair.subscribers(ANNA)
        with pytest.raises(Refused, match="24 buttons"):
            await pair.send(Content("Well?", buttons=(Button("Yes", reply="/yes"),) * 25))
        assert pair.server.accepted == []


async def test_templates_are_not_for_viber() -> None:
    async with opened_pair() as pair:
        with pytest.raises(Refused, match="no templates"):
            await pair.channel.send(pair.anna, TemplateMessage("order", "ru"), key="k")


async def test_nobody_there_is_unavailable() -> None:
    settings = Account(Secret("x" * 20), "Shop", api_url=f"http://127.0.0.1:{free_port()}")
    async with aiohttp.ClientSession() as http:
        channel = open_accounts({"main": settings}, Outside(http, "https://gateway.shop.ru", http))["main"]
        with pytest.raises(Unavailable):
            await channel.send(Address("viber", "main", "a=="), Content("hello"), key="k")


async def test_a_lost_answer_is_ambiguous() -> None:
    async with opened_pair() as pair:
        await pair.subscribers(ANNA)
        pair.server.faults.lose_answers()
        with pytest.raises(Ambiguous):
            await pair.send()
        assert len(pair.server.accepted) == 1


async def test_the_token_is_nowhere_to_be_read(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token = "5da6az1s345z78-dazcczb2542zv51a-e0vc5fva17480im9"
    async with opened_pair(auth_token=Secret(token)) as pair:
        with pytest.raises(Misconfigured, match="auth_token is not valid") as refusal:
            await pair.send()
        pair.server.faults.lose_answers()
        with pytest.raises(Misconfigured) as bind_error:
            await pair.channel.bind(f"{pair.url}/webhooks/viber/main")
        assert token not in f"{refusal.value!r}{bind_error.value!r}{pair.channel.__dict__}{caplog.text}"
        assert refusal.value.__cause__ is None


async def test_a_session_is_a_day_from_the_first_message() -> None:
    clock = Clock()
    async with opened_pair(clock) as pair:
        await pair.subscribers(ANNA)
        clock.forward(timedelta(hours=23))
        await pair.subscribers(ANNA)
        await pair.send("free")
        clock.forward(timedelta(hours=1))
        await pair.send("charged")
        await pair.subscribers(ANNA)
        await pair.send("free again")
        assert [line.text for line in pair.server.charged] == ["charged"]
        assert len(pair.server.accepted) == 3


async def test_webhooks_may_come_twice_and_in_any_order() -> None:
    async with opened_pair() as pair:
        await pair.subscribers(ANNA)
        pair.server.faults.webhook_copies = 2
        pair.server.faults.reorder = True
        await pair.send()
        await pair.server.quiet()
        assert len(pair.events) == 4
        assert len({event.id for event in pair.events}) == 2
        assert pair.forged == 0


async def test_a_webhook_is_delivered_again_until_it_is_taken() -> None:
    async with opened_pair() as pair:
        pair.statuses.extend([503, 503])
        await pair.server.say(pair.anna.user, "hello")
        await pair.server.quiet()
        assert [status for status, _ in pair.server.answers] == [503, 503, 200]
        assert len(pair.events) == 1
