"""The overview: what is wrong comes first, and what went out is counted by channel and time."""

import asyncio
from datetime import UTC, datetime, timedelta

from bots.whatsapp.simulator import Server
from gateway.domain.channel.rates import Limits, Rate
from storage.accounts import flows
from storage.accounts.flows import ENDED, NARROW, TRIED, WIDE
from tests.support.client import ApiClient, until
from tests.support.workload import phone, wait_for_state
from tests.webhooks.pages.visitor import Visitor
from webhooks.pages.overview.plots import bars, lines, nice

SMS = {"channel": "sms", "text": "Your order is ready"}
BAD_TOKEN = "190"
TEMPLATE = {"name": "order_update", "language": "en", "variables": {"name": "Anna", "order": "A-17"}}


async def written(demo: ApiClient) -> None:
    """Write what was counted, as the heartbeat does every few seconds."""
    runtime = demo.environment.runtime
    await runtime.flows.write(runtime.db, runtime.clock())


async def test_what_goes_out_is_counted_where_it_was_tried_and_where_it_arrived(
    demo: ApiClient, visitor: Visitor
) -> None:
    runtime = demo.environment.runtime
    empty = (await visitor.get("/ui/overview")).words
    assert ("Nothing has been sent in this time. Send a first message." in empty, "Bind" in empty) == (True, False)
    keys = [await demo.send({"channel": "telegram", "text": "Hello"}, SMS) for _ in range(3)]
    await asyncio.gather(*(demo.wait_for(key, "DELIVERED") for key in keys))

    async def are_counted() -> bool | None:
        await written(demo)
        now = runtime.clock()
        for width in (NARROW, WIDE):
            *_, (_, flow) = await flows.between(runtime.db, now - width, now + timedelta(seconds=1), width)
            if flow.get("sms", {}).get(TRIED) != 3 or flow["sms"].get("DELIVERED") != 3:
                return None
        return "telegram" not in flow

    await until(are_counted)
    page = await visitor.get("/ui/overview?period=hour")
    assert "3 / 3 · 100 %" in page.words
    assert "Delivered 100 % of 3 that have ended" in page.words
    tables = [
        [cell.text for cell in table.select("tr")[-1].select("td")][1:] for table in page.html.select("main table")
    ]
    assert tables == [["3"], ["3", "3", "0", "0"], ["3", "3", "100 %"]], (
        "tried; by status; what arrived of what was tried"
    )


async def test_a_held_account_is_told_first_and_leads_to_the_accounts(demo: ApiClient, visitor: Visitor) -> None:
    demo.environment.simulators["whatsapp"].faults.fail(BAD_TOKEN)
    await demo.send({"channel": "whatsapp", "template": TEMPLATE}, SMS)
    await wait_for_state(demo, "whatsapp:demo", "held")
    await demo.say("vk", "Is somebody there?")
    page = await visitor.get("/ui/overview")
    html = page.html
    assert ("Waits longest" in page.words, "Waits longest —" in page.words) == (True, False)
    assert html.select(".rail .waiting")[0].get_text() == "1 unread"
    (alarm,) = html.select(".alarm")
    assert "whatsapp:demo is held since" in alarm.get_text()
    assert BAD_TOKEN in alarm.select("[lang=en]")[0].text
    assert [link["href"] for link in alarm.select("a")] == ["/ui/accounts"]


async def test_what_waits_for_an_accounts_room_is_told_by_account(demo: ApiClient, visitor: Visitor) -> None:
    gate = demo.environment.runtime.gate
    gate.limits = {**gate.limits, "sms:demo": Limits(account=Rate(1, timedelta(hours=1)))}
    for number in range(3):
        await demo.send(SMS, phone=phone(number))

    async def waits() -> bool:
        await written(demo)
        return bool((await visitor.get("/ui/overview")).html.select(".queues"))

    await until(waits)
    (row,) = (await visitor.get("/ui/overview")).html.select(".queues tbody tr")
    assert row.text.startswith("SMS demo")


async def test_what_a_provider_says_of_an_account_is_an_alarm(demo: ApiClient, visitor: Visitor) -> None:
    assert (await visitor.get("/ui/overview")).html.select(".alarm") == []
    sms, whatsapp = (demo.environment.simulators[name] for name in ("sms", "whatsapp"))
    sms.webhook_url = "https://elsewhere.example/hook"
    assert isinstance(whatsapp, Server)
    whatsapp.quality = "RED"
    demo.pass_time(hours=0.1)
    alarms = [alarm.select("span")[0].text for alarm in (await visitor.get("/ui/overview")).html.select(".alarm")]
    assert alarms[-2:] == [  # the clock has run ahead of the workers' heartbeats, which is an alarm, too
        "The quality of whatsapp:demo is low: its provider may limit it.",
        "The webhook of sms:demo goes elsewhere: nobody is heard there.",
    ]


async def test_a_period_that_there_is_not_is_the_day(visitor: Visitor) -> None:
    for period in ("hour", "day", "week", "month", "century", ""):
        page = await visitor.get(f"/ui/overview?period={period}")
        chosen = [link.get_text() for link in page.html.select(".periods [aria-current]")]
        assert (page.status, chosen) == (200, [period if period in {"hour", "week", "month"} else "day"])


async def test_counts_are_in_the_span_of_their_moment_and_kept_for_their_time(demo: ApiClient) -> None:
    runtime = demo.environment.runtime
    hour = flows.beginning(runtime.clock(), WIDE) - timedelta(days=2)
    for minute, channel in ((0, "sms"), (4, "sms"), (5, ""), (59, "vk")):
        counted = flows.Flows()
        counted.count(channel, ENDED)
        await counted.write(runtime.db, hour + timedelta(minutes=minute))
    (only,) = await flows.between(runtime.db, hour, hour + WIDE, WIDE)
    assert only == (hour, {"sms": {ENDED: 2}, "": {ENDED: 1}, "vk": {ENDED: 1}})
    narrow = await flows.between(runtime.db, hour, hour + WIDE, NARROW)
    assert [bool(flow) for _, flow in narrow] == [True, True, *[False] * 9, True]
    assert [at for at, _ in narrow] == [hour + index * NARROW for index in range(12)]


def test_an_axis_ends_at_a_round_figure_that_shows_all() -> None:
    assert [nice(most) for most in (0, 1, 2, 3, 9, 10, 11, 99, 101, 4100)] == [2, 2, 2, 4, 10, 10, 20, 100, 200, 6000]


def test_the_largest_bar_is_as_long_as_there_is_room() -> None:
    first, second = bars({"sms": (200, 150), "vk": (50, 50)})
    assert (first.tried_width, first.ended_width, second.tried_width) == (330, 247.5, 82.5)
    assert second.y > first.y


def test_a_line_goes_from_edge_to_edge() -> None:
    now = datetime(2026, 11, 30, tzinfo=UTC)
    plot = lines({"sms": [0, 2]}, [now, now + NARROW])
    assert plot.lines[0].points == "46.0,190.0 620.0,12.0"
