"""Tests dead letters: failures that somebody could mend are listed with their reason and replayed once."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.domain.channel.contract import Channel
from gateway.domain.model.attempt import Attempt, Part, Step
from gateway.domain.model.event import Inbound, Receipt
from gateway.domain.model.identifier import identifiers
from gateway.domain.model.notification import Notification, Recipient, Status
from gateway.domain.model.nouns import Address, Cause, Content, Progress
from gateway.messages.archive.dead_letters import DeadLettersQuery, Letter, message_letter, page
from gateway.messages.archive.replay import build_replay, describe_doubt
from gateway.messages.delivery import recording
from gateway.messages.delivery.receipts import receive
from gateway.runtime.runtime import Clock
from gateway.runtime.settings.settings import Settings
from storage.documents.documents import Db
from storage.messages import notifications
from storage.messages.inbox import Delivered, Inbox
from tests.support.client import PHONE, ApiClient, until
from tests.support.processes.cli import CliFixture, opened_cli

SMS = {"channel": "sms", "text": "Your order has been sent."}
NO_MOBILE = 21614
LISTED, REPLAY = "/api/v1/deadLetters", "/api/v1/deadLetters/replay"
NOW = Clock()()
ADDRESS = Address("telegram", "demo", "7001")


@pytest.fixture
async def cli(tmp_path: Path, settings: Settings) -> AsyncIterator[CliFixture]:
    async with opened_cli(tmp_path, settings) as fixture:
        yield fixture


async def get_page(demo: ApiClient, **query: str) -> tuple[int, Any]:
    async with demo.http.get(LISTED, params=query) as response:
        return response.status, await response.json()


async def letters(demo: ApiClient, **query: str) -> list[Any]:
    status, answer = await get_page(demo, **query)
    assert status == 200, answer
    return list(answer["deadLetters"])


async def replay(demo: ApiClient, *ids: str, **options: Any) -> Any:
    status, answer = await demo.post(REPLAY, {"ids": list(ids), **options} if ids else {"all": True, **options})
    assert status == 200, answer
    return answer


async def send_refused(demo: ApiClient) -> str:
    """Send a message that the provider refuses. Returns its id."""
    demo.environment.simulators["sms"].faults.fail(NO_MOBILE)
    key = await demo.send(SMS)
    await demo.wait_for(key, "UNDELIVERED")
    return key


def dead_notification(name: str, at: datetime, **fields: Any) -> Notification:
    step = Step("sms", "demo", content=Content("Hi"))
    notification = Notification(
        name, Recipient(identifiers(phone=PHONE)), (step,), NOW, NOW + timedelta(hours=3), status=Status.UNDELIVERED
    )
    return replace(notification, done_at=at, dead_at=at, **fields)


def event(name: str) -> Inbound:
    return Inbound(Address("sms", "demo", PHONE), name, name, Content("/help"), NOW)


async def add_dead_event(db: Db, name: str, at: datetime) -> str:
    """Store an event that has failed after all its tries. Returns its key."""
    inbox = Inbox(db)
    await inbox.add([event(name)], at + timedelta(days=1))  # no worker takes it before it is dead
    key = event(name).dedupe_key
    await db["inbox"].update_one({"_id": key}, {"$set": {"lease": "ours"}})
    await inbox.fail(Delivered(key, event(name), at, lease="ours"), "ZeroDivisionError: by zero", at, None)
    return key


async def test_a_refused_message_is_listed_and_sent_anew(demo: ApiClient) -> None:
    key = await send_refused(demo)
    (letter,) = await letters(demo)
    assert (letter["id"], letter["what"], letter["tries"], letter["channels"]) == (key, "UNDELIVERED", 1, ["sms"])
    assert "this is not a mobile number" in letter["reason"]
    assert letter["deadAt"] == (await demo.story(key))["finishedAt"]
    answer = await replay(demo, key)
    (outcome,) = answer["deadLetters"]
    assert (outcome["id"], outcome["result"], answer["left"]) == (key, "replayed", 0)
    replayed_story = await demo.wait_for(outcome["replayedAs"], "DELIVERED")
    assert (replayed_story["replayOf"], replayed_story["priority"]) == (key, "normal")
    assert (await demo.story(key))["reason"] == f"replayed as {replayed_story['id']}"
    assert await letters(demo) == []


async def test_what_is_no_dead_letter_is_told_and_not_sent(demo: ApiClient) -> None:
    dead_key, delivered_key = await send_refused(demo), await demo.send(SMS)
    await demo.wait_for(delivered_key, "DELIVERED")
    (outcome,) = (await replay(demo, dead_key))["deadLetters"]
    await demo.wait_for(outcome["replayedAs"], "DELIVERED")
    outcomes = (await replay(demo, delivered_key, dead_key, "m1"))["deadLetters"]
    assert [outcome["result"] for outcome in outcomes] == ["notADeadLetter", "notADeadLetter", "unknown"]
    assert outcomes[0]["reason"].startswith("it is DELIVERED")
    assert "replayed as" in outcomes[1]["reason"]
    assert len(demo.environment.simulators["sms"].accepted) == 2


async def test_what_may_have_been_sent_wants_force(demo: ApiClient) -> None:
    contact = (await demo.post("/api/v1/contacts", {"phone": PHONE}))[1]
    await demo.say("telegram", f"/start {contact['startCode']}")
    demo.environment.simulators["telegram"].faults.lose_answers()
    key = await demo.send({"channel": "telegram", "text": "Hi"})
    await demo.wait_for(key, "UNDELIVERED")
    (outcome,) = (await replay(demo, key))["deadLetters"]
    assert (outcome["result"], outcome["reason"]) == ("needsForce", "telegram: it may have been sent")
    assert [letter["id"] for letter in await letters(demo)] == [key]
    (outcome,) = (await replay(demo, key, force=True))["deadLetters"]
    await demo.wait_for(outcome["replayedAs"], "SENT")
    assert sum(message.text == "Hi" for message in demo.environment.simulators["telegram"].accepted) == 2


@pytest.mark.parametrize(
    ("attempt", "doubt"),
    [
        (Attempt(0, Progress.FAILED, NOW, cause=Cause.REFUSED), ""),
        (Attempt(0, Progress.FAILED, NOW, parts=(Part("1", Progress.FAILED),)), ""),
        (Attempt(0, Progress.FAILED, NOW, unsure_from=NOW, parts=(Part("1", Progress.FAILED),)), ""),
        (Attempt(0, Progress.UNKNOWN, NOW), "sms: it may have been sent"),
        (Attempt(0, Progress.FAILED, NOW, unsure_from=NOW), "sms: it may have been sent"),
        (Attempt(0, Progress.SENT, NOW, parts=(Part("1"),)), "sms: it was sent"),
        (Attempt(0, Progress.FAILED, NOW, pieces=2, parts=(Part("1"),)), "sms: a part of it was sent"),
    ],
)
def test_what_may_have_reached_the_person(attempt: Attempt, doubt: str) -> None:
    assert describe_doubt(dead_notification("m1", NOW, attempts=(attempt,))) == doubt


def test_a_new_message_has_the_terms_of_the_old_one() -> None:
    later = NOW + timedelta(days=2)
    old = dead_notification(
        "m1", later, send_at=NOW + timedelta(hours=1), group_id="g", callback_data="d", repeats=True, reply_to="x"
    )
    new = build_replay(old, PHONE, later, 7)
    assert (new.expires_at - later, new.due_at, new.send_at) == (timedelta(hours=2), later, None)
    assert (new.group_id, new.callback_data, new.repeats, new.replay_of) == ("g", "d", True, "m1")
    assert (new.steps, new.recipient, new.lane, new.person) == (old.steps, old.recipient, "/2", PHONE)
    assert (new.status, new.dead_at, new.reply_to) == (Status.NEW, None, None)
    assert build_replay(replace(old, version=9), PHONE, later, 8).id == new.id


async def test_a_replay_that_broke_off_half_way_is_completed(demo: ApiClient) -> None:
    key, runtime = await send_refused(demo), demo.environment.runtime
    old = await notifications.get(runtime.db, key)
    assert old
    await recording.add(runtime.db, [build_replay(old, PHONE, runtime.clock(), runtime.clock.ordinal())])
    (outcome,) = (await replay(demo, key))["deadLetters"]
    await demo.wait_for(outcome["replayedAs"], "DELIVERED")
    assert len(demo.environment.simulators["sms"].accepted) == 1
    assert await runtime.db["notifications"].count_documents({}) == 2


async def test_one_that_dies_again_of_a_late_receipt_is_not_sent_a_third_time(demo: ApiClient) -> None:
    runtime = demo.environment.runtime
    attempt = Attempt(
        0, Progress.UNKNOWN, NOW, cause=Cause.AMBIGUOUS, address=Address("sms", "demo", PHONE), sent_at=NOW
    )
    await recording.add(runtime.db, [dead_notification("m1", NOW, attempts=(attempt,))])
    (first,) = (await replay(demo, "m1", force=True))["deadLetters"]
    await demo.wait_for(first["replayedAs"], "DELIVERED")
    receipt = Receipt("sms", "demo", "r1", "SM1", Progress.FAILED, NOW, "no", Cause.REFUSED, key="m1/0/0")
    await receive(runtime, receipt, runtime.clock())

    async def dead_again() -> bool:
        return bool(await letters(demo))

    await until(dead_again)
    (second,) = (await replay(demo, "m1"))["deadLetters"]
    assert second["replayedAs"] == first["replayedAs"]
    assert len(demo.environment.simulators["sms"].accepted) == 1


async def all_letters(db: Db, limit: int) -> Sequence[Letter]:
    letters, cursor, has_more = list[Letter](), None, True
    while has_more:
        answer = await page(db, DeadLettersQuery(limit=limit, cursor=cursor), NOW)
        assert len(answer.letters) <= limit
        letters, cursor, has_more = [*letters, *answer.letters], answer.cursor, answer.cursor is not None
    return letters


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 200])
async def test_pages_lose_none_and_repeat_none(db: Db, limit: int) -> None:
    """The letters may share one moment or lie years apart."""
    ages = [0, 0.001, 0.001, 0.001, 0.001, 59, 60, 60, 61, 3600, 86_400, 86_400 * 400]
    dead = [dead_notification(f"m{number:02}", NOW - timedelta(seconds=age)) for number, age in enumerate(ages)]
    await recording.add(db, [*dead, replace(dead[0], id="alive", dead_at=None)])
    assert [letter.id for letter in await all_letters(db, limit)] == [
        letter.id for letter in sorted(dead, key=lambda letter: (letter.dead_at, letter.id), reverse=True)
    ]


async def test_all_of_them_a_page_at_a_time(demo: ApiClient) -> None:
    """Letters that need force stay behind without blocking the others."""
    unsure = Attempt(0, Progress.UNKNOWN, NOW)
    dead = [dead_notification(f"m{number:03}", NOW, attempts=(unsure,) if number % 2 else ()) for number in range(202)]
    await recording.add(demo.environment.runtime.db, dead)
    first = await replay(demo)
    assert (len(first["deadLetters"]), first["left"]) == (200, 102)
    second = await replay(demo, cursor=first["cursor"])
    assert (len(second["deadLetters"]), second["left"], second["cursor"]) == (2, 101, None)
    results = [outcome["result"] for outcome in first["deadLetters"] + second["deadLetters"]]
    assert (results.count("replayed"), results.count("needsForce")) == (101, 101)


async def test_a_dead_event_is_listed_and_worked_on_anew(demo: ApiClient) -> None:
    name = await add_dead_event(demo.environment.runtime.db, "e1", NOW)
    (letter,) = await letters(demo, kind="events")
    assert (letter["id"], letter["what"], letter["channels"]) == (name, "inbound", ["sms"])
    assert (letter["reason"], letter["tries"]) == ("ZeroDivisionError: by zero", 1)
    assert await letters(demo) == []
    answer = await replay(demo, name, "sms:demo:e2", kind="events")
    assert [outcome["result"] for outcome in answer["deadLetters"]] == ["replayed", "unknown"]
    assert "/stop" in (await demo.answer("sms", 0)).text
    answer = await replay(demo, name, kind="events")
    assert ([outcome["result"] for outcome in answer["deadLetters"]], answer["left"]) == (["notADeadLetter"], 0)
    document = await demo.environment.runtime.db["inbox"].find_one({"_id": name})
    assert document
    assert (document["tries"], "dead_at" in document) == (0, False)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"kind": "letters"}, "kind"),
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": "9" * 5000}, "limit"),
        ({"cursor": ""}, "cursor"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": "ключ"}, "cursor"),
        ({"cursor": "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OSBt"}, "cursor"),
        ({"page": "2"}, "page"),
    ],
)
async def test_a_wrong_query_is_refused_by_field(demo: ApiClient, query: dict[str, str], field: str) -> None:
    status, answer = await get_page(demo, **query)
    assert (status, answer["details"]) == (400, {"code": "invalid", "field": field})


async def test_a_parameter_given_twice_is_refused(demo: ApiClient) -> None:
    async with demo.http.get(f"{LISTED}?limit=1&limit=2") as response:
        assert (response.status, (await response.json())["details"]["field"]) == (400, "limit")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "ids"),
        ({"ids": ["m1"], "all": True}, "ids"),
        ({"ids": []}, "ids"),
        ({"ids": ["m"] * 201}, "ids"),
        ({"ids": [5]}, "ids[0]"),
        ({"ids": ["m1"], "force": "yes"}, "force"),
        ({"ids": ["m1"], "kind": "letters"}, "kind"),
        ({"all": True, "cursor": "nonsense"}, "cursor"),
        ({"id": "m1"}, "id"),
    ],
)
async def test_a_wrong_wish_is_refused_by_field(demo: ApiClient, body: Any, field: str) -> None:
    status, answer = await demo.post(REPLAY, body)
    assert (status, answer["details"]["field"]) == (400, field)


async def test_what_breaks_over_our_own_mistake_comes_back_twice_and_is_then_dead(
    demo: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Channel, content: Content) -> Sequence[Content]:
        raise ZeroDivisionError(content.text)

    channel = type(demo.environment.runtime.channel("sms"))
    with monkeypatch.context() as mistake:
        mistake.setattr(channel, "split", broken)
        key = await demo.send(SMS)
        for mistakes, minutes in ((1, 1), (2, 10)):
            story = await _wait_for_mistakes(demo, key, mistakes)
            assert (story["status"], story["attempts"]) == ("NEW", [])
            demo.pass_time(hours=minutes / 60)
        story = await demo.wait_for(key, "ERROR")
    assert story["reason"] == "a mistake of ours: ZeroDivisionError"
    (letter,) = await letters(demo)
    assert (letter["id"], letter["what"], letter["tries"]) == (key, "ERROR", 3)
    (outcome,) = (await replay(demo, key))["deadLetters"]
    await demo.wait_for(outcome["replayedAs"], "DELIVERED")
    assert await letters(demo) == []


async def _wait_for_mistakes(demo: ApiClient, key: str, times: int) -> Any:
    """Wait until processing has failed so many times and the message waits again. Returns its story."""

    async def has_mistakes() -> bool:
        notification = await notifications.get(demo.environment.runtime.db, key)
        return notification is not None and (notification.mistakes, notification.lease) == (times, None)

    await until(has_mistakes)
    return await demo.story(key)


async def test_the_command_lists_and_replays(demo: ApiClient, cli: CliFixture) -> None:
    nothing = await cli.gateway("dead", "list")
    assert (nothing.code, nothing.out, nothing.err) == (0, "no dead letters\n", "")
    first_key, second_key = await send_refused(demo), await send_refused(demo)
    listing = await cli.gateway("dead", "list")
    newest, oldest = listing.out.splitlines()
    assert (newest.split()[2], oldest.split()[2]) == (second_key, first_key)
    assert "UNDELIVERED  1 tries  sms  sms: " in newest
    listing = await cli.gateway("dead", "list", "--limit", "1")
    assert (listing.out.splitlines(), listing.err) == ([newest], "there are more: --limit shows them\n")
    result = await cli.gateway("dead", "replay", first_key, "m1")
    first, second, last = result.out.splitlines()
    assert (result.code, second, last) == (1, "unknown: m1", "1 replayed, 1 left")
    assert first.startswith("replayed as ")
    assert first.endswith(f": {first_key}")
    result = await cli.gateway("dead", "replay", "--all")
    assert (result.code, result.err, result.out.splitlines()[-1]) == (0, "", "1 replayed, 0 left")
    for line in (first, result.out):
        await demo.wait_for(line.split()[2].rstrip(":"), "DELIVERED")


async def test_the_command_knows_events_and_force(demo: ApiClient, cli: CliFixture) -> None:
    name = await add_dead_event(demo.environment.runtime.db, "e\n1", NOW)
    listing = await cli.gateway("dead", "list", "--events")
    assert len(listing.out.splitlines()) == 1
    assert "inbound  1 tries  sms  ZeroDivisionError: by zero" in listing.out
    result = await cli.gateway("dead", "replay", "--events", name)
    assert (result.code, result.out.splitlines()[-1]) == (0, "1 replayed, 0 left")
    await demo.answer("sms", 0)
    unsure = dead_notification("m1", NOW, attempts=(Attempt(0, Progress.UNKNOWN, NOW),))
    await recording.add(demo.environment.runtime.db, [unsure])
    result = await cli.gateway("dead", "replay", "--all")
    lines = ["needs --force: m1 (sms: it may have been sent)", "0 replayed, 1 left"]
    assert (result.code, result.out.splitlines()) == (1, lines)
    assert (await cli.gateway("dead", "replay", "--all", "--force")).code == 0


@pytest.mark.parametrize("arguments", [(), ("m1", "--all")])
async def test_the_command_wants_ids_or_all(cli: CliFixture, arguments: tuple[str, ...]) -> None:
    result = await cli.gateway("dead", "replay", *arguments)
    assert result.code == 2
    assert "give either IDs, or --all" in result.err


def test_a_letter_tells_the_providers_reasons_and_how_it_ended() -> None:
    steps = tuple(Step(name, content=Content("Hi")) for name in ("telegram", "sms"))
    failed = Attempt(0, Progress.FAILED, NOW, reason="the token is wrong", cause=Cause.MISCONFIGURED)
    dead = Notification("m1", Recipient(), steps, NOW, NOW, attempts=(failed,))
    for text in ("telegram: the token is wrong", "a", "b"):
        dead = dead.saying(NOW, text)
    assert message_letter(dead).why == "telegram: the token is wrong; b"
    assert message_letter(replace(dead, attempts=())).why == "a; b"
