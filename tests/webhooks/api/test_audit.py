"""The audit: each route and each command that acts leaves an entry of who has done what, and none holds a secret."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from gateway.cli import main
from gateway.domain.api.roles import Role
from gateway.domain.model.act import Act
from gateway.people import audit
from gateway.runtime.runtime import Clock
from gateway.runtime.settings.settings import Settings
from storage.access import audit as stored
from storage.access import keys
from storage.access.audit import Filter
from storage.documents.documents import Db
from tests.support.client import ApiClient
from tests.support.jobs import create_job, move
from tests.support.processes.cli import opened_cli
from webhooks.app import create_app
from webhooks.http.audit import ACT
from webhooks.http.guard import PUBLIC
from webhooks.pages.settings.acts import act_word

UNRECORDED = {
    "messages.send": "a message tells its own story, and there are many",
    "messages.explain": "it changes nothing",
    "sessions.see": "to look at something changes nothing",
    "ui.conversations.acts.see": "to look at something changes nothing",
    "auth.logout": "it changes nothing of the gateway's",
    "ui.door.logout": "it changes nothing of the gateway's",
    "jobs.reckon": "it sends nothing",
    "ui.jobs.wizard.reckon": "it sends nothing",
    "previews.preview_unsaved": "it keeps nothing",
    "previews.preview_draft": "it keeps nothing",
    "ui.templates.check": "it keeps nothing",
    "ui.provided.check": "it keeps nothing",
    "ui.nothing": "there is no such page",
}
"""Routes with unsafe methods that leave no entry, and why."""

ACTING = {
    *("dead replay", "keys create", "keys revoke", "templates submit", "templates sync"),
    *("users create", "users delete", "users set-password", "users set-role", "users sign-out"),
    *("webhooks delete", "webhooks set"),
}
"""Commands that leave an entry."""

CALLING = {
    *("cancel", "send", "status", "jobs upload", "jobs refused", "jobs list", "jobs create", "jobs show", "jobs start"),
    *("jobs pause", "jobs resume", "jobs cancel", "jobs retry", "jobs forecast", "jobs results"),
    *("jobs rows", "jobs files", "jobs change", "jobs take-out", "jobs delete"),
}
"""Commands that call a gateway as any service does: its API leaves the entry."""

LOOKING = {
    *("check", "demo", "secret", "serve", "web", "worker"),
    *("dead list", "keys list", "templates list", "users list", "webhooks show"),
}
"""Commands that change nothing, or run the gateway."""


def test_every_route_that_acts_is_recorded() -> None:
    app = create_app()
    acting = {rule.endpoint for rule in app.url_map.iter_rules() if rule.methods and rule.methods - READING} - PUBLIC
    recorded = {endpoint for endpoint, view in app.view_functions.items() if hasattr(view, ACT)}
    assert acting - recorded == set(UNRECORDED)
    assert recorded <= acting


READING = {"GET", "HEAD", "OPTIONS"}


def test_every_command_says_whether_it_acts() -> None:
    assert set(commands(main)) == ACTING | CALLING | LOOKING


def commands(group: click.Group, path: str = "") -> list[str]:
    names = []
    for name, command in group.commands.items():
        whole = f"{path} {name}".strip()
        names += commands(command, whole) if isinstance(command, click.Group) else [whole]
    return names


def test_every_act_has_words_of_its_own() -> None:
    assert len({act_word(act) for act in Act}) == len(Act)


async def entries(demo: ApiClient, **query: str) -> list[Any]:
    async with demo.http.get("/api/v1/audit", params=query) as response:
        assert response.status == 200, await response.text()
        return list((await response.json())["entries"])


async def test_an_act_says_who_did_what_from_where_and_what_has_changed(demo: ApiClient) -> None:
    job = await create_job(demo, ["+79000000002"], name="November mailing")
    await move(demo, job, "start")
    (latest, *_) = await entries(demo)
    assert {name: latest[name] for name in ("who", "door", "address", "act", "target", "name")} == {
        "who": "demo",
        "door": "api",
        "address": "127.0.0.1",
        "act": "job.start",
        "target": job,
        "name": "November mailing",
    }
    assert (latest["before"], latest["after"]["state"]) == ({"state": "draft"}, "running")
    assert [entry["act"] for entry in await entries(demo, target=job)] == ["job.start", "job.addRows", "job.create"]
    assert [entry["act"] for entry in await entries(demo, act="job.create", who="demo")] == ["job.create"]
    assert await entries(demo, who="nobody") == []


async def test_what_failed_or_changed_nothing_leaves_no_entry(demo: ApiClient) -> None:
    assert (await demo.post("/api/v1/jobs", {"name": "A"}))[0] == 400
    assert (await demo.post("/api/v1/jobs/none/start", {}))[0] == 404
    assert (await demo.post("/api/v1/deadLetters/replay", {"all": True}))[0] == 200
    assert await entries(demo) == []


async def test_neither_secrets_nor_texts_are_in_the_audit(demo: ApiClient) -> None:
    status, key = await demo.post("/api/v1/keys", {"name": "crm", "role": "operator"})
    user = {"email": "Olga@Shop.example", "password": "a long password", "role": "operator"}
    assert (status, (await demo.post("/api/v1/users", user))[0]) == (201, 201)
    await demo.post("/api/v1/optOuts", {"phone": "+79000000009", "reason": "she has said so by phone"})
    await demo.post("/api/v1/templates", {"id": "x", "name": "X", "channels": [{"channel": "sms", "text": "Secret"}]})
    written = await entries(demo)
    acts = ["template.create", "optOut.add", "user.create", "key.create"]
    assert [(entry["act"], entry["after"]) for entry in written] == list(
        zip(acts, [{"version": "1"}, {"kind": "marketing"}, {"role": "operator"}, {"role": "operator"}], strict=True)
    )
    assert not any(word in str(written) for word in (key["key"], "a long password", "said so by phone", "Secret"))


async def test_services_that_send_do_not_fill_the_audit(demo: ApiClient) -> None:
    runtime = demo.environment.runtime
    key = await keys.create_key(runtime.db, "shop", runtime.clock(), Role.SENDER)
    assert (await demo.post("/api/v1/contacts", {"phone": "+79000000001"}, Authorization=f"Bearer {key}"))[0] == 200
    assert await entries(demo) == []


async def test_what_is_wanted_by_several_names_is_looked_for_page_by_page(
    demo: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "BATCH", 2)
    monkeypatch.setattr(stored, "LOOKED_AT", 4)
    db, now = demo.environment.runtime.db, demo.environment.runtime.clock()
    for number in range(9):
        act = Act.JOB_START if number % 4 == 0 else Act.JOB_PAUSE
        actor = audit.Actor("Olga" if number else "Boris", "api")
        await audit.record(db, actor, audit.Deed(act, str(number)), now + timedelta(seconds=number - 60))
    targets: list[list[str]] = []
    more: dict[str, str] = {}
    while not targets or more:
        async with demo.http.get("/api/v1/audit", params={"who": "Olga", "act": "job.start", **more}) as response:
            page = await response.json()
        targets.append([entry["target"] for entry in page["entries"]])
        more = {"cursor": page["cursor"]} if page["cursor"] else {}
    assert targets == [["8"], ["4"], []]


async def test_the_longest_names_are_cut(demo: ApiClient) -> None:
    runtime = demo.environment.runtime
    deed = audit.Deed(Act.JOB_CREATE, "t" * 5000, "n" * 5000, {"state": "a" * 5000}, {"state": "b" * 5000})
    await audit.record(runtime.db, audit.Actor("w" * 5000, "api", "a" * 5000), deed, runtime.clock())
    (entry,) = await entries(demo)
    assert {len(entry[name]) for name in ("who", "address", "target", "name")} == {audit.LONGEST}
    assert len(entry["before"]["state"]) == audit.LONGEST


async def test_what_is_done_in_the_shell_is_recorded(tmp_path: Path, settings: Settings, db: Db) -> None:
    async with opened_cli(tmp_path, settings) as cli:
        for line in ("keys create shop", "keys revoke shop", "webhooks set sms:main", "webhooks delete"):
            result = await cli.gateway(*line.split())
            assert result.code == 0, (line, result.err)
    written, _ = await stored.page(db, Filter(), None, Clock()(), 10)
    assert [(entry.door, entry.act.value, entry.target) for entry in written] == [
        ("shell", "account.unbind", "sms:main"),
        ("shell", "account.bind", "sms:main"),
        ("shell", "key.revoke", "shop"),
        ("shell", "key.create", "shop"),
    ]
    assert all(entry.who and entry.address for entry in written)


@pytest.mark.parametrize("query", ["act=nothing", "who=", "limit=0", "cursor=x", "from=2026-01-01"])
async def test_a_query_that_is_none_is_refused(demo: ApiClient, query: str) -> None:
    async with demo.http.get(f"/api/v1/audit?{query}") as response:
        assert response.status == 400
