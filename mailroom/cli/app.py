"""All verbs in one place, the option `--config` before or after the verb, and exit statuses.

0 done; 1 checked and found wanting; 2 bad usage or bad configuration; 3 a server could not be reached at all.
"""

import sys
from typing import NoReturn

import typer

from mailroom import __version__
from mailroom.cli import case, demo, explain, init, run
from mailroom.cli.options import ConfigOption, remember
from mailroom.errors import ConfigError, MailroomError, NoSuchCase, ServerUnreachable

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
app.command(name="init")(init.init)
app.command(name="run")(run.run)
app.command(name="demo")(demo.demo)
app.command(name="explain")(explain.explain)
app.add_typer(case.app, name="case")


@app.callback()
def everywhere(context: typer.Context, config: ConfigOption = None) -> None:
    """Mailroom: a confidential reporting and referral service that runs by e-mail."""
    remember(context, config)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> NoReturn:
    """Run the command line; end with the exit status of the contract."""
    try:
        app()
    except ConfigError as error:
        _fail(str(error), 2)
    except ServerUnreachable as error:
        _fail(str(error), 3)
    except NoSuchCase as error:
        _fail(str(error), 1)
    except MailroomError as error:
        _fail(str(error), 1)
    raise SystemExit(0)


def _fail(text: str, status: int) -> NoReturn:
    sys.stderr.write(f"{text}\n")
    raise SystemExit(status)
