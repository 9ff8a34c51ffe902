"""Commands about the rows of jobs: add and take out their files, and fetch what became of each row."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Literal

import click

from gateway.cli.base import plain, run_client
from gateway.cli.jobs import jobs
from gateway.client import Gateway
from gateway.domain.api.response import Fault

Format = Literal["csv", "xlsx"]


@jobs.command()
@click.argument("job")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def upload(job: str, file: Path) -> None:
    """Add the rows of FILE, CSV or Excel, to JOB, a draft. Ends with 1 if some were refused."""
    raw = file.read_bytes()

    async def command(gateway: Gateway) -> bool:
        answer = await gateway.upload_rows(job, raw, file.name)
        click.echo(f"{answer.accepted} accepted, {answer.refused} refused, {answer.total} in all")
        for fault in answer.faults:
            click.echo(f"  {_words(fault)}")
        for warning in answer.warnings:
            click.echo(f"  warning: {_words(warning)}")
        return not answer.refused

    run_client(command)


@jobs.command()
@click.argument("job")
def files(job: str) -> None:
    """List the files of JOB with their ids, and the one that is being read."""

    async def command(gateway: Gateway) -> bool:
        answer = await gateway.job_files(job)
        for file in answer.files:
            click.echo(plain(f"{file.id}  {file.rows:>9} rows  {file.refused:>9} refused  {file.name}"))
        if waiting := answer.waiting:
            click.echo(plain(f"waiting  {waiting.rows:>9} rows  {waiting.reason or 'being read'}  {waiting.name}"))
        return True

    run_client(command)


@jobs.command("take-out")
@click.argument("job")
@click.argument("file")
def take_out(job: str, file: str) -> None:
    """Take FILE, an id of `jobs files`, with its rows out of JOB, a draft. `waiting`: the one that is being read."""

    async def command(gateway: Gateway) -> bool:
        await gateway.take_out_file(job, file)
        return True

    run_client(command)


@jobs.command()
@click.argument("job")
@click.option(
    "--state", type=click.Choice(["all", "failed", "underWay", "left", "refused"]), default="all", show_default=True
)
def rows(job: str, state: str) -> None:
    """List what became of each row of JOB: its line in its file, status, message or fault."""

    async def command(gateway: Gateway) -> bool:
        async for row in gateway.job_rows(job, state):
            status, words = row.status or ("REFUSED" if row.fault else "NEW"), row.reason or row.fault or ""
            click.echo(plain(f"{row.row:>9}  {status:11}  {row.message_id or '-'}  {words}".rstrip()))
        return True

    run_client(command)


@jobs.command()
@click.argument("job")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def refused(job: str, file: Path) -> None:
    """Write the rows of JOB that led to no message, with their reasons, to FILE: .csv or .xlsx."""
    _write(file, lambda gateway, kind: gateway.refused_rows(job, kind))


@jobs.command()
@click.argument("job")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def results(job: str, file: Path) -> None:
    """Write every row of JOB with what became of it to FILE: .csv or .xlsx."""
    _write(file, lambda gateway, kind: gateway.job_results(job, kind))


def _write(file: Path, table: Callable[[Gateway, Format], Awaitable[bytes]]) -> None:
    """Write a table to a file, in the format that its name says."""
    if file.suffix not in {".csv", ".xlsx"}:
        raise click.UsageError("FILE: a name that ends in .csv or .xlsx")

    async def command(gateway: Gateway) -> bool:
        raw = await table(gateway, "xlsx" if file.suffix == ".xlsx" else "csv")
        await asyncio.to_thread(file.write_bytes, raw)
        return True

    run_client(command)


def _words(fault: Fault) -> str:
    place = f"row {fault.row}, {fault.column}" if fault.column else f"row {fault.row}"
    return plain(f"{place}: {fault.message}")
