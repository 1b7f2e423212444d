"""All verbs in one place, the option `--config` before or after the verb, and exit statuses.

0 done; 1 checked and found wanting; 2 bad usage or bad configuration; 3 a server could not be reached at all.
"""

import io
import os
import sys
from importlib import import_module
from typing import Any, NoReturn

import typer
from typer._completion_classes import completion_init
from typer.core import TyperGroup

from mailroom import __version__
from mailroom.cli.options import remember
from mailroom.cli.starting import lasting
from mailroom.errors import ConfigError, MailroomError, ServerUnreachable

# Each is a module beside this one: with an `app` when it has verbs of its own, else with a function of its name.
VERBS = ("init", "run", "demo", "doctor", "explain", "rules", "case", "keys", "db", "alarm", "completion")
# Set by the script of `mailroom completion` when a shell asks how a line could go on.
COMPLETE = "_MAILROOM_COMPLETE"


class Verbs(TyperGroup):
    """Imports a verb when it is used: most need little of the program, and so start in a fraction of the time."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 typer does not tell the name of this type
        """Name every verb, in the order in which people meet them."""
        return [*VERBS, *super().list_commands(ctx)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 likewise
        """Import the verb's module and build the verb; None when there is no such verb."""
        if cmd_name not in VERBS:
            return super().get_command(ctx, cmd_name)
        with lasting():
            module = import_module(f"mailroom.cli.{cmd_name}")
        if hasattr(module, "app"):
            return typer.main.get_command(module.app)
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name=cmd_name)(getattr(module, cmd_name))
        return typer.main.get_command(single)


app = typer.Typer(
    cls=Verbs,
    callback=remember,
    help="Mailroom: a confidential reporting and referral service that runs by e-mail.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

# Typer does so only together with options of its own that change a person's start-up files.
completion_init()


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> NoReturn:
    """Run the command line; end with the exit status of the contract, and never with a traceback."""
    os.umask(0o077)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # In JSON, what this writes for half a character is an escape that reads back as the same.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        # Calling `app` itself would put Typer's excepthook in place, which prints what variables held.
        typer.main.get_command(app)(prog_name="mailroom", complete_var=COMPLETE)
    except ConfigError as error:
        _fail(str(error), 2)
    except ServerUnreachable as error:
        _fail(str(error), 3)
    except MailroomError as error:
        _fail(str(error), 1)
    except OSError as error:
        _fail(f"{error.filename or 'the system'}: {error.strerror or type(error).__name__}", 1)
    except Exception as error:  # noqa: BLE001 the outermost boundary: a traceback may quote a mail, this line cannot
        _fail(_defect(error), 1)
    raise SystemExit(0)


def _defect(error: Exception) -> str:
    from mailroom.log import describe  # noqa: PLC0415 nothing else here needs the log, and it takes long to load

    return f"Mailroom stopped because of a defect of its own; please report this: {describe(error)}"


def _fail(text: str, status: int) -> NoReturn:
    sys.stderr.write(f"{text}\n")
    raise SystemExit(status)
