"""Roles: every route is called by every role."""

import re
from typing import Any

import aiohttp
import pytest

from gateway.domain.api.roles import Role
from storage.access import keys
from tests.support.client import ApiClient
from webhooks.app import create_app
from webhooks.http.cookie import PAGES
from webhooks.http.guard import PUBLIC, ROLES

SENDERS = {
    *(
        "messages.send",
        "messages.explain",
        "messages.list_messages",
        "messages.get_message",
        "messages.cancel_messages",
    ),
    *(
        "export.export",
        "links.list_links",
        "links.get_link",
        "optouts.opt_out",
        "optouts.opt_in",
        "optouts.list_opt_outs",
    ),
    *(
        "contacts.join",
        "contacts.find",
        "contacts.get_contact",
        "contacts.change",
        "contacts.renew_code",
        "accounts.list_accounts",
        "auth.logout",
    ),
    *("templates.list_templates", "templates.get_template", "templates.list_versions", "previews.preview_own"),
    *("message_templates.list_templates", "message_templates.get_template", "previews.preview_approved"),
    "metrics.metrics",
    "media.upload",
}
"""Routes for services that send. They may not read chat logs, change templates or create keys."""

OPERATORS = {
    *("contacts.merge", "contacts.list_conversations"),
    *("sessions.list_sessions", "sessions.get_session", "sessions.list_lines"),
    *("sessions.start", "sessions.reply", "sessions.see", "sessions.close", "media.download"),
    *("jobs.create", "jobs.list_jobs", "jobs.get_job", "jobs.delete"),
    *("jobs.start", "jobs.pause", "jobs.resume", "jobs.cancel", "jobs.retry"),
    *("jobs.change", "jobs.reckon"),
    *("rows.add", "rows.list_row_results", "rows.export_refused", "rows.export_results"),
    *("rows.list_files", "rows.drop_file"),
    *("templates.create", "templates.change", "templates.delete"),
    *("message_templates.create", "message_templates.change", "message_templates.delete"),
    *("message_templates.submit", "message_templates.sync", "dead.list_dead_letters", "accounts.try_held"),
    *("previews.preview_unsaved", "previews.preview_draft"),
}
"""Routes for people who talk with people, besides those of the senders."""

ADMINS = {
    *("dead.replay_letters", "keys.list_keys", "keys.create", "keys.revoke", "audit.list_entries"),
    *("users.list_users", "users.create", "users.change", "users.sign_out", "users.delete"),
    *("accounts.bind", "accounts.unbind"),
}
"""Routes for admins only."""


def rules(demo: ApiClient) -> list[Any]:
    """Return the routes that a key opens: those of the pages have a door of their own."""
    routes = create_app(demo.environment.runtime).url_map.iter_rules()
    return [rule for rule in routes if rule.endpoint not in PUBLIC and not rule.endpoint.startswith(f"{PAGES}.")]


def roles_of(endpoint: str) -> set[Role]:
    """Return the roles that may call a route, by the tables above."""
    operators = {Role.OPERATOR} if endpoint in SENDERS | OPERATORS else set[Role]()
    return {Role.ADMIN, *operators, *({Role.SENDER} if endpoint in SENDERS else ())}


async def test_every_route_says_whom_it_is_for(demo: ApiClient) -> None:
    """A new route needs a line in one of the tables, whatever it says itself."""
    views = create_app(demo.environment.runtime).view_functions
    for rule in rules(demo):
        assert {Role.ADMIN, *getattr(views[rule.endpoint], ROLES)} == roles_of(rule.endpoint), rule.endpoint
    assert {rule.endpoint for rule in rules(demo)} == SENDERS | OPERATORS | ADMINS
    assert len(SENDERS | OPERATORS | ADMINS) == len(SENDERS) + len(OPERATORS) + len(ADMINS)


async def test_every_described_route_that_needs_a_key_is_called(demo: ApiClient) -> None:
    async with demo.http.get("/openapi.json") as response:
        paths = (await response.json())["paths"]
    described = {
        (method.upper(), re.sub("{[^}]+}", "*", path))
        for path, methods in paths.items()
        for method, operation in methods.items()
        if operation.get("security") != []
    }
    called = {(method, re.sub("<[^>]+>", "*", rule.rule)) for rule in rules(demo) for method in methods_of(rule)}
    assert described == called - {("GET", "/metrics")}, "metrics are no part of the API"


@pytest.mark.parametrize("role", [*Role, None])
async def test_every_route_asked_by_every_role(demo: ApiClient, role: Role | None) -> None:
    db, now = demo.environment.runtime.db, demo.environment.runtime.clock()
    key = await keys.create_key(db, "one", now, role) if role else "gw_nobody"
    async with aiohttp.ClientSession(demo.environment.url, headers={"Authorization": f"Bearer {key}"}) as http:
        for rule in rules(demo):
            for method in methods_of(rule):
                path = re.sub("<[^>]+>", "x:y:z:en", rule.rule)
                async with http.request(method, path, data=b"{") as response:
                    status = response.status
                expected = 401 if role is None else 403 if role not in roles_of(rule.endpoint) else None
                assert (status == expected) if expected else status not in {401, 403}, (method, path, role, status)


def methods_of(rule: Any) -> set[str]:
    return set(rule.methods or ()) - {"OPTIONS", "HEAD"}


async def test_keys_over_http(demo: ApiClient) -> None:
    status, new_key = await demo.post("/api/v1/keys", {"name": "crm", "role": "operator"})
    assert status == 201
    async with aiohttp.ClientSession(
        demo.environment.url, headers={"Authorization": f"Bearer {new_key['key']}"}
    ) as http:
        async with http.get("/api/v1/sessions") as response:
            assert response.status == 200
        async with http.get("/api/v1/keys") as response:
            assert response.status == 403
    async with demo.http.get("/api/v1/keys") as response:
        all_keys = (await response.json())["keys"]
    crm = next(key for key in all_keys if key["name"] == "crm")
    assert (crm["role"], crm["usedAt"] is not None) == ("operator", True)
    assert new_key["key"] not in str(all_keys)
    async with demo.http.delete("/api/v1/keys", json={"name": "demo"}) as response:
        assert response.status == 409
    for code in (200, 404):
        async with demo.http.delete("/api/v1/keys", json={"name": "crm"}) as response:
            assert response.status == code
