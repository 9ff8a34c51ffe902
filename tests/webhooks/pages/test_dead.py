"""Dead letters as people mend them: by their causes and one by one, replayed by admins and seen by operators."""

import pytest
from bs4 import Tag

from gateway.messages.archive.dead_letters import alike
from gateway.runtime.paging import MOST
from tests.support.client import PHONE, ApiClient
from tests.webhooks.pages.visitor import Answer, Visitor

SMS = {"channel": "sms", "text": "Your order has been sent."}
NO_MOBILE, NO_PERMISSION = 21614, 21408


async def fail(demo: ApiClient, *codes: int) -> list[str]:
    """Let a message fail by each of these errors of the provider. Returns their ids."""
    keys = []
    for code in codes:
        demo.environment.simulators["sms"].faults.fail(code)
        keys.append(await demo.send(SMS))
        await demo.wait_for(keys[-1], "UNDELIVERED")
    return keys


def causes(shown: Answer) -> list[tuple[str, str]]:
    """Return each cause on a page with its count."""
    return [
        (line.select(".why span")[0].text, line.select("b.figure")[0].text) for line in shown.html.select(".causes li")
    ]


def form_of(shown: Answer, cause: str) -> Tag:
    (form,) = [form for form in shown.html.select(".causes form") if form.select("[name=cause]")[0]["value"] == cause]
    return form


async def test_all_with_a_reason_are_replayed_and_the_others_stay(demo: ApiClient, admin: Visitor) -> None:
    failed = await fail(demo, NO_MOBILE, NO_PERMISSION, NO_MOBILE)
    shown = await admin.get("/ui/dead")
    (frequent, two), (rare, one) = causes(shown)
    assert (two, one) == ("2", "1")
    assert shown.words.count("correct the number; retry does not help") == 2, "as the job says it"
    done = await admin.send(form_of(shown, frequent))
    assert done.html.select("main .note")[0].get_text(" ", strip=True) == "2 replayed"
    assert causes(done) == [(rare, "1")]
    for key in (failed[0], failed[2]):
        replayed = (await demo.story(key))["decisions"][-1]["text"]
        await demo.wait_for(replayed.removeprefix("replayed as "), "DELIVERED")
    again = await admin.send(form_of(shown, frequent))
    assert again.html.select("main .note")[0].get_text(" ", strip=True) == "0 replayed"


async def test_some_are_ticked_and_replayed(demo: ApiClient, admin: Visitor) -> None:
    first, second = await fail(demo, NO_MOBILE, NO_MOBILE)
    shown = await admin.get("/ui/dead")
    (table,) = [form for form in shown.html.find_all("form") if form.find("table")]
    token = str(table.select("[name=form_token]")[0]["value"])
    none = await admin.post("/ui/dead/replay", {"form_token": token, "kind": "messages"})
    assert (none.status, "Tick what is to be replayed." in none.words) == (400, True)
    done = await admin.post("/ui/dead/replay", {"form_token": token, "kind": "messages", "id": first})
    assert ("1 replayed" in done.words, first in done.words, second in done.words) == (True, False, True)
    twice = await admin.post("/ui/dead/replay", {"form_token": token, "kind": "messages", "id": first})
    assert "1 no dead letter any more" in twice.words


async def test_an_operator_sees_them_and_cannot_replay(demo: ApiClient, visitor: Visitor) -> None:
    (key,) = await fail(demo, NO_MOBILE)
    shown = await visitor.get("/ui/dead")
    assert key in shown.words
    assert [form for form in shown.html.select("main form") if form.select("button")] == []
    token = str(shown.form("/logout").select("[name=form_token]")[0]["value"])
    assert (await visitor.post("/ui/dead/replay", {"form_token": token, "kind": "messages", "id": key})).status == 403


async def test_each_kind_has_its_list(visitor: Visitor) -> None:
    for kind in ("messages", "events", "callbacks"):
        shown = await visitor.get(f"/ui/dead?kind={kind}")
        assert (shown.status, "Nothing has failed that you could mend." in shown.words) == (200, True)
    assert (await visitor.get("/ui/dead?kind=letters")).status == 400
    assert (await visitor.get("/ui/dead?result=replayed.x,lost.7,replayed.999999999999")).status == 200


async def test_a_cause_of_more_than_a_page_goes_on_where_it_stopped(demo: ApiClient, admin: Visitor) -> None:
    (key,) = await fail(demo, NO_MOBILE)
    runtime = demo.environment.runtime
    document = await runtime.db["notifications"].find_one({"_id": key})
    assert document
    copies = [{**document, "_id": f"copy-{number:03}"} for number in range(MOST)]
    await runtime.db["notifications"].insert_many(copies)
    shown = await admin.get("/ui/dead")
    ((cause, count),) = causes(shown)
    assert count == str(MOST + 1)
    first = await admin.send(form_of(shown, cause))
    assert f"{MOST} replayed" in first.words
    (note,) = first.html.select("main .note")
    (form,) = note.find_all("form")
    assert "1 replayed" in (await admin.send(form)).words
    assert causes(await admin.get("/ui/dead")) == []


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        (f"sms: 21614: {PHONE} is no mobile number", "sms: 21614: … is no mobile number"),
        ("order 0123456789abcdef0123 is gone", "order … is gone"),
        ("tried 5 times", "tried 5 times"),
        ("x" * 1000, "x" * 300),
    ],
)
def test_letters_that_failed_alike_have_the_same_cause(reason: str, cause: str) -> None:
    assert alike(reason) == cause
