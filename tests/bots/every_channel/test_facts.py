"""What the channels declare: the table of limits in bots/README.md, groups, and which messages can be recalled."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

import bots
from gateway.domain.channel.contract import Channel, Outside
from gateway.domain.channel.errors import Unavailable
from gateway.domain.channel.facts import Facts
from gateway.domain.channel.rates import format_rate
from gateway.domain.model.nouns import Address
from tests.support.docs import CHANNELS, compare, rows, table
from tests.support.http.serving import free_port

FACTS = Path(__file__).with_name("facts.md")


@asynccontextmanager
async def opened_channel(name: str) -> AsyncIterator[Channel]:
    """Open the channel at a provider that nobody can reach."""
    async with aiohttp.ClientSession() as http:
        outside = Outside(http, "https://gateway.shop.ru", http)
        account = bots.simulator(name).demo_account(f"http://127.0.0.1:{free_port()}/api")
        (channel,) = bots.package(name).open_accounts({"demo": account}, outside).values()
        yield channel
        await channel.close()


async def facts_of(name: str) -> Facts:
    async with opened_channel(name) as channel:
        return channel.facts


async def test_the_readme_says_what_the_channels_declare() -> None:
    declared = []
    for name in bots.CHANNELS:
        facts = await facts_of(name)
        limits = facts.limits
        assert limits.template is None, "nobody states one, so the table has no room for it"
        rates = (limits.account, limits.person, limits.group)
        declared.append([facts.title, *[f"`{format_rate(rate)}`" for rate in rates]])
    assert list(rows(CHANNELS, "## How fast")) == declared


async def test_what_each_channel_declares(request: pytest.FixtureRequest) -> None:
    """The table says it value by value, so that nothing of it changes unseen; `--renew-tables` writes it anew."""
    lines = list[tuple[str, str, str]]()
    for name in bots.CHANNELS:
        facts = dataclasses.asdict(await facts_of(name))
        lines += [(name, fact, str(value)) for fact, value in facts.items() if not callable(value)]
    compare(FACTS, table(("channel", "fact", "value"), lines), request)


@pytest.mark.parametrize(
    ("name", "person", "group"),
    [("telegram", "5550001", "-100123"), ("vk", "1999999999", "2000000000"), ("vk", "", "2000000001")],
)
async def test_a_group_is_told_from_a_person(name: str, person: str, group: str) -> None:
    is_group = (await facts_of(name)).is_group
    assert (is_group(person), is_group(group)) == (False, True)


@pytest.mark.parametrize("name", ["viber", "whatsapp", "sms"])
async def test_where_there_are_no_groups_everybody_is_a_person(name: str) -> None:
    is_group = (await facts_of(name)).is_group
    assert not any(map(is_group, ("79990001122", "-100123", "2000000001")))


async def test_for_how_long_a_message_can_be_taken_back() -> None:
    declared = {name: (await facts_of(name)).recalls for name in bots.CHANNELS}
    assert {name: hours for name, hours in declared.items() if hours} == {
        "telegram": timedelta(hours=48),
        "vk": timedelta(hours=24),
    }


@pytest.mark.parametrize("name", bots.CHANNELS)
async def test_only_who_can_take_a_message_back_asks_the_provider(name: str) -> None:
    async with opened_channel(name) as channel:
        if channel.facts.recalls:
            with pytest.raises(Unavailable):
                await channel.recall(Address(name, "demo", "1"), "1/2")
        else:
            await channel.recall(Address(name, "demo", "1"), "1/2")
