"""Tests the time of sending: sendAt, allowed hours, time zones and validity."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from gateway.runtime.settings.settings import Settings
from tests.support.client import PHONE, ApiClient
from tests.support.workload import (
    SMS,
    accepted_messages,
    advance_clock,
    attempt_statuses,
    decisions_text,
    phones,
    post_message,
    send_one,
    texts,
    wait_for_worker,
    whatsapp,
)

YEKATERINBURG, VLADIVOSTOK = "Asia/Yekaterinburg", "Asia/Vladivostok"
HOUR = timedelta(hours=1)
NEWS = {"channel": "sms", "text": "News"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Set a default time zone other than UTC."""
    return replace(settings, timezone=VLADIVOSTOK)


def hours(demo: ApiClient, start: float, end: float) -> dict[str, Any]:
    """Return allowed hours that begin and end so many hours from now, in UTC."""
    ends = [f"{demo.environment.runtime.clock() + ahead * HOUR:%H:%M}" for ahead in (start, end)]
    return {"allowedTimeRanges": [ends], "timezone": "UTC"}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def until_clock(demo: ApiClient, clock: str) -> None:
    """Put the clock forward to this time of day in UTC."""
    now, target = demo.environment.runtime.clock(), datetime.strptime(clock, "%H:%M").astimezone(ZoneInfo("UTC"))
    ahead = target.replace(year=now.year, month=now.month, day=now.day) - now
    advance_clock(demo, seconds=(ahead % (24 * HOUR)).total_seconds())


async def test_it_leaves_at_its_time_and_not_before(demo: ApiClient) -> None:
    at = demo.environment.runtime.clock() + 2 * HOUR
    (item,) = await post_message(
        demo, [{"phone": PHONE}], NEWS, sendAt=at.astimezone(ZoneInfo(YEKATERINBURG)).isoformat()
    )
    assert (item["status"], moment(item["sendAt"])) == ("SCHEDULED", at)
    advance_clock(demo, hours=1.98)
    await wait_for_worker(demo)
    assert (await demo.story(item["id"]))["status"] == "SCHEDULED"
    assert "News" not in texts(demo, "sms")
    advance_clock(demo, minutes=2)
    await demo.wait_for(item["id"], "DELIVERED")
    assert [line.at >= at for line in accepted_messages(demo, "sms", lambda line: line.text == "News")] == [True]


async def test_a_time_that_is_over_means_at_once_and_is_told(demo: ApiClient) -> None:
    at = demo.environment.runtime.clock() - HOUR
    (item,) = await post_message(demo, [{"phone": PHONE}], NEWS, sendAt=at.isoformat())
    assert item["warnings"] == ["sendAt is over, so it is sent at once"]
    await demo.wait_for(item["id"], "DELIVERED")


async def test_validity_counts_from_the_time_of_sending(demo: ApiClient) -> None:
    at = demo.environment.runtime.clock() + 3 * HOUR
    key = await send_one(demo, NEWS, sendAt=at.isoformat(), validityPeriod=60)
    assert moment((await demo.story(key))["expiresAt"]) == at + HOUR
    advance_clock(demo, hours=3.5)
    await demo.wait_for(key, "DELIVERED")


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


async def test_what_makes_no_sense_is_refused_by_its_field(demo: ApiClient) -> None:
    messages = [{"destinations": [{"phone": PHONE}], "channels": [NEWS], **fields} for fields, _ in WRONG]
    _, answer = await demo.post("/api/v1/messages", {"messages": messages})
    error_fields = [item.get("error", {}).get("field") for item in answer["messages"]]
    assert error_fields == [f"messages[{index}].{path}" for index, (_, path) in enumerate(WRONG)]
    await wait_for_worker(demo)
    assert "News" not in texts(demo, "sms")


async def test_a_year_and_a_day_ahead_is_as_far_as_it_goes(demo: ApiClient) -> None:
    at = demo.environment.runtime.clock() + timedelta(days=366)
    (item,) = await post_message(demo, [{"phone": PHONE}], NEWS, sendAt=at.isoformat())
    assert item["status"] == "SCHEDULED"
    (item,) = await post_message(demo, [{"phone": PHONE}], NEWS, sendAt=(at + HOUR).isoformat())
    assert item["error"]["field"] == "messages[0].sendAt"


async def test_it_waits_for_the_hours_and_says_so(demo: ApiClient) -> None:
    allowed_hours = hours(demo, 2, 4)
    key = await send_one(demo, NEWS, **allowed_hours)
    story = await demo.wait_for(key, "DELAYED")
    opens = moment(story["nextAt"])
    assert f"{opens:%H:%M}" == allowed_hours["allowedTimeRanges"][0][0]
    assert f"sms: outside of the allowed hours until {opens:%H:%M}" in story["reason"]
    assert "UTC" in story["reason"]
    advance_clock(demo, seconds=(opens - demo.environment.runtime.clock()).total_seconds() - 60)
    await wait_for_worker(demo)
    assert "News" not in texts(demo, "sms")
    advance_clock(demo, seconds=61)
    await demo.wait_for(key, "DELIVERED")


async def test_a_weekday_is_waited_for(demo: ApiClient) -> None:
    tomorrow = demo.environment.runtime.clock() + 24 * HOUR
    key = await send_one(demo, NEWS, weekdays=[tomorrow.isoweekday()], timezone="UTC")
    story = await demo.wait_for(key, "DELAYED")
    midnight = tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)
    assert moment(story["nextAt"]) == midnight
    advance_clock(demo, seconds=(midnight - demo.environment.runtime.clock()).total_seconds())
    await demo.wait_for(key, "DELIVERED")


async def test_hours_over_midnight(demo: ApiClient) -> None:
    night: dict[str, Any] = {"allowedTimeRanges": [["22:00", "02:00"]], "timezone": "UTC"}
    for clock in ("23:30", "01:30"):
        await until_clock(demo, clock)
        await demo.wait_for(await send_one(demo, NEWS, **night), "DELIVERED")
    await until_clock(demo, "02:30")
    story = await demo.wait_for(await send_one(demo, NEWS, **night), "DELAYED")
    assert f"{moment(story['nextAt']):%H:%M}" == "22:00"


async def test_the_hours_are_those_of_the_person(demo: ApiClient) -> None:
    """The recipient's zone precedes the message's, and that precedes ours; answer and story show which counts."""
    await until_clock(demo, "12:00")
    noon: dict[str, Any] = {"allowedTimeRanges": [["11:00", "13:00"]]}
    own_zone, message_zone = phones(2)
    first, second = await post_message(
        demo, [own_zone | {"timezone": YEKATERINBURG}, message_zone], NEWS, timezone="UTC", **noon
    )
    (third,) = await post_message(demo, phones(1, first=200), NEWS, **noon)
    assert [item["timezone"] for item in (first, second, third)] == [YEKATERINBURG, "UTC", VLADIVOSTOK]
    await demo.wait_for(second["id"], "DELIVERED")
    for item, opens in ((first, 6), (third, 1)):  # eleven o'clock there
        story = await demo.wait_for(item["id"], "DELAYED")
        assert (moment(story["nextAt"]).hour, story["timezone"]) == (opens, item["timezone"])
        assert item["timezone"] in story["reason"]
    assert len(accepted_messages(demo, "sms")) == 1


async def test_a_fallback_waits_for_the_morning(demo: ApiClient) -> None:
    """WhatsApp went out in the last minutes of the evening, and its fallback must not wake anybody."""
    await demo.say("whatsapp", "/start")
    whatsapp(demo).hold_receipts = True
    evening = {"channel": "whatsapp", "text": "News", "fallbackAfter": "PT10M"}
    key = await send_one(demo, evening, SMS, validityPeriod=2880, **hours(demo, -1, 0.15))
    await demo.wait_for(key, "SENT")
    advance_clock(demo, minutes=11)
    story = await demo.wait_for_decision(key, "sms: outside of the allowed hours until")
    assert (story["status"], attempt_statuses(story)) == ("SENT", [("whatsapp", "SENT")])
    opens = moment(story["nextAt"])
    advance_clock(demo, seconds=(opens - demo.environment.runtime.clock()).total_seconds() + 1)
    assert attempt_statuses(await demo.wait_for(key, "DELIVERED")) == [("whatsapp", "SENT"), ("sms", "DELIVERED")]


async def test_what_is_urgent_leaves_at_any_hour(demo: ApiClient) -> None:
    (item,) = await post_message(demo, [{"phone": PHONE}], NEWS, priority="urgent", **hours(demo, 2, 4))
    assert item["warnings"] == ["it is urgent, so it leaves at any hour"]
    assert "allowed hours" not in decisions_text(await demo.wait_for(item["id"], "DELIVERED"))


async def test_it_expires_unsent_where_no_hour_comes_in_time(demo: ApiClient) -> None:
    (item,) = await post_message(demo, [{"phone": PHONE}], NEWS, validityPeriod=60, **hours(demo, 2, 4))
    assert item["warnings"] == ["validityPeriod is over before the first hour at which it may leave"]
    await demo.wait_for(item["id"], "DELAYED")
    advance_clock(demo, minutes=61)
    story = await demo.wait_for(item["id"], "EXPIRED")
    assert story["reason"] == "its validity is over"
    assert accepted_messages(demo, "sms") == []
