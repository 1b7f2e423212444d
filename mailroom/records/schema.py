"""Bringing the schema to this program's version (alembic). Apart from `database.py`: only the daemon needs it."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from mailroom.records.database import engine_for


def upgrade(url: str) -> None:
    """Bring the schema to the version of this program; makes the database when there is none. Synchronous."""
    engine = engine_for(url)
    with engine.connect() as connection:
        config = alembic_config(url)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
    engine.dispose()


def alembic_config(url: str) -> Config:
    """Say where alembic finds the migrations."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config
