"""Bringing the schema to this program's version (alembic), which hardly any start needs to do."""

from pathlib import Path
from typing import TYPE_CHECKING

from mailroom.records.database import HEAD, connected, version

if TYPE_CHECKING:
    from alembic.config import Config


def upgrade(url: str) -> None:
    """Bring the schema to the version of this program; makes the database when there is none. Synchronous."""
    if version(url) == HEAD:
        return
    from alembic import command  # noqa: PLC0415 takes 0.2 s and 10 MB, for nothing where the schema is right

    with connected(url) as connection:
        config = alembic_config(url)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def alembic_config(url: str) -> "Config":
    """Say where alembic finds the migrations."""
    from alembic.config import Config  # noqa: PLC0415 likewise

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config
