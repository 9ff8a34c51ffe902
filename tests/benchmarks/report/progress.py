"""Prints progress on standard error, so that standard output has the table alone."""

import click


def tell(words: str) -> None:
    click.echo(f"  {words}", err=True)
