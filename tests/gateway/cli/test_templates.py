"""Tests `gateway templates` against the simulator of WhatsApp over real HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.whatsapp.simulator.server import Server, demo_account
from gateway.domain.model.message_template import MessageTemplate
from gateway.runtime.runtime import Clock
from gateway.runtime.settings.settings import Settings
from storage.accounts import states
from storage.documents.documents import Db
from storage.templates import approved
from tests.support.http.serving import app_of, listener, served, url_of
from tests.support.processes.cli import PUBLIC
from tests.support.processes.commands import CommandResult, run
from tests.support.processes.processes import accounts_file

KEY = "whatsapp:shop:hello:en"


class TemplateCli:
    """A folder with one WhatsApp account and the simulator of its provider."""

    def __init__(self, folder: Path, settings: Settings, meta: Server) -> None:
        self.folder, self.meta = folder, meta
        self.environment = {
            "MONGODB_URI": str(settings.mongodb_uri),
            "GATEWAY_DATABASE": settings.database,
            "GATEWAY_PUBLIC_URL": PUBLIC,
        }

    async def templates(self, *arguments: str) -> CommandResult:
        return await run(self.folder, "gateway", "templates", *arguments, **self.environment)


@pytest.fixture
async def cli(tmp_path: Path, settings: Settings) -> AsyncIterator[TemplateCli]:
    socket = listener()
    account = demo_account(f"{url_of(socket)}/whatsapp")
    accounts_file(tmp_path / "accounts.toml", {"whatsapp": {"shop": account}})
    meta = Server(account, f"{PUBLIC}/webhooks/whatsapp/shop")
    async with served(app_of(meta.blueprint()), socket):
        yield TemplateCli(tmp_path, settings, meta)
        await meta.close()


async def test_sync_submit_and_list(cli: TemplateCli, db: Db) -> None:
    now = Clock()()
    draft = MessageTemplate(
        channel="whatsapp", account="shop", name="hello", language="en", category="UTILITY", body="Hi", created_at=now
    )
    await states.save_template_state(
        db, draft.id, usable=False, state="draft", reason="", at=now.replace(microsecond=0)
    )
    assert await approved.put(db, draft)
    assert (await cli.templates("submit", KEY)).out == f"{KEY}: pending\n"
    second = await cli.templates("submit", KEY)
    assert (second.code, second.err) == (1, "Only a draft is submitted; this is pending.\n")
    assert (await cli.templates("sync", "whatsapp")).out == "3 templates\n"
    lines = (await cli.templates("list")).out.splitlines()
    assert lines[-1] == f"{KEY}  pending"
    assert "whatsapp:shop:order_update:ru  approved" in lines


async def test_what_does_not_work_is_said(cli: TemplateCli) -> None:
    nothing = await cli.templates("submit", "nothing")
    assert (nothing.code, nothing.err) == (1, "there is no template nothing\n")
    cli.meta.faults.fail(190)
    result = await cli.templates("sync", "whatsapp", "shop")
    assert (result.code, result.err) == (1, "190: the access token is not accepted\n")
    assert (await cli.templates("sync", "pigeon")).code == 1
