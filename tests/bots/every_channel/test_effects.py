"""What each call of a provider does in the end, alone: tests/bots/<channel>/effects.md has a row for each payload.

`pytest tests/bots/every_channel/test_effects.py --renew-tables` writes the tables anew; read what has changed.
WhatsApp's stand-in knows no groups, so what is answered there does not arrive.
"""

from pathlib import Path

import pytest

import bots
from gateway.runtime.settings.settings import Settings
from tests.support.corpus.effects import COLUMNS, effect_of, moment_of
from tests.support.corpus.payloads import PAYLOADS, TESTS, channel_named, opened_shop, read
from tests.support.docs import compare, table


def table_of(channel: str) -> Path:
    return TESTS / "bots" / channel / "effects.md"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("channel", bots.CHANNELS)
async def test_each_payload_has_its_effect_and_no_other(
    settings: Settings, request: pytest.FixtureRequest, channel: str
) -> None:
    async with opened_shop(settings) as shop:
        accepted = [file for file in PAYLOADS if channel_named(file) == channel and "refused" not in read(file)[0]]
        accepted.sort(key=moment_of)  # the clock only goes forward
        shop.runtime.clock.ahead += moment_of(accepted[0]) - shop.runtime.clock()
        rows = sorted([await effect_of(shop, file) for file in accepted])
    compare(table_of(channel), table(COLUMNS, rows), request)
