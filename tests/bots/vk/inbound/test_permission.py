"""Whether a person allows messages is what they said last, also where VK gives its events no ids."""

import json

from storage.people import sessions
from tests.support.client import ApiClient, until


async def test_allowed_denied_and_allowed_again_is_allowed(demo: ApiClient) -> None:
    account = demo.environment.runtime.settings.accounts["vk"]["demo"]
    body = {"group_id": account.group_id, "secret": account.secret.reveal(), "object": {"user_id": 5550001, "key": ""}}
    for kind, is_blocked in (("message_allow", False), ("message_deny", True), ("message_allow", False)):
        async with demo.http.post("/webhooks/vk/demo", data=json.dumps({**body, "type": kind})) as response:
            assert await response.text() == "ok"
        await until_blocked(demo, is_blocked=is_blocked)


async def until_blocked(demo: ApiClient, *, is_blocked: bool) -> None:
    """Wait until all events are worked off. The person's session is blocked then, or it is not."""
    runtime = demo.environment.runtime

    async def idle() -> bool:
        return not await runtime.db["inbox"].find_one({"due_at": {"$exists": True}})

    await until(idle)
    session = await sessions.get(runtime.db, "vk:demo:5550001")
    assert bool(session and session.blocked_at) is is_blocked
