"""twilio as a sender of short messages uses it: https://www.twilio.com/docs/libraries/python."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from tests.judges.bench import PHONE, Bench, opened_bench

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class HttpClient:
    """Sends the calls for Twilio to the stand-in."""

    is_async = False

    def __init__(self, url: str) -> None:
        self.url, self.client = url, TwilioHttpClient(pool_connections=False)

    def request(self, method: str, url: str, *values: Any, **options: Any) -> Any:
        return self.client.request(method, url.replace("https://api.twilio.com", self.url), *values, **options)


class Bot:
    """twilio's client, whose blocking calls run in a thread."""

    def __init__(self, bench: Bench) -> None:
        account = bench.account
        token = account.auth_token.reveal()
        self.client = Client(account.account_sid, token, http_client=HttpClient(bench.url))
        self.validator = RequestValidator(token)
        self.sender = account.sender

    async def call(self, method: Callable[..., Any], *values: Any, **params: Any) -> Any:
        return await asyncio.to_thread(method, *values, **params)

    async def send(self, body: str = "Hello", to: str = PHONE, **params: Any) -> Any:
        return await self.call(self.client.messages.create, **{"to": to, "from_": self.sender, "body": body, **params})


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with opened_bench("sms") as bench:
        yield bench


@pytest.fixture
def bot(bench: Bench) -> Bot:
    return Bot(bench)


async def forms(bench: Bench, bot: Bot) -> list[dict[str, str]]:
    """Return the webhooks so far; twilio's own validator has to find their signatures right."""
    calls = await bench.taken()
    read = [(call, dict(parse_qsl(call.body.decode(), keep_blank_values=True))) for call in calls]
    assert all(bot.validator.validate(call.url, form, call.headers["x-twilio-signature"]) for call, form in read)
    return [form for _, form in read]


async def test_a_message_is_sent_looked_up_redacted_and_deleted(bench: Bench, bot: Bot) -> None:
    message = await bot.send("ы" * 71, status_callback=bench.webhook_url)
    assert (message.status, message.direction, message.num_segments, message.to) == (
        "queued",
        "outbound-api",
        "2",
        PHONE,
    )
    assert message.date_created is not None
    await bench.taken()
    fetched = await bot.call(message.fetch)
    assert (fetched.status, fetched.body, fetched.error_code) == ("delivered", "ы" * 71, None)
    assert (await bot.call(message.update, body="")).body == ""
    assert await bot.call(message.delete)
    with pytest.raises(TwilioRestException) as error:
        await bot.call(message.fetch)
    assert (error.value.status, error.value.code) == (404, 20404)


async def test_messages_are_listed_page_by_page(bench: Bench, bot: Bot) -> None:
    for number in range(5):
        await bot.send(str(number), to=f"+7999000113{number % 2}")
    await bench.server.say(PHONE, "hi")
    messages = await bot.call(bot.client.messages.list, page_size=2)
    assert [message.body for message in messages] == ["hi", "4", "3", "2", "1", "0"]
    assert messages[0].direction == "inbound"
    to_one = await bot.call(bot.client.messages.list, to="+79990001131")
    assert [message.body for message in to_one] == ["3", "1"]


async def test_a_picture_may_stand_for_a_text(bench: Bench, bot: Bot) -> None:
    message = await bot.send(body="", media_url=["https://shop.ru/a.jpg"])
    assert message.num_media == "1"
    assert bench.server.phone(PHONE).screen[-1].media == "https://shop.ru/a.jpg"


async def test_statuses_and_texts_are_signed(bench: Bench, bot: Bot) -> None:
    message = await bot.send(status_callback=bench.webhook_url)
    assert [(form["MessageSid"], form["MessageStatus"]) for form in await forms(bench, bot)] == [
        (message.sid, "sent"),
        (message.sid, "delivered"),
    ]
    bench.server.phone(PHONE).reachable = False
    message = await bot.send(status_callback=bench.webhook_url)
    assert (await forms(bench, bot))[-1]["ErrorCode"] == "30003"
    fetched = await bot.call(message.fetch)
    assert (fetched.status, fetched.error_code, bool(fetched.error_message)) == ("undelivered", 30003, True)
    await bench.server.say(PHONE, "Привет & пока")
    (text,) = await forms(bench, bot)
    assert (text["From"], text["To"], text["Body"], text["SmsSid"]) == (
        PHONE,
        bot.sender,
        "Привет & пока",
        text["MessageSid"],
    )


async def test_a_person_who_has_opted_out(bench: Bench, bot: Bot) -> None:
    await bench.server.say(PHONE, "STOP")
    (stop,) = await forms(bench, bot)
    assert stop["OptOutType"] == "STOP"
    with pytest.raises(TwilioRestException) as error:
        await bot.send()
    assert (error.value.status, error.value.code) == (400, 21610)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"to": "89161234567"}, 21211),
        ({"from_": "+79990000001"}, 21606),
        ({"to": "+79990000009"}, 21266),
        ({"body": ""}, 21602),
        ({"body": "x" * 1601}, 21617),
        ({"status_callback": "nothing"}, 21609),
        ({"media_url": ["shop"]}, 21620),
        ({"media_url": ["https://shop.ru/a.jpg"] * 11}, 21623),
    ],
)
async def test_what_breaks_twilios_limits_is_refused(bench: Bench, bot: Bot, params: Any, code: int) -> None:
    with pytest.raises(TwilioRestException) as error:
        await bot.send(**params)
    assert (error.value.status, error.value.code) == (400, code)
    assert bench.server.accepted == []


@pytest.mark.parametrize(("code", "status"), [(20003, 401), (20429, 429), (21614, 400)])
async def test_a_refusal_is_twilios_own_error(bench: Bench, bot: Bot, code: int, status: int) -> None:
    bench.server.faults.fail(code)
    with pytest.raises(TwilioRestException) as error:
        await bot.send()
    assert (error.value.status, error.value.code) == (status, code)


async def test_the_number_is_found_and_pointed(bench: Bench, bot: Bot) -> None:
    (number,) = await bot.call(bot.client.incoming_phone_numbers.list, phone_number=bot.sender)
    assert (number.phone_number, number.capabilities["sms"]) == (bot.sender, True)
    await bot.call(number.update, sms_url="http://127.0.0.1:9/")
    assert bench.server.webhook_url == (await bot.call(number.fetch)).sms_url == "http://127.0.0.1:9/"
    account = await bot.call(bot.client.api.accounts(bench.account.account_sid).fetch)
    assert account.status == "active"
