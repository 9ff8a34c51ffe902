"""The README's table of limits says what the channels declare, and groups are told from people."""

from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

import bots
from gateway.channel import Facts, Outside, Rate

README = Path(__file__).parents[1] / "README.md"
HEADING = "| | account | person | group |"


def rows() -> Iterator[list[str]]:
    _, _, after = README.read_text("utf-8").partition("How fast?")
    _, _, table = after.partition(HEADING)
    for line in table.splitlines()[2:]:
        if not line.startswith("|"):
            return
        yield [cell.strip() for cell in line.strip("|").split("|")]


def written(rate: Rate | None) -> str:
    if rate is None:
        return "`-`"
    burst = f" burst {rate.burst}" if rate.burst > 1 else ""
    return f"`{rate.count}/{rate.per.total_seconds():g}s{burst}`"


async def facts_of(name: str) -> Facts:
    package = bots.package(name)
    async with aiohttp.ClientSession() as http:
        outside = Outside(http, "https://gateway.shop.ru", http)
        account = bots.simulator(name).demo_account("http://127.0.0.1:9/api")
        (channel,) = package.open_accounts({"demo": account}, outside).values()
        await channel.close()
        return channel.facts


async def test_the_readme_says_what_the_channels_declare() -> None:
    declared = []
    for name in bots.CHANNELS:
        limits = (await facts_of(name)).limits
        assert limits.template is None, "nobody states one, so the table has no room for it"
        rates = (limits.account, limits.person, limits.group)
        declared.append([bots.simulator(name).Server.title, *map(written, rates)])
    assert list(rows()) == declared


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
