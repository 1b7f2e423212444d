"""`mailroom db`: the version of the database's schema."""

import typer

from mailroom.cli.options import ConfigOption, JsonOption, config_of, group, print_json
from mailroom.daemon import alone_in
from mailroom.records import database, schema

app = group("Show and upgrade the database's schema.")


@app.command()
def status(context: typer.Context, json_lines: JsonOption = False, config: ConfigOption = None) -> None:
    """Tell the version of the database and the one that this program needs; exit status 1 when they differ."""
    settings = config_of(context, config)
    current = database.version(settings.database_url) if settings.has_database else None
    if json_lines:
        print_json({"version": current, "needed": database.HEAD})
    else:
        typer.echo(f"the database has version {current or 'none'}, this program needs {database.HEAD}")
    raise typer.Exit(0 if current == database.HEAD else 1)


@app.command()
def upgrade(context: typer.Context, config: ConfigOption = None) -> None:
    """Bring the database to the version that this program needs; `mailroom run` does so by itself."""
    settings = config_of(context, config)
    with alone_in(settings.service.data_dir):
        schema.upgrade(settings.database_url)
    typer.echo(f"the database has version {database.version(settings.database_url)}", err=True)
