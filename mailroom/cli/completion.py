"""`mailroom completion`: the script with which a shell completes verbs and options at the key Tab."""

from typing import Annotated, Literal

import typer
from typer._completion_shared import get_completion_script

from mailroom.cli.app import COMPLETE

Shell = Literal["bash", "zsh", "fish"]


def completion(
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="Which: bash, zsh or fish.")],
) -> None:
    """Print a script that teaches a shell to complete this program's verbs and options."""
    typer.echo(get_completion_script(prog_name="mailroom", complete_var=COMPLETE, shell=shell))
