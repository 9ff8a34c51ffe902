"""The webhook at Twilio, to which people's messages go."""

import pytest

from bots.sms import Account
from gateway.domain.channel.errors import Misconfigured
from gateway.domain.channel.secret import Secret
from gateway.runtime.settings.accounts import SettingsError, read_account
from tests.bots.sms.pair import ANNA, opened_pair


async def test_a_number_is_bound_and_unbound() -> None:
    async with opened_pair() as pair:
        await pair.channel.unbind()
        assert (await pair.channel.binding()).url == ""
        await pair.server.say(ANNA, "into the void")
        await pair.channel.bind(f"{pair.url}/webhooks/sms/main")
        binding = await pair.channel.binding()
        assert (binding.url, list(binding.problems)) == (f"{pair.url}/webhooks/sms/main", [])
        await pair.server.say(ANNA, "hello")
        await pair.server.quiet()
        assert len(pair.events) == 1


@pytest.mark.parametrize(("sender", "words"), [("MyShop", "receives no messages"), (f"MG{'0a' * 16}", "console")])
async def test_other_senders_say_why_there_is_nothing_to_bind(sender: str, words: str) -> None:
    async with opened_pair(sender) as pair:
        await pair.channel.bind(f"{pair.url}/elsewhere")
        await pair.channel.unbind()
        binding = await pair.channel.binding()
        assert binding.url is None
        assert words in binding.note
        assert not binding.problems
        assert pair.server.webhook_url == f"{pair.url}/webhooks/sms/main"


@pytest.mark.parametrize("truth", ["+79990000001", "+799900000091"])
async def test_a_number_that_the_account_does_not_have(truth: str) -> None:
    async with opened_pair(truth, sender="+79990000009") as pair:
        with pytest.raises(Misconfigured, match=r"no number \+79990000009$"):
            await pair.channel.bind(f"{pair.url}/elsewhere")
        assert pair.server.webhook_url == f"{pair.url}/webhooks/sms/main"


@pytest.mark.parametrize("sender", ["+79990000009", "MyShop"])
async def test_a_wrong_token_is_named(sender: str) -> None:
    async with opened_pair(sender, auth_token=Secret("not-the-real-token")) as pair:
        with pytest.raises(Misconfigured, match="auth_token"):
            await pair.channel.binding()


@pytest.mark.parametrize("sender", ["+79990000009", "MyShop", "Shop 24", "7788", f"MG{'0a' * 16}"])
def test_senders(sender: str) -> None:
    table = {"account_sid": "AC1", "auth_token": "c2f0a94d7b3e6185", "sender": sender}
    assert read_account(Account, "[sms.main]", table).sender == sender


@pytest.mark.parametrize(
    "sender", ["", "89161234567", "ALongNameOfAShop", "Магазин", "+7 999 000-00-09", "MG12345678901"]
)
def test_a_wrong_sender_is_named(sender: str) -> None:
    table = {"account_sid": "AC1", "auth_token": "c2f0a94d7b3e6185", "sender": sender}
    with pytest.raises(SettingsError, match=r"\[sms.main\]: sender is"):
        read_account(Account, "[sms.main]", table)
