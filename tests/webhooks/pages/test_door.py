"""The pages' door: who comes in by it, what a form has to bring, and what it does not open."""

from datetime import timedelta
from itertools import product

import pytest

from gateway.domain.api.roles import Role
from storage.access import keys, users
from tests.support.client import ApiClient
from tests.webhooks.pages.conftest import ADMIN, OPERATOR
from tests.webhooks.pages.places import FOR_ADMINS, NO_PAGES, PLACES
from tests.webhooks.pages.visitor import PASSWORD, Visitor, add_user
from webhooks.app import create_app
from webhooks.http.guard import PUBLIC
from webhooks.pages.address import page_of

SENDER = "shop@shop.example"
BY_PAGE = {name for name in PLACES.keys() | NO_PAGES.keys() if name not in PUBLIC}
FORMS = {
    rule.rule
    for rule in create_app().url_map.iter_rules()
    if rule.endpoint.startswith("ui.") and "POST" in (rule.methods or ()) and rule.endpoint not in PUBLIC
}


async def test_a_page_opens_for_operators_and_admins_only(demo: ApiClient, visitor: Visitor) -> None:
    runtime = demo.environment.runtime
    await add_user(demo, SENDER, Role.SENDER)
    await add_user(demo, ADMIN, Role.ADMIN)
    addresses = {await make(demo): name in FOR_ADMINS for name, make in PLACES.items() if name in BY_PAGE}
    key = await keys.create_key(runtime.db, "shop", runtime.clock(), Role.ADMIN)
    assert (await visitor.get("/ui")).address == "/ui/overview"
    async with Visitor.of(demo) as stranger, Visitor.of(demo) as sender, Visitor.of(demo) as admin:
        assert (await stranger.get("/ui")).address.startswith("/ui/login")
        assert (await sender.sign_in(SENDER)).status == 403
        assert (await admin.sign_in(ADMIN)).status == 200
        for address, for_admins in addresses.items():
            assert (await admin.get(address)).status in {200, 404}
            assert (await visitor.get(address)).status in ({403} if for_admins else {200, 404}), address
            assert (await sender.get(address)).status == 403
            for headers in ({}, {"Authorization": f"Bearer {key}"}, {"Cookie": f"gateway={key}"}):
                answer = await stranger.get(address, **headers)
                assert answer.address.startswith("/ui/login"), (address, headers)


async def test_the_cookie_opens_no_api(demo: ApiClient, visitor: Visitor) -> None:
    cookie = next(each.value for each in visitor.http.cookie_jar if each.key == "gateway")
    assert (await visitor.get("/api/v1/messages")).status == 401
    async with visitor.http.get("/api/v1/messages", headers={"Authorization": f"Bearer {cookie}"}) as response:
        assert response.status == 401


async def test_a_form_is_ours_or_nothing_happens(visitor: Visitor) -> None:
    token = str((await visitor.get("/ui/messages")).form("/logout").select("[name=form_token]")[0]["value"])
    cases: tuple[tuple[dict[str, str], dict[str, str]], ...] = (
        ({}, {}),
        ({"form_token": "0" * 64}, {}),
        ({"form_token": token}, {"Sec-Fetch-Site": "cross-site"}),
        ({"form_token": token}, {"Sec-Fetch-Site": "same-site"}),
        ({"form_token": token}, {"Sec-Fetch-Site": "", "Origin": "https://elsewhere.example"}),
        ({"form_token": token}, {"Sec-Fetch-Site": "", "Origin": ""}),
        ({"form_token": token}, {"Sec-Fetch-Site": "", "Origin": "null"}),
    )
    for address, (fields, headers) in product(map(filled, sorted(FORMS)), cases):
        answer = await visitor.post(address, dict(fields), **headers)
        assert (answer.status, "does not come from these pages" in answer.words) == (403, True), (address, headers)
    assert (await visitor.get("/ui/messages")).address == "/ui/messages", "still signed in"


def filled(rule: str) -> str:
    """Return an address of a route: something stands in each place of the rule."""
    for part in ("<message:key>", "<session:key>", "<path:rest>", "<message_template:key>", "<key>", "<name>"):
        rule = rule.replace(part, "x:y")
    return rule.replace("<any(pause, resume, retry):verb>", "pause")


def test_what_a_form_shows_again_has_an_address_where_it_can_be_read() -> None:
    routes = create_app().url_map
    pages = {rule: page_of(routes, rule).endpoint for rule in FORMS}
    no_pages = {rule for rule, endpoint in pages.items() if endpoint not in PLACES}
    assert no_pages == {"/ui/logout"}, "it shows nothing again"


async def test_who_signs_out_is_out_with_every_token(demo: ApiClient, visitor: Visitor) -> None:
    before = next(each.value for each in visitor.http.cookie_jar if each.key == "gateway")
    out = await visitor.send((await visitor.get("/ui/messages")).form("/logout"))
    assert out.address == "/ui/login"
    async with Visitor.of(demo) as thief:
        assert (await thief.get("/ui/messages", Cookie=f"gateway={before}")).address.startswith("/ui/login")


async def test_a_new_password_ends_the_pages(demo: ApiClient, visitor: Visitor) -> None:
    await users.set_password(demo.environment.runtime.db, OPERATOR, "another hash")
    assert (await visitor.get("/ui/messages")).address == "/ui/login?next=/ui/messages"


async def test_a_page_that_is_used_stays_open_for_a_week(demo: ApiClient, visitor: Visitor) -> None:
    clock = demo.environment.runtime.clock
    for _ in range(14):
        clock.ahead += timedelta(hours=11, minutes=59)
        assert (await visitor.get("/ui/messages")).address == "/ui/messages"
    clock.ahead += timedelta(minutes=30)
    assert (await visitor.get("/ui/messages")).address.startswith("/ui/login"), "seven days are over"


async def test_a_page_that_nobody_uses_closes(demo: ApiClient, visitor: Visitor) -> None:
    demo.environment.runtime.clock.ahead += timedelta(hours=12, minutes=1)
    assert (await visitor.get("/ui/messages")).address.startswith("/ui/login")


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/ui/messages?status=SENT", "/ui/messages?status=SENT"),
        ("https://elsewhere.example/ui/", "/ui/overview"),
        ("//elsewhere.example/ui/", "/ui/overview"),
        ("/\\elsewhere.example", "/ui/overview"),
        ("/ui/\\elsewhere.example", "/ui/overview"),
        ("/api/v1/messages", "/ui/overview"),
        ("/ui/logout", "/ui/overview"),
        ("http://[", "/ui/overview"),
        ("/ui/\r\nX: y", "/ui/overview"),
    ],
)
async def test_signing_in_leads_to_a_page_of_ours(demo: ApiClient, wanted: str, reached: str) -> None:
    await add_user(demo, OPERATOR)
    async with Visitor.of(demo) as visitor:
        fields = {"email": f" {OPERATOR.title()} ", "password": PASSWORD, "next": wanted}
        assert (await visitor.post("/ui/login", fields)).address == reached


async def test_a_wrong_password_is_told_and_too_many_are_refused(demo: ApiClient) -> None:
    await add_user(demo, OPERATOR)
    async with Visitor.of(demo) as visitor:
        wrong = await visitor.sign_in(OPERATOR, "not this one")
        unknown = await visitor.sign_in("nobody@shop.example", "not this one")
        assert (wrong.status, unknown.status) == (403, 403)
        assert "The e-mail or the password is wrong." in wrong.words
        assert wrong.words == unknown.words
        for _ in range(9):
            await visitor.sign_in(OPERATOR, "not this one")
        late = await visitor.sign_in(OPERATOR)
        assert (late.status, "again in 15 minutes" in late.words) == (429, True)


async def test_an_answer_is_kept_by_nobody_and_loads_nothing_of_others(visitor: Visitor) -> None:
    headers = (await visitor.get("/ui/messages")).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert headers["X-Content-Type-Options"] == "nosniff"
    cookie = next(each for each in visitor.http.cookie_jar if each.key == "gateway")
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
