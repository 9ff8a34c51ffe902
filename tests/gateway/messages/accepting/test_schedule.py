"""When a message leaves: not before its time, not at night, and not after it is worth anything."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from gateway.runtime.settings.settings import Settings
from tests.support.client import PHONE, Player
from tests.support.workload import SMS, ask, book, later, looked_around, one, phones, texts, tried, whatsapp, words

YEKATERINBURG, VLADIVOSTOK = "Asia/Yekaterinburg", "Asia/Vladivostok"
HOUR = timedelta(hours=1)
NEWS = {"channel": "sms", "text": "News"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nobody who says nothing else lives in UTC."""
    return replace(settings, timezone=VLADIVOSTOK)


def hours(town: Player, start: float, end: float) -> dict[str, Any]:
    """Hours that begin and end so many hours from now, in UTC."""
    ends = [f"{town.town.runtime.clock() + ahead * HOUR:%H:%M}" for ahead in (start, end)]
    return {"allowedTimeRanges": [ends], "timezone": "UTC"}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def until_clock(town: Player, clock: str) -> None:
    """Let it become that time of day in UTC."""
    now, wanted = town.town.runtime.clock(), datetime.strptime(clock, "%H:%M").astimezone(ZoneInfo("UTC"))
    ahead = wanted.replace(year=now.year, month=now.month, day=now.day) - now
    later(town, seconds=(ahead % (24 * HOUR)).total_seconds())


async def test_it_leaves_at_its_time_and_not_before(town: Player) -> None:
    at = town.town.runtime.clock() + 2 * HOUR
    (item,) = await ask(town, [{"phone": PHONE}], NEWS, sendAt=at.astimezone(ZoneInfo(YEKATERINBURG)).isoformat())
    assert (item["status"], moment(item["sendAt"])) == ("SCHEDULED", at)
    later(town, hours=1.98)
    await looked_around(town)
    assert (await town.story(item["id"]))["status"] == "SCHEDULED"
    assert "News" not in texts(town, "sms")
    later(town, minutes=2)
    await town.ended(item["id"], "DELIVERED")
    assert [line.at >= at for line in book(town, "sms", lambda line: line.text == "News")] == [True]


async def test_a_time_that_is_over_means_at_once_and_is_told(town: Player) -> None:
    at = town.town.runtime.clock() - HOUR
    (item,) = await ask(town, [{"phone": PHONE}], NEWS, sendAt=at.isoformat())
    assert item["warnings"] == ["sendAt is over, so it is sent at once"]
    await town.ended(item["id"], "DELIVERED")


async def test_validity_counts_from_the_time_of_sending(town: Player) -> None:
    at = town.town.runtime.clock() + 3 * HOUR
    key = await one(town, NEWS, sendAt=at.isoformat(), validityPeriod=60)
    assert moment((await town.story(key))["expiresAt"]) == at + HOUR
    later(town, hours=3.5)
    await town.ended(key, "DELIVERED")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"sendAt": "2027-01-01T10:00:00"}, "sendAt"),
    ({"sendAt": "in the morning"}, "sendAt"),
    ({"sendAt": "2999-01-01T10:00:00Z"}, "sendAt"),
    ({"sendAt": "9999-12-31T23:59:59-23:59"}, "sendAt"),
    ({"allowedTimeRanges": [["9:00", "21:00"]]}, "allowedTimeRanges"),
    ({"allowedTimeRanges": [["09:00", "21:00"], ["12:00", "12:00"]]}, "allowedTimeRanges"),
    ({"allowedTimeRanges": [["24:00", "10:00"]]}, "allowedTimeRanges"),
    ({"allowedTimeRanges": [["10:00"]]}, "allowedTimeRanges[0]"),
    ({"weekdays": [1, 0]}, "weekdays[1]"),
    ({"weekdays": [8]}, "weekdays[0]"),
    ({"timezone": "Moscow"}, "timezone"),
    ({"timezone": "+03:00"}, "timezone"),
    ({"validityPeriod": 0}, "validityPeriod"),
    ({"priority": "asap"}, "priority"),
    ({"destinations": [{"phone": PHONE, "timezone": "Mars/Base"}]}, "destinations[0].timezone"),
]


async def test_what_makes_no_sense_is_refused_by_its_field(town: Player) -> None:
    messages = [{"destinations": [{"phone": PHONE}], "channels": [NEWS], **fields} for fields, _ in WRONG]
    _, answer = await town.post("/api/v1/messages", {"messages": messages})
    refused = [item.get("error", {}).get("field") for item in answer["messages"]]
    assert refused == [f"messages[{index}].{path}" for index, (_, path) in enumerate(WRONG)]
    await looked_around(town)
    assert "News" not in texts(town, "sms")


async def test_a_year_and_a_day_ahead_is_as_far_as_it_goes(town: Player) -> None:
    at = town.town.runtime.clock() + timedelta(days=366)
    (item,) = await ask(town, [{"phone": PHONE}], NEWS, sendAt=at.isoformat())
    assert item["status"] == "SCHEDULED"
    (item,) = await ask(town, [{"phone": PHONE}], NEWS, sendAt=(at + HOUR).isoformat())
    assert item["error"]["field"] == "messages[0].sendAt"


async def test_it_waits_for_the_hours_and_says_so(town: Player) -> None:
    wanted = hours(town, 2, 4)
    key = await one(town, NEWS, **wanted)
    story = await town.ended(key, "DELAYED")
    opens = moment(story["nextAt"])
    assert f"{opens:%H:%M}" == wanted["allowedTimeRanges"][0][0]
    assert f"sms: outside of the allowed hours until {opens:%H:%M}" in story["reason"]
    assert "UTC" in story["reason"]
    later(town, seconds=(opens - town.town.runtime.clock()).total_seconds() - 60)
    await looked_around(town)
    assert "News" not in texts(town, "sms")
    later(town, seconds=61)
    await town.ended(key, "DELIVERED")


async def test_a_weekday_is_waited_for(town: Player) -> None:
    tomorrow = town.town.runtime.clock() + 24 * HOUR
    key = await one(town, NEWS, weekdays=[tomorrow.isoweekday()], timezone="UTC")
    story = await town.ended(key, "DELAYED")
    midnight = tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)
    assert moment(story["nextAt"]) == midnight
    later(town, seconds=(midnight - town.town.runtime.clock()).total_seconds())
    await town.ended(key, "DELIVERED")


async def test_hours_over_midnight(town: Player) -> None:
    night: dict[str, Any] = {"allowedTimeRanges": [["22:00", "02:00"]], "timezone": "UTC"}
    for clock in ("23:30", "01:30"):
        await until_clock(town, clock)
        await town.ended(await one(town, NEWS, **night), "DELIVERED")
    await until_clock(town, "02:30")
    story = await town.ended(await one(town, NEWS, **night), "DELAYED")
    assert f"{moment(story['nextAt']):%H:%M}" == "22:00"


async def test_the_hours_are_those_of_the_person(town: Player) -> None:
    """Theirs before the message's, the message's before ours; the answer and the story show which."""
    await until_clock(town, "12:00")
    noon: dict[str, Any] = {"allowedTimeRanges": [["11:00", "13:00"]]}
    theirs, mine = phones(2)
    first, second = await ask(town, [theirs | {"timezone": YEKATERINBURG}, mine], NEWS, timezone="UTC", **noon)
    (third,) = await ask(town, phones(1, first=200), NEWS, **noon)
    assert [item["timezone"] for item in (first, second, third)] == [YEKATERINBURG, "UTC", VLADIVOSTOK]
    await town.ended(second["id"], "DELIVERED")
    for item, opens in ((first, 6), (third, 1)):  # eleven o'clock there
        story = await town.ended(item["id"], "DELAYED")
        assert (moment(story["nextAt"]).hour, story["timezone"]) == (opens, item["timezone"])
        assert item["timezone"] in story["reason"]
    assert len(book(town, "sms")) == 1


async def test_a_fallback_waits_for_the_morning(town: Player) -> None:
    """WhatsApp went out in the last minutes of the evening; what follows it must not wake anybody."""
    await town.say("whatsapp", "/start")
    whatsapp(town).hold_receipts = True
    evening = {"channel": "whatsapp", "text": "News", "fallbackAfter": "PT10M"}
    key = await one(town, evening, SMS, validityPeriod=2880, **hours(town, -1, 0.15))
    await town.ended(key, "SENT")
    later(town, minutes=11)
    story = await town.decided(key, "sms: outside of the allowed hours until")
    assert (story["status"], tried(story)) == ("SENT", [("whatsapp", "SENT")])
    opens = moment(story["nextAt"])
    later(town, seconds=(opens - town.town.runtime.clock()).total_seconds() + 1)
    assert tried(await town.ended(key, "DELIVERED")) == [("whatsapp", "SENT"), ("sms", "DELIVERED")]


async def test_what_is_urgent_leaves_at_any_hour(town: Player) -> None:
    (item,) = await ask(town, [{"phone": PHONE}], NEWS, priority="urgent", **hours(town, 2, 4))
    assert item["warnings"] == ["it is urgent, so it leaves at any hour"]
    assert "allowed hours" not in words(await town.ended(item["id"], "DELIVERED"))


async def test_it_expires_unsent_where_no_hour_comes_in_time(town: Player) -> None:
    (item,) = await ask(town, [{"phone": PHONE}], NEWS, validityPeriod=60, **hours(town, 2, 4))
    assert item["warnings"] == ["validityPeriod is over before the first hour at which it may leave"]
    await town.ended(item["id"], "DELAYED")
    later(town, minutes=61)
    story = await town.ended(item["id"], "EXPIRED")
    assert story["reason"] == "its validity is over"
    assert book(town, "sms") == []
