"""The stand-in is as strict as Twilio, whoever calls it."""

from base64 import b64encode
from typing import Any

import aiohttp
import pytest

from bots.sms.errors import explained
from gateway.domain.channel.errors import SendError
from gateway.domain.model.event import Receipt
from gateway.domain.model.nouns import Content, Progress
from tests.bots.sms.bench import ANNA, Bench, opened


async def posted(bench: Bench, path: str, form: dict[str, str], token: str | None = None) -> tuple[int, Any]:
    """The status and the body of a call of somebody's, with our token unless they have another."""
    account = bench.server.account
    login = b64encode(f"{account.account_sid}:{token or account.auth_token.reveal()}".encode()).decode()
    url = f"{bench.url}/sms/2010-04-01/Accounts/{path}"
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, data=form, headers={"Authorization": f"Basic {login}"}) as reply,
    ):
        return reply.status, await reply.json()


@pytest.mark.parametrize("path", ["{sid}/Messages.json", "{sid}/IncomingPhoneNumbers/PN1.json"])
async def test_it_serves_only_its_account(path: str) -> None:
    async with opened() as bench:
        ours = path.format(sid=bench.server.account.account_sid)
        status, told = await posted(bench, ours, {}, token="guess")
        assert (status, told["code"]) == (401, 20003)
        status, told = await posted(bench, path.format(sid="AC1"), {})
        assert (status, told["code"]) == (404, 20404)


async def test_it_has_one_number() -> None:
    async with opened() as bench:
        sid = bench.server.account.account_sid
        status, told = await posted(bench, f"{sid}/IncomingPhoneNumbers/PN1.json", {"SmsUrl": "https://evil.example"})
        assert (status, told["code"]) == (404, 20404)
        assert bench.server.webhook_url == f"{bench.url}/webhooks/sms/main"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"From": "+79990000009", "Body": "x"}, 21604),
        ({"To": "89161234567", "From": "+79990000009", "Body": "x"}, 21211),
        ({"To": ANNA, "Body": "x"}, 21603),
        ({"To": ANNA, "From": "+79990000001", "Body": "x"}, 21606),
        ({"To": ANNA, "From": "+79990000009"}, 21602),
    ],
)
async def test_what_it_refuses(form: dict[str, str], code: int) -> None:
    async with opened() as bench:
        status, told = await posted(bench, f"{bench.server.account.account_sid}/Messages.json", form)
        assert (status, told["code"]) == (400, code)
        assert bench.server.accepted == []


async def test_what_it_answers_without_a_status_callback() -> None:
    async with opened() as bench:
        form = {"To": ANNA, "From": "+79990000009", "Body": "ы" * 71}
        status, told = await posted(bench, f"{bench.server.account.account_sid}/Messages.json", form)
        assert (status, told["status"], told["num_segments"]) == (201, "queued", "2")
        await bench.server.quiet()
        assert bench.server.answers == []
        assert bench.server.phone(ANNA).screen[0].state == "delivered"


async def test_every_error_that_it_lists_can_be_had() -> None:
    async with opened() as bench:
        for code in bench.server.errors:
            bench.events.clear()
            bench.server.faults.fail(code)
            try:
                await bench.channel.send(bench.anna, Content("hello"), key=code)
            except SendError as error:
                assert bench.server.errors[code] in str(error) or code == "500"  # noqa: PT017 - or it comes later
                continue
            await bench.server.quiet()
            last = bench.events[-1]
            assert isinstance(last, Receipt)
            assert (last.progress, (last.cause, last.reason)) == (Progress.FAILED, explained(code))


async def test_webhooks_may_come_twice_and_in_any_order() -> None:
    async with opened() as bench:
        bench.server.faults.webhook_copies = 2
        bench.server.faults.reorder = True
        await bench.channel.send(bench.anna, Content("hello"), key="k")
        await bench.server.quiet()
        assert len(bench.events) == 4
        assert len({event.id for event in bench.events}) == 2
        assert bench.forged == 0
