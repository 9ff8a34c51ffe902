"""Commands about dead letters: list what failed for a reason that somebody can fix, and replay it."""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeVar

import click

from gateway.cli.base import main, plain, record, run
from gateway.domain.model.act import Act
from gateway.messages.archive.dead_letters import DeadLettersQuery, Kind, Letter, page
from gateway.messages.archive.replay import Outcome, ReplayReport, ReplayRequest, Result, replay
from gateway.people.audit import Deed
from gateway.runtime.paging import MOST
from gateway.runtime.runtime import Clock, Runtime, opened, opened_database
from gateway.runtime.settings.settings import Settings
from storage.documents.documents import Db

F = TypeVar("F", bound=Callable[..., None])

WORDS = {
    Result.REPLAYED: "replayed",
    Result.NOT_DEAD: "not a dead letter",
    Result.NEEDS_FORCE: "needs --force",
    Result.UNKNOWN: "unknown",
    Result.NOBODY: "no recipient",
}

events = click.option("--events", "kind", flag_value="events", help="Events that came from providers.")
calls = click.option("--callbacks", "kind", flag_value="callbacks", help="Calls to callers that nobody took.")
messages = click.option("--messages", "kind", flag_value="messages", default=True, help="Messages; the default.")


def kinds(command: F) -> F:
    """Add the options that choose the kind of dead letters."""
    return events(calls(messages(command)))


@main.group()
def dead() -> None:
    """Dead letters: what failed for a reason that somebody can fix, and replaying it once that is done."""


@dead.command("list")
@kinds
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many are shown.")
def list_(*, kind: Kind, limit: int) -> None:
    """List dead letters, the newest first: when, id, what, tries, channels, and why. Times are in UTC."""

    async def command(settings: Settings) -> None:
        async with opened_database(settings) as db:
            letters = [letter async for letter in _newest(db, kind, limit + 1)]
        for line in _table(letters[:limit]):
            click.echo(line)
        if not letters:
            click.echo("no dead letters")
        if len(letters) > limit:
            click.echo("there are more: --limit shows them", err=True)

    run(command)


@dead.command("replay")
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--all", "all_", is_flag=True, help="All of them.")
@kinds
@click.option("--force", is_flag=True, help="Also what may have been sent: people may get it twice.")
def replay_(ids: tuple[str, ...], *, all_: bool, kind: Kind, force: bool) -> None:
    """Send messages, work on events, or make callbacks again. Ends with 1 if one of them was not replayed.

    A message becomes a new one, valid for as long as the old one was. Each is replayed once, however often you ask.
    """
    if bool(ids) is all_:
        raise click.UsageError("give either IDs, or --all")

    async def command(settings: Settings) -> bool:
        async with opened(settings) as runtime:
            rounds = (
                _replay_all(runtime, kind=kind, force=force)
                if all_
                else _replay_ids(runtime, ids, kind=kind, force=force)
            )
            outcomes, left = list[Outcome](), 0
            async for report in rounds:
                for outcome in report.outcomes:
                    click.echo(_line(outcome))
                outcomes, left = [*outcomes, *report.outcomes], report.left
            replayed = sum(outcome.result is Result.REPLAYED for outcome in outcomes)
            if replayed:
                await record(runtime.db, Deed(Act.DEAD_LETTER_REPLAY, kind, after={"replayed": str(replayed)}))
        click.echo(f"{replayed} replayed, {left} left")
        return replayed == len(outcomes)

    run(command)


async def _newest(db: Db, kind: Kind, limit: int) -> AsyncIterator[Letter]:
    cursor, now = None, Clock()()
    while limit > 0:
        batch = await page(db, DeadLettersQuery(kind=kind, limit=min(limit, MOST), cursor=cursor), now)
        for letter in batch.letters:
            yield letter
        cursor, limit = batch.cursor, limit - len(batch.letters) if batch.cursor else 0


async def _replay_all(runtime: Runtime, *, kind: Kind, force: bool) -> AsyncIterator[ReplayReport]:
    """Replay all dead letters, a page at a time; letters that stay dead are tried once."""
    cursor, more = None, True
    while more:
        report = await replay(runtime, ReplayRequest(kind=kind, all=True, cursor=cursor, force=force))
        yield report
        cursor, more = report.cursor, report.cursor is not None


async def _replay_ids(
    runtime: Runtime, ids: tuple[str, ...], *, kind: Kind, force: bool
) -> AsyncIterator[ReplayReport]:
    for start in range(0, len(ids), MOST):
        chunk = list(ids[start : start + MOST])
        yield await replay(runtime, ReplayRequest(kind=kind, ids=chunk, force=force))


def _table(letters: Iterable[Letter]) -> list[str]:
    """Return a line for each letter, in columns as wide as their longest cell."""
    rows = [
        (
            f"{letter.at:%Y-%m-%d %H:%M:%S}",
            letter.id,
            letter.what,
            f"{letter.tries} tries",
            ", ".join(letter.channels),
            letter.why,
        )
        for letter in letters
    ]
    cells = [[plain(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]


def _line(outcome: Outcome) -> str:
    new = f" as {outcome.new}" if outcome.new else ""
    return plain(f"{WORDS[outcome.result]}{new}: {outcome.id}{f' ({outcome.reason})' if outcome.reason else ''}")
