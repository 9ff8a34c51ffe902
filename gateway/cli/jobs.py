"""Commands about the rows of jobs: upload a file of them, and download those that were refused."""

import asyncio
from pathlib import Path

import click

from gateway.cli.base import main, plain, run_client
from gateway.client import Gateway
from gateway.domain.api.response import Fault


@main.group()
def jobs() -> None:
    """Jobs: rows of files, and those that were refused. They call a running gateway: GATEWAY_URL, GATEWAY_KEY."""


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
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def refused(job: str, file: Path) -> None:
    """Write the rows of JOB that led to no message, with their reasons, to FILE: .csv or .xlsx."""
    if file.suffix not in {".csv", ".xlsx"}:
        raise click.UsageError("FILE: a name that ends in .csv or .xlsx")

    async def command(gateway: Gateway) -> bool:
        raw = await gateway.refused_rows(job, "xlsx" if file.suffix == ".xlsx" else "csv")
        await asyncio.to_thread(file.write_bytes, raw)
        return True

    run_client(command)


def _words(fault: Fault) -> str:
    place = f"row {fault.row}, {fault.column}" if fault.column else f"row {fault.row}"
    return plain(f"{place}: {fault.message}")
