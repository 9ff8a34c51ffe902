"""Tests users: login, tokens that expire, rate-limited tries, and the commands that create users."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from argon2 import PasswordHasher
from msgspec.structs import replace

from gateway.domain.api.roles import Role
from gateway.people import access
from gateway.runtime.settings.tuning import Tuning
from storage.access import users
from storage.access.users import Token
from storage.documents.documents import Db
from tests.support.client import ApiClient
from tests.support.http.stranger import Stranger
from tests.support.processes.cli import opened_cli
from tests.support.processes.commands import CommandResult, environment
from tests.support.workload import advance_clock

EMAIL, PASSWORD = "Anna@shop.ru", "correct horse battery"


async def create_user(demo: ApiClient, role: Role = Role.OPERATOR, email: str = EMAIL) -> None:
    assert await access.create_user(
        demo.environment.runtime.db, email, PASSWORD, role, demo.environment.runtime.clock()
    )


async def post(demo: ApiClient, path: str, token: str = "", **body: Any) -> tuple[int, Any, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        aiohttp.ClientSession(demo.environment.url, headers=headers) as http,
        http.post(f"/api/v1/auth/{path}", json=body) as response,
    ):
        return response.status, await response.json(), response.headers


async def login(demo: ApiClient, email: str = EMAIL, password: str = PASSWORD, **fields: Any) -> tuple[int, Any, Any]:
    return await post(demo, "login", email=email, password=password, **fields)


async def status(demo: ApiClient, token: str, path: str = "/api/v1/sessions") -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(demo.environment.url, headers=headers) as http, http.get(path) as response:
        return response.status, await response.json()


async def test_a_refresh_token_that_is_used_twice_at_the_same_moment_ends_all(demo: ApiClient) -> None:
    """One of the two requests may be a thief's, and nobody knows which."""
    await create_user(demo)
    for _ in range(3):
        _, tokens, _ = await login(demo)
        refreshes = await asyncio.gather(
            *(post(demo, "refresh", refreshToken=tokens["refreshToken"]) for _ in range(4))
        )
        for _, new, _ in refreshes:
            assert "token" not in new or (await status(demo, new["token"]))[0] == 401


async def test_a_password_for_tokens_that_end(demo: ApiClient) -> None:
    await create_user(demo)
    clock, hour = demo.environment.runtime.clock, timedelta(hours=1)
    before = clock()
    code, tokens, headers = await login(demo, " anna@SHOP.ru ")
    ends_at = datetime.fromisoformat(tokens["expiresAt"])
    assert before + hour <= ends_at <= clock() + hour
    assert (code, headers["Cache-Control"]) == (200, "no-store")
    assert (await status(demo, tokens["token"]))[0] == 200
    assert (await status(demo, tokens["refreshToken"]))[0] == 401
    clock.ahead += ends_at - timedelta(minutes=1) - clock()
    assert (await status(demo, tokens["token"]))[0] == 200
    clock.ahead += ends_at - clock()
    assert await status(demo, tokens["token"]) == (401, {"error": "Token is expired.", "details": guard_message()})
    assert (await status(demo, "gt_wrong"))[1]["error"] == "A valid API key is needed."


def guard_message() -> str:
    return "Authorization: Bearer <key>; make one with: gateway keys create"


@pytest.mark.parametrize(("ttl", "code"), [(60, 200), (43_200, 200), (59, 400), (43_201, 400)])
async def test_how_long(demo: ApiClient, ttl: int, code: int) -> None:
    await create_user(demo)
    assert (await login(demo, ttl=ttl))[0] == code


async def test_wrong_ones_hear_the_same(demo: ApiClient) -> None:
    await create_user(demo)
    answers = [(await login(demo, email, password))[:2] for email, password in ((EMAIL, "wrong"), ("x@y.ru", PASSWORD))]
    assert answers[0] == answers[1]
    assert answers[0][0] == 401


async def test_a_refresh_token_works_once_and_a_stolen_one_ends_all(demo: ApiClient) -> None:
    await create_user(demo)
    first = (await login(demo))[1]
    code, second, _ = await post(demo, "refresh", refreshToken=first["refreshToken"])
    assert (code, (await status(demo, second["token"]))[0]) == (200, 200)
    assert (await post(demo, "refresh", refreshToken=first["refreshToken"]))[0] == 401
    for token in (first["token"], second["token"]):
        assert (await status(demo, token))[0] == 401
    assert (await post(demo, "refresh", refreshToken=second["refreshToken"]))[0] == 401


async def test_ten_who_refresh_at_once(demo: ApiClient) -> None:
    await create_user(demo)
    first = (await login(demo))[1]
    answers = await asyncio.gather(*(post(demo, "refresh", refreshToken=first["refreshToken"]) for _ in range(10)))
    assert sum(code == 200 for code, _, _ in answers) <= 1


async def test_an_old_refresh_token(demo: ApiClient) -> None:
    await create_user(demo)
    first = (await login(demo))[1]
    advance_clock(demo, days=30, seconds=1)
    code, response, _ = await post(demo, "refresh", refreshToken=first["refreshToken"])
    assert (code, response["error"]) == (401, "Token is expired.")


async def test_signing_out_a_new_password_and_going_away_end_what_there_is(demo: ApiClient) -> None:
    await create_user(demo)
    db = demo.environment.runtime.db
    for end in ("out", "password", "delete"):
        token = (await login(demo))[1]["token"]
        if end == "out":
            assert (await post(demo, "logout", token))[1] == {"signedOut": True}
        elif end == "password":
            await users.set_password(db, EMAIL.lower(), await access.hash_password(PASSWORD))
        else:
            await users.delete_user(db, EMAIL.lower())
        assert (await status(demo, token))[0] == 401, end


RIGHT, WRONG = True, False
DAYS: dict[str, list[tuple[int, bool, int, int]]] = {
    "good sign-ins lock nobody out": [(0, RIGHT, 11, 200)],
    "a good one forgives the wrong ones before it": [(0, WRONG, 9, 401), (1, RIGHT, 1, 200), (2, WRONG, 9, 401)],
    "a quarter of an hour counts from its first try, and refused tries make it no longer": [
        (0, WRONG, 1, 401),
        (14, WRONG, 9, 401),
        (14, RIGHT, 5, 429),
        (15, RIGHT, 1, 200),
    ],
}
"""Days of one user: the minute, whether the password is right, how many tries there are, and what each is answered."""


@pytest.mark.parametrize("day", DAYS.values(), ids=list(DAYS))
async def test_a_day_of_signing_in(demo: ApiClient, day: list[tuple[int, bool, int, int]]) -> None:
    await create_user(demo)
    now = 0
    for minute, right, times, code in day:
        advance_clock(demo, minutes=minute - now)
        now = minute
        codes = [(await login(demo, password=PASSWORD if right else "wrong"))[0] for _ in range(times)]
        assert codes == [code] * times, minute


async def test_tries_as_one_user_lock_out_no_other(demo: ApiClient) -> None:
    """Whoever tries as Anna locks nobody else out."""
    await create_user(demo)
    await create_user(demo, email="boris@shop.ru")
    codes = [(await login(demo, password="wrong"))[0] for _ in range(access.OF_ONE + 1)]
    assert codes[-1] == 429
    assert (await login(demo, "boris@shop.ru"))[0] == 200


async def test_tries_are_counted_for_a_user_and_for_an_address(demo: ApiClient) -> None:
    await create_user(demo)
    for _ in range(access.OF_ONE):
        assert (await login(demo, password="wrong"))[0] == 401
    code, _, headers = await login(demo)
    assert (code, headers["Retry-After"]) == (429, "900")
    advance_clock(demo, minutes=16)
    assert (await login(demo))[0] == 200
    runtime = demo.environment.runtime
    runtime.settings = replace(runtime.settings, tuning=Tuning(login_tries=5))
    codes = [(await login(demo, f"{number}@shop.ru"))[0] for number in range(6)]
    assert codes[-1] == 429
    assert codes[0] == 401


async def test_the_address_behind_our_own_proxies(demo: ApiClient) -> None:
    """A caller that sets the header itself gains nothing."""
    runtime = demo.environment.runtime
    for proxies, codes in ((0, [401, 401, 429, 429]), (1, [401, 401, 401, 401])):
        runtime.settings = replace(runtime.settings, proxies=proxies, tuning=Tuning(login_tries=2))
        received_codes = []
        for number in range(4):
            body = {"email": f"{number}{proxies}@shop.ru", "password": "wrong"}
            headers = {"X-Forwarded-For": f"1.1.1.1, 10.0.0.{number}"}
            async with (
                aiohttp.ClientSession(demo.environment.url, headers=headers) as http,
                http.post("/api/v1/auth/login", json=body) as response,
            ):
                received_codes.append(response.status)
        assert received_codes == codes


async def test_a_proxy_may_add_a_line_of_its_own_to_the_header(demo: ApiClient) -> None:
    """Otherwise callers would choose the address by which their tries are counted."""
    runtime, caller = demo.environment.runtime, Stranger(demo.environment.url)
    runtime.settings = replace(runtime.settings, proxies=1, tuning=Tuning(login_tries=2))
    codes = []
    for number in range(4):
        body = f'{{"email": "{number}@shop.ru", "password": "wrong"}}'
        lines = f"X-Forwarded-For: 10.0.0.{number}\r\nX-Forwarded-For: 7.7.7.7\r\nContent-Length: {len(body)}\r\n"
        head = f"POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{lines}\r\n"
        codes.append((await caller.ask_raw((head + body).encode()))[:12])
    assert codes == [b"HTTP/1.1 401", b"HTTP/1.1 401", b"HTTP/1.1 429", b"HTTP/1.1 429"]


@pytest.mark.parametrize("end", ["password", "delete"])
async def test_a_sign_in_under_way_does_not_outlive_what_it_signed_in_by(
    demo: ApiClient, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    await create_user(demo)
    db, add_tokens = demo.environment.runtime.db, users.add_tokens

    async def change_and_add(db: Db, *tokens: Token) -> None:
        if end == "password":
            await users.set_password(db, EMAIL.lower(), await access.hash_password("another password"))
        else:
            await users.delete_user(db, EMAIL.lower())
        await add_tokens(db, *tokens)

    monkeypatch.setattr(users, "add_tokens", change_and_add)
    assert (await login(demo))[0] == 401
    assert await db["tokens"].count_documents({}) == 0


async def test_nothing_of_a_password_or_token_is_stored(demo: ApiClient) -> None:
    await create_user(demo)
    tokens = (await login(demo))[1]
    db = demo.environment.runtime.db
    documents = str([[document async for document in db[name].find()] for name in ("users", "tokens", "logins")])
    for secret in (PASSWORD, tokens["token"], tokens["refreshToken"]):
        assert secret not in documents
    assert "argon2id" in documents


async def test_a_hash_of_an_older_strength_is_renewed_at_the_next_sign_in_and_not_again(demo: ApiClient) -> None:
    await create_user(demo)
    users = demo.environment.runtime.db["users"]
    weak = PasswordHasher(time_cost=1).hash(PASSWORD)
    await users.update_one({"_id": EMAIL.lower()}, {"$set": {"password": weak}})
    stored = list[str]()
    for _ in range(2):
        assert (await login(demo))[0] == 200
        stored += [user["password"] async for user in users.find({"_id": EMAIL.lower()})]
    assert stored[0] == stored[1] != weak


async def test_the_commands(tmp_path: Path, demo: ApiClient) -> None:
    async with opened_cli(tmp_path, demo.environment.runtime.settings) as cli:

        async def command(*arguments: str, typed: str = f"{PASSWORD}\n") -> CommandResult:
            process = await asyncio.create_subprocess_exec(
                "bash",
                "-c",
                'printf %s "$0" | exec gateway "$@"',
                typed,
                *arguments,
                cwd=tmp_path,
                env=environment(**cli.environment),
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
            output, err = await asyncio.wait_for(process.communicate(), timedelta(seconds=60).total_seconds())
            return CommandResult(process.returncode, output.decode(), err.decode())

        create = ("users", "create", EMAIL, "--role", "operator", "--password-stdin")
        assert (await command(*create)).code == 0
        assert (await command(*create)).code == 1
        assert (await command(*create, typed="short\n")).code == 2
        assert (await login(demo))[0] == 200
        listing = (await command("users", "list")).out
        assert "operator  anna@shop.ru" in listing
        assert (await command("users", "set-password", EMAIL, "--password-stdin", typed="another password\n")).code == 0
        assert (await login(demo))[0] == 401
        assert (await command("users", "delete", EMAIL)).code == 0
        assert (await command("users", "delete", EMAIL)).code == 1
