"""Commands about jobs: make them, start and stop them, and see how far they are. Their rows: `job_rows`."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import click

from gateway.cli.base import main, plain, run_client
from gateway.client import Gateway, Step
from gateway.domain.api.jobs import JobRequest, JobResponse


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


def described(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take what a job says: its kind, its message, and its hours."""
    options = (
        click.option("--hours", metavar="FROM-TO", help="When it may leave, as in 09:00-21:00."),
        click.option("--template", help="The id of an own template, in place of channels and a text."),
        click.option("--text", help="What it says; columns of the file fill {{NAME}}."),
        click.option("--channel", "-c", "channels", multiple=True, help="Repeat it for a fallback, in order."),
        click.option(
            "--kind", default="universal", show_default=True, help="universal, advertising, sessions, or a channel."
        ),
    )
    for option in options:
        command = option(command)
    return command


@jobs.command()
@click.argument("name")
@described
def create(name: str, **options: Any) -> None:
    """Create a job called NAME, a draft without rows, and print its id."""
    job = _request(name, **options)
    _make(lambda gateway: gateway.create_job(job))


@jobs.command()
@click.argument("job")
@click.argument("name")
@described
def change(job: str, name: str, **options: Any) -> None:
    """Change what JOB says, a draft, and when: it is called NAME then. Its rows stay."""
    request = _request(name, **options)
    _make(lambda gateway: gateway.change_job(job, request))


def _request(
    name: str, kind: str, channels: tuple[str, ...], text: str | None, template: str | None, hours: str | None
) -> JobRequest:
    if bool(template) == bool(channels and text):
        raise click.UsageError("give --channel and --text, or --template")
    start, _, end = (hours or "").partition("-")
    return JobRequest(
        name=name,
        kind=kind,
        channels=[Step(channel=channel, text=text or "") for channel in channels],
        template_id=template,
        allowed_time_ranges=[(start, end)] if hours else [],
    )


def _make(ask: Callable[[Gateway], Awaitable[JobResponse]]) -> None:
    """Make or change a job, and print its id."""

    async def command(gateway: Gateway) -> bool:
        job = await ask(gateway)
        for warning in job.warnings:
            click.echo(plain(f"warning: {warning}"), err=True)
        click.echo(job.id)
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
def delete(job: str) -> None:
    """Delete JOB, which must not run, with its rows. Its messages stay."""

    async def command(gateway: Gateway) -> bool:
        await gateway.delete_job(job)
        return True

    run_client(command)


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
