"""The stand-in is as strict as Twilio, whoever calls it."""

from base64 import b64encode
from typing import Any

import aiohttp
import pytest

from bots.sms.errors import delivery_failure
from gateway.domain.channel.errors import SendError
from gateway.domain.model.event import Receipt
from gateway.domain.model.nouns import Content, Progress
from tests.bots.sms.pair import ANNA, Pair, opened_pair


async def post(pair: Pair, path: str, form: dict[str, str], token: str | None = None) -> tuple[int, Any]:
    """Post a form with our token, unless another is given. Returns the status and the body of the response."""
    account = pair.server.account
    login = b64encode(f"{account.account_sid}:{token or account.auth_token.reveal()}".encode()).decode()
    url = f"{pair.url}/sms/2010-04-01/Accounts/{path}"
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, data=form, headers={"Authorization": f"Basic {login}"}) as reply,
    ):
        return reply.status, await reply.json()


@pytest.mark.parametrize("path", ["{sid}/Messages.json", "{sid}/IncomingPhoneNumbers/PN1.json"])
async def test_it_serves_only_its_account(path: str) -> None:
    async with opened_pair() as pair:
        own_path = path.format(sid=pair.server.account.account_sid)
        status, response = await post(pair, own_path, {}, token="guess")
        assert (status, response["code"]) == (401, 20003)
        status, response = await post(pair, path.format(sid="AC1"), {})
        assert (status, response["code"]) == (404, 20404)


async def test_it_has_one_number() -> None:
    async with opened_pair() as pair:
        sid = pair.server.account.account_sid
        status, response = await post(pair, f"{sid}/IncomingPhoneNumbers/PN1.json", {"SmsUrl": "https://evil.example"})
        assert (status, response["code"]) == (404, 20404)
        assert pair.server.webhook_url == f"{pair.url}/webhooks/sms/main"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"From": "+79990000009", "Body": "x"}, 21604),
        ({"To": "89161234567", "From": "+79990000009", "Body": "x"}, 21211),
        ({"To": ANNA, "Body": "x"}, 21603),
        ({"To": ANNA, "From": "+79990000001", "Body": "x"}, 21606),
        ({"To": ANNA, "From": "+79990000009"}, 21602),
        ({"To": "+79990000009", "From": "+79990000009", "Body": "x"}, 21266),
        ({"To": ANNA, "From": "+79990000009", "Body": "x", "StatusCallback": "nothing"}, 21609),
    ],
)
async def test_what_it_refuses(form: dict[str, str], code: int) -> None:
    async with opened_pair() as pair:
        status, response = await post(pair, f"{pair.server.account.account_sid}/Messages.json", form)
        assert (status, response["code"]) == (400, code)
        assert pair.server.accepted == []


async def test_what_it_answers_without_a_status_callback() -> None:
    async with opened_pair() as pair:
        form = {"To": ANNA, "From": "+79990000009", "Body": "ы" * 71}
        status, response = await post(pair, f"{pair.server.account.account_sid}/Messages.json", form)
        assert (status, response["status"], response["num_segments"]) == (201, "queued", "2")
        await pair.server.quiet()
        assert pair.server.answers == []
        assert pair.server.phone(ANNA).screen[0].state == "delivered"


async def test_every_error_that_it_lists_can_be_had() -> None:
    async with opened_pair() as pair:
        for code in pair.server.errors:
            pair.events.clear()
            pair.server.faults.fail(code)
            try:
                await pair.channel.send(pair.anna, Content("hello"), key=code)
            except SendError as error:
                assert pair.server.errors[code] in str(error) or code == "500"  # noqa: PT017 - or it comes later
                continue
            await pair.server.quiet()
            last = pair.events[-1]
            assert isinstance(last, Receipt)
            assert (last.progress, (last.cause, last.reason)) == (Progress.FAILED, delivery_failure(code))


async def test_webhooks_may_come_twice_and_in_any_order() -> None:
    async with opened_pair() as pair:
        pair.server.faults.webhook_copies = 2
        pair.server.faults.reorder = True
        await pair.channel.send(pair.anna, Content("hello"), key="k")
        await pair.server.quiet()
        assert len(pair.events) == 4
        assert len({event.id for event in pair.events}) == 2
        assert pair.forged == 0
