"""Commands about dead letters: what failed for a reason that somebody could mend, and sending it anew."""

from collections.abc import AsyncIterator, Callable, Iterable
from typing import TypeVar

import click

from gateway.cli.base import main, plain, run
from gateway.messages.archive.dead_letters import DeadLettersQuery, Kind, Letter, page
from gateway.messages.archive.replay import Outcome, Replayed, ReplayRequest, Result, replay
from gateway.runtime.paging import MOST
from gateway.runtime.runtime import Clock, Runtime, opened, opened_database
from gateway.runtime.settings.settings import Settings
from storage.documents.documents import Db

F = TypeVar("F", bound=Callable[..., None])

SAID = {
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
    """Which dead letters are meant."""
    return events(calls(messages(command)))


@main.group()
def dead() -> None:
    """What failed for a reason that somebody could mend, and sending it anew once that is done."""


@dead.command("list")
@kinds
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many are shown.")
def list_(*, kind: Kind, limit: int) -> None:
    """Dead letters, the newest first: when, id, what, tries, channels, and why. Times are in UTC."""

    async def command(settings: Settings) -> None:
        async with opened_database(settings) as db:
            found = [letter async for letter in _newest(db, kind, limit + 1)]
        for line in _table(found[:limit]):
            click.echo(line)
        if not found:
            click.echo("no dead letters")
        if len(found) > limit:
            click.echo("there are more: --limit shows them", err=True)

    run(command)


@dead.command("replay")
@click.argument("ids", metavar="ID...", nargs=-1)
@click.option("--all", "all_", is_flag=True, help="All of them.")
@kinds
@click.option("--force", is_flag=True, help="Also what may have been sent: people may get it twice.")
def replay_(ids: tuple[str, ...], *, all_: bool, kind: Kind, force: bool) -> None:
    """Send these messages, or work on these events, anew. Ends with 1 if one of them was not.

    A message becomes a new one, valid for as long as the old one was. Each is replayed once, however often you ask.
    """
    if bool(ids) is all_:
        raise click.UsageError("give either IDs, or --all")

    async def command(settings: Settings) -> bool:
        async with opened(settings) as runtime:
            rounds = _all(runtime, kind=kind, force=force) if all_ else _these(runtime, ids, kind=kind, force=force)
            outcomes, left = list[Outcome](), 0
            async for done in rounds:
                for outcome in done.outcomes:
                    click.echo(_told(outcome))
                outcomes, left = [*outcomes, *done.outcomes], done.left
        replayed = sum(outcome.result is Result.REPLAYED for outcome in outcomes)
        click.echo(f"{replayed} replayed, {left} left")
        return replayed == len(outcomes)

    run(command)


async def _newest(db: Db, kind: Kind, limit: int) -> AsyncIterator[Letter]:
    cursor, now = None, Clock()()
    while limit > 0:
        found = await page(db, DeadLettersQuery(kind=kind, limit=min(limit, MOST), cursor=cursor), now)
        for letter in found.letters:
            yield letter
        cursor, limit = found.cursor, limit - len(found.letters) if found.cursor else 0


async def _all(runtime: Runtime, *, kind: Kind, force: bool) -> AsyncIterator[Replayed]:
    """One page after another: those that stay dead are passed once."""
    cursor, more = None, True
    while more:
        done = await replay(runtime, ReplayRequest(kind=kind, all=True, cursor=cursor, force=force))
        yield done
        cursor, more = done.cursor, done.cursor is not None


async def _these(runtime: Runtime, ids: tuple[str, ...], *, kind: Kind, force: bool) -> AsyncIterator[Replayed]:
    for start in range(0, len(ids), MOST):
        some = list(ids[start : start + MOST])
        yield await replay(runtime, ReplayRequest(kind=kind, ids=some, force=force))


def _table(letters: Iterable[Letter]) -> list[str]:
    """A line each, in columns as wide as their longest."""
    rows = [
        (f"{one.at:%Y-%m-%d %H:%M:%S}", one.id, one.what, f"{one.tries} tries", ", ".join(one.channels), one.why)
        for one in letters
    ]
    shown = [[plain(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in shown]


def _told(outcome: Outcome) -> str:
    new = f" as {outcome.new}" if outcome.new else ""
    return plain(f"{SAID[outcome.result]}{new}: {outcome.id}{f' ({outcome.reason})' if outcome.reason else ''}")
