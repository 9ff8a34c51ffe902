"""The runtime: what a process works with, opened once: database, channels, settings, clock."""

import asyncio
import importlib
import inspect
import logging
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import aiohttp

import bots
from bots.conversation import Conversation
from bots.wire import files
from bots.wire.traces import listener
from bots.wire.wire import straight
from gateway.domain.api.request import RequestError
from gateway.domain.channel.contract import Channel, Outside
from gateway.domain.channel.errors import Refused, Unavailable
from gateway.domain.channel.file import File
from gateway.domain.channel.rates import Limits, read_limits
from gateway.domain.model.event import Event
from gateway.domain.model.identifier import KINDS
from gateway.runtime.limits.admission import Gate
from gateway.runtime.limits.pace import Pace
from gateway.runtime.settings.accounts import SettingsError, read_account
from gateway.runtime.settings.settings import Settings
from gateway.runtime.telemetry.tracer import Tracer, secrets_of
from storage import files as stored_files
from storage.accounts.flows import Flows
from storage.accounts.tallies import Counts
from storage.documents.documents import Db
from storage.engine.database import TRACED, DatabaseError, connect, prepare
from storage.engine.embedded import embedded
from storage.files import Files
from storage.jobs import Batches
from storage.messages.callbacks import Callbacks
from storage.messages.inbox import Inbox
from storage.messages.notifications import Outbox

Channels = Mapping[str, Mapping[str, Channel]]


def all_channels(channels: Channels) -> list[Channel]:
    """Return every account of every channel."""
    return [channel for accounts in channels.values() for channel in accounts.values()]


def check_channel(name: str | None) -> None:
    """Raise RequestError if a filter names a channel that there is not. One without accounts may have a history."""
    if name is not None and name not in bots.CHANNELS:
        words = f"there is no such channel; there are: {', '.join(bots.CHANNELS)}"
        raise RequestError("unknown_channel", words, "channel")


def account_key(channel: Channel) -> str:
    """Return the whole name of an account of ours, channel:name."""
    return f"{channel.facts.name}:{channel.account}"


class Clock:
    """Returns the time, aware and in UTC, to the millisecond as MongoDB stores it. The demo moves it forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)
        self._last = 0

    def __call__(self) -> datetime:
        now = datetime.now(UTC) + self.ahead
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def ordinal(self) -> int:
        """Return a number that only grows, in microseconds; between machines as far as their clocks agree."""
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return self._last


log = logging.getLogger(__name__)


class Reports:
    """Puts the events that channels learn from a provider's answers into the inbox. It fails no send."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._inbox: Inbox | None = None

    def opened(self, inbox: Inbox) -> Inbox:
        """Begin to store events in this inbox, and return it."""
        self._inbox = inbox
        return inbox

    async def __call__(self, event: Event) -> None:
        try:
            if self._inbox:
                await self._inbox.add([event], self._clock())
        except DatabaseError:  # the provider tells it again with the next answer
            log.warning("what %s:%s has told is not stored", event.channel, event.account)


class Uploads:
    """Gives channels the files that were uploaded to us, once the database is open."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._db: Db | None = None

    def opened(self, db: Db) -> None:
        """Begin to read files from this database."""
        self._db = db

    async def __call__(self, key: str) -> File:
        """Return a file. Raises Refused if it is there no more, Unavailable if the database does not answer."""
        try:
            stored = await stored_files.get(self._db, key) if self._db else None
            if self._db is None or stored is None or not stored.content_type or stored.until <= self._clock():
                raise Refused("the uploaded file is not there any more")
            body = b"".join([piece async for piece in stored_files.read(self._db, key)])
        except DatabaseError:
            raise Unavailable("the uploaded file could not be read") from None
        return File(stored.name, stored.content_type, body)


@dataclass
class Runtime:
    """Everything open.

    inbox_bell, outbox_bell, callback_bell, job_bell, file_bell, rows_bell: wake this process's loops; others poll.
    outward: for calls to our callers; it does not reach into our own network unless the settings permit it.
    file_readers: how many files of rows are read at once, since each may take much memory.
    pace: how many messages of mailings this process has under way.
    heartbeats: when each loop of this process last went on, by time.monotonic(); empty without loops.
    """

    settings: Settings
    db: Db
    inbox: Inbox
    outbox: Outbox
    gate: Gate
    tracer: Tracer
    channels: Channels
    conversation: Conversation
    clock: Clock
    callbacks: Callbacks
    batches: Batches
    files: Files
    outward: aiohttp.ClientSession
    counts: Counts = field(default_factory=Counts)
    flows: Flows = field(default_factory=Flows)
    inbox_bell: asyncio.Event = field(default_factory=asyncio.Event)
    outbox_bell: asyncio.Event = field(default_factory=asyncio.Event)
    callback_bell: asyncio.Event = field(default_factory=asyncio.Event)
    job_bell: asyncio.Event = field(default_factory=asyncio.Event)
    file_bell: asyncio.Event = field(default_factory=asyncio.Event)
    rows_bell: asyncio.Event = field(default_factory=asyncio.Event)
    file_readers: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    heartbeats: dict[str, float] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of identifier that callers can use: the API's own, and those that only channels know."""
        return tuple(dict.fromkeys((*KINDS, *self.reached_kinds)))

    @cached_property
    def reached_kinds(self) -> tuple[str, ...]:
        """Return the kinds of identifier by which our channels reach people who have no chat with us."""
        return tuple(kind for channel in all_channels(self.channels) for kind in channel.facts.reaches)

    def channel(self, channel: str, account: str | None = None) -> Channel | None:
        """Return an account of ours by name, or without a name the channel's first one; None if there is none."""
        accounts = self.channels.get(channel, {})
        return accounts.get(account) if account else next(iter(accounts.values()), None)


@asynccontextmanager
async def opened(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Runtime]:
    """Open and check everything; close it at the end. Raises SettingsError, EmbeddedError or DatabaseError."""
    conversation = load_conversation(settings.conversation)
    accounts = read_accounts(settings)
    async with AsyncExitStack() as stack:
        reports, uploads = Reports(clock := clock or Clock()), Uploads(clock)
        outside = await stack.enter_async_context(opened_outside(settings))
        channels = open_channels(accounts, replace(outside, report=reports, load=uploads))
        for channel in all_channels(channels):
            stack.push_async_callback(channel.close)
        db = await stack.enter_async_context(opened_database(settings))
        uploads.opened(db)
        gate = Gate(db, _limits(settings, channels))
        await gate.holds.refresh()
        tracer = Tracer(db, secrets_of(accounts), wanted=bool(settings.traced))
        stack.push_async_callback(tracer.close)
        outward = await stack.enter_async_context(files.session(private=settings.private_callbacks))
        yield Runtime(
            settings,
            db,
            reports.opened(Inbox(db)),
            Outbox(db),
            gate,
            tracer,
            channels,
            conversation,
            clock,
            Callbacks(db),
            Batches(db),
            Files(db),
            outward,
        )


@asynccontextmanager
async def opened_outside(settings: Settings) -> AsyncIterator[Outside]:
    """Open the connections that all channels share."""
    listeners = [straight(), listener()] if settings.traced else [straight()]
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), trace_configs=listeners) as http,
        files.session(private=settings.private_files) as fetching,
    ):
        yield Outside(http, settings.public_url, fetching)


@asynccontextmanager
async def opened_database(settings: Settings) -> AsyncIterator[Db]:
    """Open the database of the settings, or the embedded one, and prepare its indexes."""
    async with AsyncExitStack() as stack:
        uri = settings.mongodb_uri or str(await stack.enter_async_context(embedded(settings.folder)))
        db = connect(uri, settings.database)
        stack.callback(db.client.close)
        await prepare(db, settings.kept, settings.traced or TRACED)
        yield db


def _limits(settings: Settings, channels: Channels) -> Mapping[str, Limits]:
    """Return the limits of each account: its provider's, overridden by those in the settings."""
    return {
        account_key(channel): read_limits(channel.facts.limits, settings.limits.get(account_key(channel), {}))
        for channel in all_channels(channels)
    }


def read_accounts(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    """Return every account's struct, by channel and name. Raises SettingsError with all problems."""
    problems: list[str] = []
    accounts: dict[str, dict[str, Any]] = {}
    for name, tables in settings.accounts.items():
        if name not in bots.CHANNELS:
            problems.append(f"[{name}]: there is no such channel; there are: {', '.join(bots.CHANNELS)}")
            continue
        kind, accounts[name] = bots.package(name).Account, {}
        for account, table in tables.items():
            try:
                accounts[name][account] = read_account(kind, f"[{name}.{account}]", table)
            except SettingsError as error:
                problems += error.problems
    if problems:
        raise SettingsError(problems)
    return accounts


def open_channels(accounts: Mapping[str, Mapping[str, Any]], outside: Outside) -> Channels:
    """Return every account of every channel, ready to send."""
    return {name: bots.package(name).open_accounts(named, outside) for name, named in accounts.items()}


def load_conversation(path: str) -> Conversation:
    """Return the function that answers people, by its path `module:function`; the module may be in this folder.

    Raises SettingsError.
    """
    module, _, name = path.partition(":")
    if not (module and name):
        raise SettingsError([f"GATEWAY_CONVERSATION: {path} is not of the form module:function"])
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    try:
        function = getattr(importlib.import_module(module), name)
    except Exception as error:  # noqa: BLE001 - it is the operator's own code that runs here
        raise SettingsError([f"GATEWAY_CONVERSATION: {path} cannot be loaded: {error}"]) from None
    if not any(inspect.iscoroutinefunction(each) for each in (function, getattr(function, "__call__", None))):  # noqa: B004
        raise SettingsError([f"GATEWAY_CONVERSATION: {path} is not an async function"])
    return cast("Conversation", function)
