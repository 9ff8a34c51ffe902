"""Tests events that are no messages to us: opened chats, and echoes of messages sent in our name."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import pytest

from gateway.conversations import inbound
from gateway.domain.model.event import Echo, Person, Receipt, Visit
from gateway.domain.model.identifier import identifier
from gateway.domain.model.nouns import Address, Content, Message, Progress
from gateway.runtime.runtime import Runtime, opened
from gateway.runtime.settings.settings import Settings
from storage.documents.documents import from_document
from storage.messages import chat_log
from storage.people import contacts, sessions

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANNA = Address("vk", "shop", "7001")
KEY = "vk:shop:7001/5"
OURS = Message(KEY, ANNA.key, outbound=True, at=AT, content=Content("Ours"), notification="n1")
ECHO = Echo(ANNA, "e1", "7001/5", Content("As it came"), AT)
RECEIPT = Receipt("vk", "shop", "r1", "7001/5", Progress.DELIVERED, AT)


@pytest.fixture
async def runtime(settings: Settings) -> AsyncIterator[Runtime]:
    async with opened(settings) as runtime:
        yield runtime


async def logged_message(runtime: Runtime) -> Message | None:
    document = await runtime.db["messages"].find_one({"_id": KEY})
    return from_document(Message, document) if document else None


@pytest.mark.parametrize("has_contact", [True, False])
async def test_a_visit_by_a_deep_link_says_whose_chat_it_is(runtime: Runtime, *, has_contact: bool) -> None:
    contact = await contacts.join(runtime.db, AT, [identifier("phone", "+79161234567")])
    assert contact
    code = contact.start_code if has_contact else "nobody's"
    await inbound.work(runtime, Visit(ANNA, "v1", AT, code, Person("Anna")), runtime.clock())
    session = await sessions.get(runtime.db, ANNA.key)
    assert session
    assert (session.contact, session.name) == (contact.id if has_contact else None, "Anna")
    assert (session.started_at, session.last_inbound_at, session.window_from_at) == (None, None, None)


async def test_a_visit_without_a_link_forgets_nothing(runtime: Runtime) -> None:
    contact = await contacts.join(runtime.db, AT, [identifier("phone", "+79161234567")])
    assert contact
    await inbound.work(runtime, Visit(ANNA, "v1", AT, contact.start_code, Person("Anna")), runtime.clock())
    await inbound.work(runtime, Visit(ANNA, "v2", AT), runtime.clock())
    session = await sessions.get(runtime.db, ANNA.key)
    assert session
    assert (session.contact, session.name) == (contact.id, "Anna")


async def test_an_operators_message_is_in_the_chat_log_once(runtime: Runtime) -> None:
    for _ in range(2):
        await inbound.work(runtime, ECHO, runtime.clock(), AT)
    assert await logged_message(runtime) == Message(KEY, ANNA.key, outbound=True, at=AT, content=ECHO.content)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_an_echo_of_ours_changes_nothing_whenever_it_comes(runtime: Runtime, order: tuple[int, ...]) -> None:
    """The echo and the receipt may arrive before the provider's answer to our call."""
    happenings: list[Callable[[], Awaitable[object]]] = [
        lambda: chat_log.log(runtime.db, OURS),
        lambda: inbound.work(runtime, ECHO, runtime.clock(), AT),
        lambda: chat_log.of_receipt(runtime.db, RECEIPT),
    ]
    for number in order:
        await happenings[number]()
    assert await logged_message(runtime) == OURS
