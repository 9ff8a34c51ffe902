"""What each command says of itself: its arguments, its options, and what they are when they are not given."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gateway.cli import main
from tests.support.docs import compare

HELP = Path(__file__).with_name("help.md")


def helps(command: click.Command, parent: click.Context | None, name: str) -> Iterator[str]:
    """Yield the help of a command and of those below it."""
    context = click.Context(command, parent, name, terminal_width=100, max_content_width=100)
    yield f"```\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for each in sorted(command.list_commands(context)):
            below = command.get_command(context, each)
            assert below
            yield from helps(below, context, each)


def test_the_help_of_every_command(request: pytest.FixtureRequest) -> None:
    """The table says it as people see it, so that nothing of it changes unseen; `--renew-tables` writes it anew."""
    compare(HELP, "\n".join(helps(main, None, "gateway")), request)
