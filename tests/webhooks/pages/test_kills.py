"""A job that is followed on its page to its end, while the web and the worker are killed."""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import xlsxwriter
from playwright.async_api import Browser, Page, expect

from gateway.domain.api.roles import Role
from gateway.people import access
from gateway.runtime.runtime import Clock
from gateway.runtime.settings.settings import Settings
from storage import pending_files
from storage.documents.documents import Db
from storage.engine.embedded import free_port
from tests.support.client import PATIENCE, until
from tests.support.processes.cli import CliFixture, opened_cli
from tests.support.processes.processes import Web, Worker
from tests.support.workload import phone
from tests.webhooks.pages.conftest import OPERATOR
from tests.webhooks.pages.visitor import PASSWORD

BAD = 37

LOOKS = 0.2
"""Seconds between two looks at the page."""

SLOWEST = 10
"""Rows a second on the slowest machine: all of it, the stand-in and the browser share two cores."""

LOOK = """() => {
    const number = (node) => Number(node.textContent.replace(/\\D/g, ""));
    const [done] = document.querySelectorAll(".numbers b");
    const sum = [...document.querySelectorAll(".legend b")].reduce((sum, part) => sum + number(part), 0);
    return [sum, number(done)];
}"""
"""Returns the sum of the bar's parts, and how many rows are done, as they are seen in one moment."""


@dataclass(frozen=True)
class Plant:
    """A web and a worker that can be killed, and the provider's stand-in."""

    cli: CliFixture
    web: Web
    worker: Worker


@asynccontextmanager
async def opened_plant(folder: Path, settings: Settings) -> AsyncIterator[Plant]:
    """Start a web and a worker, whose leases are short."""
    port = free_port()
    async with opened_cli(folder, settings, f"http://127.0.0.1:{port}") as cli:
        accounts = str(folder / "accounts.toml")
        environ = {**cli.environment, "GATEWAY_ACCOUNTS": accounts, "GATEWAY_LEASE": "4", "GATEWAY_DOUBT": "1"}
        web, worker = Web("web", folder, environ, port=port), Worker("worker", folder, environ)
        try:
            await web.start()
            await worker.start()
            yield Plant(cli, web, worker)
        finally:
            await worker.kill()
            await web.kill()


@pytest.fixture
def rows(request: pytest.FixtureRequest) -> int:
    """Return how many rows the file has."""
    return int(request.config.getoption("--job-rows"))


def workbook(rows: int) -> bytes:
    """Return a workbook with so many rows under Russian headings, of which BAD have no number."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Телефон", "Имя", "Заказ"])
        for row in range(rows):
            is_bad = row % (rows // BAD) == 1 and row // (rows // BAD) < BAD
            sheet.write_row(row + 1, 0, ["12" if is_bad else phone(row), "Анна", f"А-{row}"])
    return file.getvalue()


async def signed_in(browser: Browser, db: Db, url: str) -> Page:
    """Return the tab of an operator."""
    assert await access.create_user(db, OPERATOR, PASSWORD, Role.OPERATOR, Clock()())
    context = await browser.new_context(base_url=url, accept_downloads=True)
    page = await context.new_page()
    await page.goto("/ui/login")
    await page.get_by_label("E-mail").fill(OPERATOR)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/ui/**")
    return page


async def upload_through_a_kill(page: Page, plant: Plant, db: Db, raw: bytes) -> None:
    """Give a new job this file on its pages. The worker that reads it is killed, and started again."""
    await page.goto("/ui/jobs/new")
    await page.get_by_label("Name of the job").fill("November")
    await page.get_by_label("By SMS only").check()
    await page.get_by_role("textbox", name="Text").first.fill("{{Имя}}, order {{Заказ}} is ready")
    await page.get_by_role("button", name="Go on").click()
    file = {"name": "november.xlsx", "mimeType": "application/octet-stream", "buffer": raw}
    await page.get_by_label("A file, .xlsx or .csv").set_input_files(file)  # type: ignore[arg-type]
    await page.get_by_role("button", name="Read the rows").click()
    await page.wait_for_url("**/check")
    key = page.url.split("/")[-2]

    async def is_being_read() -> bool:
        waiting = await pending_files.get(db, key)
        return waiting is None or waiting.lease is not None

    await until(is_being_read)
    await plant.worker.kill()
    await plant.worker.start()


async def watched_through_kills(page: Page, plant: Plant, rows: int) -> list[tuple[int, int]]:
    """Look at a job all the time until it is done, kill the worker and the web meanwhile. Returns what was seen."""
    live, looks, patience = page.locator("#live"), list[tuple[int, int]](), PATIENCE + rows / SLOWEST

    async def is_past(share: float) -> bool:
        total, done = await page.evaluate(LOOK)
        looks.append((total, done))
        await asyncio.sleep(LOOKS)
        return bool(done >= BAD + share * (rows - BAD))

    await expect(live).to_have_text("Live")
    await until(lambda: is_past(0.1), patience)
    await plant.worker.kill()
    await plant.worker.start()
    await until(lambda: is_past(0.4), patience)
    await plant.web.kill()
    await expect(live).to_have_text(re.compile("Reconnecting…|No connection"))
    await plant.web.start()
    await expect(live).to_have_text("Live")
    await until(lambda: is_past(1), patience)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Done")
    return looks


async def results(page: Page) -> list[dict[str, str]]:
    """Download what became of each row from a job's page."""
    await page.get_by_text("Results").click()
    async with page.expect_download() as download:
        await page.get_by_role("link", name="All rows as CSV").click()
    file = await (await download.value).path()
    return list(csv.DictReader(io.StringIO(await asyncio.to_thread(file.read_text, "utf-8-sig"))))


@pytest.mark.browser
@pytest.mark.faults
@pytest.mark.timeout(3600)  # each of its waits has an end by the number of rows
async def test_a_job_is_watched_to_its_end_through_kills(
    tmp_path: Path, settings: Settings, db: Db, browser: Browser, rows: int
) -> None:
    async with opened_plant(tmp_path, settings) as plant:
        page = await signed_in(browser, db, plant.web.url)
        await upload_through_a_kill(page, plant, db, workbook(rows))
        await expect(page.get_by_text(f"{BAD} rows are left out")).to_be_visible(timeout=60_000)
        await page.get_by_role("link", name="Start for").click()
        if await page.get_by_label("Type").count():
            await page.get_by_label("Type").fill(str(rows - BAD))
        await page.get_by_role("button", name="Start for").click()
        looks = await watched_through_kills(page, plant, rows)
        table = await results(page)
        users = [line.user for line in plant.cli.simulator.accepted]
    assert {total for total, _ in looks} == {rows}, "the parts are all rows, at every look"
    assert [done for _, done in looks] == sorted(done for _, done in looks), "what is done stays done"
    assert len(table) == rows
    assert [row["status"] for row in table].count("REFUSED") == BAD
    assert len(users) == len(set(users)), "nobody gets two"
    told = {row["phone"].lstrip("'") for row in table if row["status"] == "DELIVERED"}
    assert told <= set(users), "whoever is told to have one has it"
    doubted = [row["status"] for row in table if row["phone"].lstrip("'") not in {*users, "12"}]
    assert set(doubted) <= {"UNDELIVERED"}, "what the worker died over is sent at most once, and told"
