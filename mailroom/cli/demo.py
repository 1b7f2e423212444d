"""`mailroom demo`."""

import typer


def demo() -> None:
    """Placeholder."""
    typer.echo("demo")
