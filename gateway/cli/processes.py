"""Commands that run until they are stopped: serve, web, worker, demo."""

import asyncio
import logging
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import NoReturn, TypeVar

import click
from msgspec.structs import replace
from prometheus_client import start_http_server

from gateway import worker
from gateway.cli.base import main, run
from gateway.runtime.collector import spare_opened
from gateway.runtime.runtime import Runtime, opened
from gateway.runtime.settings.settings import Settings
from webhooks.app import create_app
from webhooks.demo.demo import demo as play
from webhooks.demo.environment import Environment
from webhooks.http.server import listener, served

log = logging.getLogger(__name__)

F = TypeVar("F", bound=Callable[..., None])


def listening(command: F) -> F:
    """Add the options of a command that listens."""
    host = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
    port = click.option("--port", default=8080, show_default=True, envvar="PORT", help="Port to listen on.")
    return host(port(command))


@main.command()
@listening
def serve(host: str, port: int) -> None:
    """Run web and worker in one process."""
    _listen("gateway", host, port, worker.run)


@main.command()
@listening
def web(host: str, port: int) -> None:
    """Run the web process alone; workers run beside it over the same database."""
    _listen("web", host, port, lambda _, stop: stop.wait())


@main.command("worker")
@click.option("--metrics-port", type=int, envvar="GATEWAY_METRICS_PORT", help="Prometheus metrics on this port.")
@click.option(
    "--metrics-host", default="127.0.0.1", show_default=True, help="Address for it: metrics want no key here."
)
def work(metrics_port: int | None, metrics_host: str) -> None:
    """Run the worker alone. Start as many as you like over one MONGODB_URI."""

    async def command(settings: Settings) -> None:
        if metrics_port is not None:
            start_http_server(metrics_port, metrics_host)
        async with _opened(settings) as (runtime, stop):
            click.echo("worker started; Ctrl-C stops it")
            await worker.run(runtime, stop)

    run(command, log_level="INFO")


@main.command()
@click.option("--port", default=8090, show_default=True, help="Port of the demo's page.")
@click.option("--gateway-port", default=0, help="Port of the gateway itself.  [default: a free one]")
def demo(port: int, gateway_port: int) -> None:
    """Play with the gateway: stand-ins for all messengers, and a page that shows their phones.

    Needs no accounts and no network. Its database is a temporary one.
    """

    async def command(settings: Settings) -> None:
        logging.getLogger("gateway").setLevel(logging.WARNING)  # the page shows all the rest
        with tempfile.TemporaryDirectory(prefix="gateway-demo-", ignore_cleanup_errors=True) as folder:
            own = replace(settings, mongodb_uri=None, folder=Path(folder))
            await play(own, port, gateway_port, _stopping(own.stop_within), _announce)

    run(command, accounts=False, log_level="INFO")


def _listen(name: str, host: str, port: int, work: Callable[[Runtime, asyncio.Event], Awaitable[object]]) -> None:
    """Serve, and run `work` beside it until a signal stops the process."""

    async def command(settings: Settings) -> None:
        with listener(host, port) as socket:  # a port that is taken is told before anything is started
            async with _opened(settings) as (runtime, stop), served(create_app(runtime), socket) as url:
                click.echo(f"{name} on {url}, public at {settings.public_url}; Ctrl-C stops it")
                await work(runtime, stop)

    run(command, log_level="INFO")


def _announce(page: str, demo: Environment) -> None:
    click.echo(f"Open {page} in a browser; Ctrl-C stops the demo.")
    click.echo("To call its API from another terminal, paste this line there first:")
    click.echo(f"export GATEWAY_URL={demo.url} GATEWAY_KEY={demo.key}")
    click.echo("Or see at once what it answers:")
    click.echo(f'curl -s {demo.url}/api/v1/accounts -H "Authorization: Bearer {demo.key}"')


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[Runtime, asyncio.Event]]:
    stop = _stopping(settings.stop_within)
    async with opened(settings) as runtime:
        spare_opened()
        yield runtime, stop


def _stopping(within: timedelta) -> asyncio.Event:
    """Return an event that Ctrl-C and SIGTERM set, on which the process finishes what is under way and ends.

    The process ends at the latest `within` that time, whatever hangs, and at once on a second signal.
    """
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def stop_soon() -> None:
        if stop.is_set():
            _end_now("told to end a second time")
        stop.set()
        loop.call_later(within.total_seconds(), _end_now, "what was under way did not end in time")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop_soon)
    return stop


def _end_now(reason: str) -> NoReturn:
    """End the process as a kill would: leases run out, and others go on.

    The embedded database notices by itself that the process is gone.
    """
    log.error("ended without finishing: %s", reason)
    logging.shutdown()
    os._exit(1)
