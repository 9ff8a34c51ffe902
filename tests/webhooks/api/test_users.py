"""The people who sign in, over HTTP and by the client: admins make, change and delete them, and one admin stays."""

import asyncio
from typing import Any

import pytest

from gateway.client import Gateway, GatewayError, Role
from gateway.people import users as people
from storage.access import users
from tests.support.client import ApiClient

PASSWORD = "correct horse battery"


async def create(demo: ApiClient, email: str, role: str = "operator") -> None:
    user = {"email": email, "password": PASSWORD, "role": role}
    status, answer = await demo.post("/api/v1/users", user)
    assert status == 201, answer


async def sign_in(demo: ApiClient, email: str, password: str = PASSWORD) -> Any:
    return await demo.post("/api/v1/auth/login", {"email": email, "password": password})


async def status_with(demo: ApiClient, token: str, path: str = "/api/v1/sessions") -> int:
    headers = {"Authorization": f"Bearer {token}"}
    async with demo.http.get(path, headers=headers) as response:
        return response.status


async def change(demo: ApiClient, email: str, **fields: str) -> tuple[int, Any]:
    async with demo.http.patch(f"/api/v1/users/{email}", json=fields) as response:
        return response.status, await response.json()


async def delete(demo: ApiClient, email: str) -> int:
    async with demo.http.delete(f"/api/v1/users/{email}") as response:
        return response.status


async def test_a_user_who_was_made_signs_in_by_any_spelling_of_the_address(demo: ApiClient) -> None:
    await create(demo, "Olga@Shop.example")
    assert (await demo.post("/api/v1/users", {"email": "olga@shop.example", "password": PASSWORD, "role": "admin"}))[
        0
    ] == 409
    status, tokens = await sign_in(demo, "OLGA@shop.example")
    assert (status, await status_with(demo, tokens["token"])) == (200, 200)
    async with demo.http.get("/api/v1/users") as response:
        (user,) = (await response.json())["users"]
    assert (user["email"], user["role"], set(user)) == (
        "olga@shop.example",
        "operator",
        {"email", "role", "createdAt"},
    )


@pytest.mark.parametrize("fields", [{"role": "sender"}, {"password": "another long password"}])
async def test_a_change_ends_every_sign_in(demo: ApiClient, fields: dict[str, str]) -> None:
    await create(demo, "olga@shop.example")
    token = (await sign_in(demo, "olga@shop.example"))[1]["token"]
    assert (await change(demo, "olga@shop.example", **fields))[0] == 200
    assert await status_with(demo, token) == 401
    again = (await sign_in(demo, "olga@shop.example", fields.get("password", PASSWORD)))[1]["token"]
    assert await status_with(demo, again) == (403 if "role" in fields else 200)


async def test_the_last_admin_stays(demo: ApiClient) -> None:
    await create(demo, "anna@shop.example", "admin")
    await create(demo, "boris@shop.example", "admin")
    assert await delete(demo, "boris@shop.example") == 200
    status, answer = await change(demo, "anna@shop.example", role="operator")
    assert (status, answer["details"]) == (409, {"field": "role"})
    assert await delete(demo, "anna@shop.example") == 409
    assert (await sign_in(demo, "anna@shop.example"))[0] == 200
    assert (await change(demo, "anna@shop.example", role="admin"))[0] == 200, "it is what she is"


async def test_of_two_admins_who_are_deleted_at_the_same_moment_one_stays(demo: ApiClient) -> None:
    await create(demo, "anna@shop.example", "admin")
    await create(demo, "boris@shop.example", "admin")
    db = demo.environment.runtime.db
    await asyncio.gather(
        *(people.delete(db, f"{name}@shop.example") for name in ("anna", "boris")), return_exceptions=True
    )
    assert Role.ADMIN in [user.role for user in await users.list_users(db)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "olga"),
        ("email", "olga@shop@example"),
        ("email", "olga /@shop"),
        ("email", "o" * 250 + "@shop.example"),
        ("password", "short"),
        ("password", "p" * 1025),
        ("role", "boss"),
    ],
)
async def test_a_mistake_is_told_at_its_field(demo: ApiClient, field: str, value: str) -> None:
    user = {"email": "olga@shop.example", "password": PASSWORD, "role": "operator", field: value}
    status, answer = await demo.post("/api/v1/users", user)
    assert (status, answer["details"]["field"]) == (400, field)


async def test_the_client_keeps_users(demo: ApiClient) -> None:
    async with Gateway(demo.environment.url, demo.environment.key) as gateway:
        await gateway.create_user("igor@shop.example", PASSWORD, Role.OPERATOR)
        changed = await gateway.change_user("igor@shop.example", role=Role.SENDER)
        assert [user.role for user in await gateway.users()] == [changed.role] == [Role.SENDER]
        tokens = (await sign_in(demo, "igor@shop.example"))[1]
        await gateway.end_sign_ins("Igor@shop.example")
        assert await status_with(demo, tokens["token"]) == 401
        await gateway.delete_user("igor@shop.example")
        assert await gateway.users() == []
        with pytest.raises(GatewayError) as gone:
            await gateway.delete_user("igor@shop.example")
    assert gone.value.status == 404
