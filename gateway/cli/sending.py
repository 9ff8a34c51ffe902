"""Commands that call a running gateway as any service would: send, status, cancel.

They read GATEWAY_URL and GATEWAY_KEY, an API key, from the environment.
"""

from collections.abc import Iterable
from datetime import datetime

import click
import msgspec
from msgspec import UNSET, Struct

from gateway.cli.base import main, run_client
from gateway.client import Destination, Gateway, Message, Step, problem
from gateway.domain.api.response import CancellationView, ItemView, StoryResponse

as_json = click.option("--json", "raw", is_flag=True, help="The API's own JSON.")


@main.command()
@click.argument("recipient")
@click.argument("text")
@click.option("--channel", "-c", "channels", multiple=True, required=True, help="Repeat it for a fallback, in order.")
@click.option("--var", "-v", "variables", multiple=True, metavar="NAME=VALUE", help="Fills {{NAME}} in the text.")
@click.option("--at", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]), help="When, as in 2026-12-24T10:00:00+0300.")
@click.option("--id", "key", help="Your own id: the same message under it is sent once.")
@click.option("--explain", is_flag=True, help="Say what would be done, and send nothing.")
@click.option("--wait", is_flag=True, help="Wait up to a minute and tell how it ended.")
@as_json
def send(
    recipient: str,
    text: str,
    channels: tuple[str, ...],
    variables: tuple[str, ...],
    at: datetime | None,
    key: str | None,
    *,
    explain: bool,
    wait: bool,
    raw: bool,
) -> None:
    """Send TEXT to RECIPIENT, a phone number, an external id behind an @, or any identifier as kind:value.

    Ends with 1 if it was refused, and with --wait if it was not sent.
    """
    message = _message(recipient, [Step(channel=name, text=text) for name in channels], variables, at, key)

    async def command(gateway: Gateway) -> bool:
        (item,) = await (gateway.validate(message) if explain else gateway.send(message))
        if wait and not explain and isinstance(item.id, str):
            return _show(await gateway.ended(item.id), raw=raw)
        return _show(item, raw=raw)

    run_client(command)


@main.command()
@click.argument("key", metavar="ID")
@click.option("--wait", is_flag=True, help="Wait up to a minute until it has come to rest.")
@as_json
def status(key: str, *, wait: bool, raw: bool) -> None:
    """Show what became of message ID: every attempt and every decision."""

    async def command(gateway: Gateway) -> bool:
        _show(await (gateway.ended(key) if wait else gateway.status(key)), raw=raw)
        return True

    run_client(command)


@main.command()
@click.argument("key", metavar="[ID]", required=False)
@click.option("--group", help="All messages of this group.")
@click.option("--bulk", help="All messages of this bulk.")
@as_json
def cancel(key: str | None, group: str | None, bulk: str | None, *, raw: bool) -> None:
    """Cancel message ID, a group or a bulk. Ends with 1 if one of them has left already."""
    if sum(map(bool, (key, group, bulk))) != 1:
        raise click.UsageError("give one of ID, --group, --bulk")

    async def command(gateway: Gateway) -> bool:
        outcomes = await gateway.cancel(key, group_id=group, bulk_id=bulk)
        results = [_show(outcome, raw=raw) for outcome in outcomes]
        return all(results)

    run_client(command)


def _message(
    recipient: str, steps: list[Step], variables: Iterable[str], at: datetime | None, key: str | None
) -> Message:
    if malformed := [variable for variable in variables if "=" not in variable]:
        raise click.UsageError(f"-v {malformed[0]}: NAME=VALUE is needed")
    pairs = dict(variable.partition("=")[::2] for variable in variables)
    if not recipient.removeprefix("@").strip():
        raise click.UsageError("RECIPIENT: it is empty")
    destination = Destination(**_address(recipient), variables=pairs)
    return Message(destinations=[destination], channels=steps, send_at=at, id=key)


def _address(recipient: str) -> dict[str, str]:
    if recipient.startswith("@"):
        return {"external_id": recipient[1:]}
    return {"identifier" if ":" in recipient else "phone": recipient}


def _show(view: ItemView | StoryResponse | CancellationView, *, raw: bool) -> bool:
    """Print the view, as JSON if `raw`. Returns whether it reports a success."""
    lines, succeeded = _lines(view)
    for line in [_json(view)] if raw else lines:
        click.echo(line, err=not (raw or succeeded or isinstance(view, StoryResponse | CancellationView)))
    return succeeded


def _json(view: Struct) -> str:
    return msgspec.json.format(msgspec.json.encode(view)).decode()


def _lines(view: ItemView | StoryResponse | CancellationView) -> tuple[list[str], bool]:
    match view:
        case ItemView():
            return (_accepted(view), True) if view.error is UNSET else ([problem(view)], False)
        case StoryResponse():
            decisions = [f"  {line.at}  {line.text}" for line in view.decisions]
            return [f"{view.id}  {view.status}", *decisions], view.status in {"SENT", "DELIVERED", "READ"}
        case CancellationView():
            return [f"{view.id}  {view.result}  {view.reason or ''}".rstrip()], view.result == "cancelled"


def _accepted(item: ItemView) -> list[str]:
    steps = item.plan if item.plan is not UNSET else []
    reasons = [f"  {step.explanation}" for step in steps if step.explanation is not UNSET]
    warnings = [f"  warning: {warning}" for warning in item.warnings] if item.warnings is not UNSET else []
    return [f"{item.id}  {item.status}", *reasons, *warnings]
