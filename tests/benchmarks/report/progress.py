"""What is going on, for whoever watches: on standard error, so that the table alone is on standard output."""

import click


def tell(words: str) -> None:
    click.echo(f"  {words}", err=True)
