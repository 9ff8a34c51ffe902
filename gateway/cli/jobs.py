"""Commands about jobs: make them, add files of rows, start and stop them, and fetch what became of each row."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Literal

import click

from gateway.cli.base import main, plain, run_client
from gateway.client import Gateway, Step
from gateway.domain.api.jobs import JobRequest, JobResponse
from gateway.domain.api.response import Fault

Format = Literal["csv", "xlsx"]


@main.group()
def jobs() -> None:
    """Jobs: one message to everybody in a file. They call a running gateway: GATEWAY_URL, GATEWAY_KEY."""


@jobs.command("list")
def list_jobs() -> None:
    """List all jobs, the newest first."""

    async def command(gateway: Gateway) -> bool:
        async for job in gateway.jobs():
            click.echo(plain(f"{job.id}  {job.state:9}  {job.total:>9}  {job.kind:11}  {job.name}"))
        return True

    run_client(command)


@jobs.command()
@click.argument("name")
@click.option("--kind", default="universal", show_default=True, help="universal, advertising, sessions, or a channel.")
@click.option("--channel", "-c", "channels", multiple=True, help="Repeat it for a fallback, in order.")
@click.option("--text", help="What it says; columns of the file fill {{NAME}}.")
@click.option("--template", help="The id of an own template, in place of channels and a text.")
@click.option("--hours", metavar="FROM-TO", help="When it may leave, as in 09:00-21:00.")
def create(name: str, kind: str, channels: tuple[str, ...], text: str, template: str, hours: str) -> None:
    """Create a job called NAME, a draft without rows, and print its id."""
    if bool(template) == bool(channels and text):
        raise click.UsageError("give --channel and --text, or --template")
    start, _, end = (hours or "").partition("-")
    job = JobRequest(
        name=name,
        kind=kind,
        channels=[Step(channel=channel, text=text) for channel in channels],
        template_id=template,
        allowed_time_ranges=[(start, end)] if hours else [],
    )

    async def command(gateway: Gateway) -> bool:
        created = await gateway.create_job(job)
        for warning in created.warnings:
            click.echo(plain(f"warning: {warning}"), err=True)
        click.echo(created.id)
        return True

    run_client(command)


@jobs.command()
@click.argument("job")
def show(job: str) -> None:
    """Show how far JOB is, and why rows failed."""
    _run(lambda gateway: gateway.job(job))


@jobs.command()
@click.argument("job")
@click.option("--at", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]), help="When, as in 2026-12-24T10:00:00+0300.")
def start(job: str, at: datetime | None) -> None:
    """Start JOB now, or at a time."""
    _run(lambda gateway: gateway.start_job(job, at))


@jobs.command()
@click.argument("job")
def pause(job: str) -> None:
    """Submit no more rows of JOB."""
    _run(lambda gateway: gateway.move_job(job, "pause"))


@jobs.command()
@click.argument("job")
def resume(job: str) -> None:
    """Go on with JOB after a pause."""
    _run(lambda gateway: gateway.move_job(job, "resume"))


@jobs.command()
@click.argument("job")
def cancel(job: str) -> None:
    """End JOB for good."""
    _run(lambda gateway: gateway.move_job(job, "cancel"))


@jobs.command()
@click.argument("job")
@click.option("--may-work", is_flag=True, help="Only what failed for a reason that may have gone by.")
def retry(job: str, *, may_work: bool) -> None:
    """Send once more what has failed of JOB."""
    _run(lambda gateway: gateway.retry_job(job, "mayWork" if may_work else "all"))


@jobs.command()
@click.argument("job")
def forecast(job: str) -> None:
    """Reckon what JOB would do now: who is left out, by which channel, for how much. Nothing is sent."""

    async def command(gateway: Gateway) -> bool:
        outlook = await gateway.forecast_job(job)
        click.echo(f"of {outlook.sampled} rows out of {outlook.total}, taken at random:")
        for channel, rows in outlook.first.items():
            click.echo(f"  {rows:>5}  {channel} first")
        for reason in outlook.left_out:
            click.echo(plain(f"  {reason.rows:>5}  left out: {reason.reason}"))
        for currency, amount in outlook.most.items():
            click.echo(f"  {outlook.expected.get(currency, '0')} {currency}, at most {amount}")
        click.echo(f"ready at {outlook.ends_at or 'a time that is too far away to tell'}, if it began now")
        return True

    run_client(command)


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


def _run(ask: Callable[[Gateway], Awaitable[JobResponse]]) -> None:
    """Do something with a job, and print how far it is then."""

    async def command(gateway: Gateway) -> bool:
        job = await ask(gateway)
        click.echo(plain(f"{job.name}: {job.state}, {job.done} done and {job.refused} refused of {job.total} rows"))
        for status, count in job.by_status.items():
            click.echo(f"  {count:>9}  {status}")
        for reason in job.reasons:
            click.echo(plain(f"  {reason.rows:>9}  {reason.channel} {reason.reason}"))
        if job.ends_at:
            click.echo(f"ready at {job.ends_at}")
        return True

    run_client(command)


def _words(fault: Fault) -> str:
    place = f"row {fault.row}, {fault.column}" if fault.column else f"row {fault.row}"
    return plain(f"{place}: {fault.message}")
