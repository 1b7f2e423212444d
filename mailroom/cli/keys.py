"""`mailroom keys`: the public keys of keepers, archive, admins and researchers, and the desk's own ones."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from mailroom.cli.options import (
    ConfigOption,
    JsonOption,
    config_of,
    config_path,
    group,
    print_columns,
    print_json,
    shown,
)
from mailroom.cli.ready import named_keys, require_keys
from mailroom.config import Config, load
from mailroom.errors import ConfigError, Problem
from mailroom.transport.gnupg_home import DeskHome
from mailroom.transport.gnupg_status import Key

app = group("Import, add, list and export the keys in the desk's keyring.")
_COLUMNS = ("fingerprint", "addresses", "expires", "named")


@app.command(name="import")
def import_keys(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="FILE...", help="Files with public keys, or - for stdin.")],
    json_lines: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Put public keys into the desk's keyring. Private keys are refused: they have no place on this machine."""
    settings = config_of(context, config)
    home = DeskHome(settings.openpgp.home)
    imported = [fingerprint for content in _contents(paths) for fingerprint in home.import_public(content)]
    for line in _lines(settings, [key for key in home.list_keys() if key.fingerprint in imported]):
        print_json(line) if json_lines else typer.echo(f"{line['fingerprint']} {shown(line['addresses'])}")
        if not line["named"]:
            typer.echo(f"{line['fingerprint']} is not named in the configuration yet", err=True)


@app.command()
def add(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="FILE", help="A file with private keys, or - for stdin.")],
    json_lines: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Add a retired key of the desk, with its private half, and read again what waited for it."""
    file = config_path(context, config)
    settings = load(file)
    [content] = _contents([path])
    added = DeskHome(settings.openpgp.home).import_secret(content)
    require_keys(settings, file)
    for fingerprint in added:
        print_json({"fingerprint": fingerprint}) if json_lines else typer.echo(f"{fingerprint} is the desk's now")
    if settings.has_database:
        # SQLAlchemy takes long to load, and the other commands here have no use for it.
        from mailroom import log  # noqa: PLC0415
        from mailroom.cli.case import retried  # noqa: PLC0415

        log.configure("error")
        # What still does not open needs yet another key: that is no failure of this one.
        retried(settings, None, json_lines=json_lines)


def _contents(paths: list[str]) -> list[bytes]:
    """Read every file before the first key is imported."""
    missing = [path for path in paths if path != "-" and not Path(path).is_file()]
    if missing:
        raise ConfigError(*(Problem(path, "", "there is no such file.") for path in missing))
    return [sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes() for path in paths]


@app.command(name="list")
def list_keys(context: typer.Context, json_lines: JsonOption = False, config: ConfigOption = None) -> None:
    """List the keys in the desk's keyring, and the keys of the configuration that name each."""
    settings = config_of(context, config)
    lines = _lines(settings, DeskHome(settings.openpgp.home).list_keys())
    if json_lines:
        for line in lines:
            print_json(line)
    else:
        print_columns(_COLUMNS, [[line[name] for name in _COLUMNS] for line in lines])


def _lines(config: Config, keys: list[Key]) -> list[dict[str, object]]:
    named = list(named_keys(config))
    return [
        {
            "fingerprint": key.fingerprint,
            "addresses": list(key.addresses),
            "created": f"{key.created:%Y-%m-%dT%H:%M:%SZ}",
            "expires": f"{key.expires:%Y-%m-%dT%H:%M:%SZ}" if key.expires else None,
            "secret": key.secret,
            "revoked": key.revoked,
            "named": [name for name, fingerprint in named if fingerprint == key.fingerprint],
        }
        for key in keys
    ]


@app.command(name="export")
def export_key(
    context: typer.Context,
    fingerprint: Annotated[
        str | None, typer.Argument(metavar="[FINGERPRINT]", help="Without it: the desk key.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Print one public key, armored: the desk key is what people encrypt to."""
    settings = config_of(context, config)
    wanted = "".join((fingerprint or settings.openpgp.key).split()).upper().removeprefix("0X")
    typer.echo(DeskHome(settings.openpgp.home).export_public(wanted).decode("ascii"), nl=False)
