"""Finds the configuration. Apart from `config.py`, because who has none should not wait for its schema to load."""

from collections.abc import Mapping
from pathlib import Path
from stat import S_ISREG

from mailroom.errors import ConfigError, Problem

VARIABLE = "MAILROOM_CONFIG"
PLACES = (Path("config.toml"), Path("/etc/mailroom/config.toml"))


def find(explicit: Path | None, environ: Mapping[str, str]) -> Path:
    """Find the configuration: the explicit file, $MAILROOM_CONFIG, ./config.toml, /etc/mailroom/config.toml.

    A file that was asked for, or that may be there and cannot be looked at, is never passed over for the next.

    Raises:
        ConfigError: there is none; tells where it was looked for.
    """
    if explicit is not None:
        return _existing((explicit,), "was asked for, but there is no such file")
    if environ.get(VARIABLE):
        return _existing((Path(environ[VARIABLE]),), f"is named by ${VARIABLE}, but there is no such file")
    tried = ", ".join(str(path) for path in PLACES)
    return _existing(
        PLACES, f"there is no configuration. Tried: ${VARIABLE} (not set), {tried}. `mailroom init` makes one"
    )


def _existing(paths: tuple[Path, ...], otherwise: str) -> Path:
    found = next((path for path in paths if _is_file(path)), None)
    if found is None:
        raise ConfigError(Problem(str(paths[0]), "", otherwise + "."))
    return found


def _is_file(path: Path) -> bool:
    try:
        return S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise ConfigError(Problem(str(path), "", f"cannot be looked at: {error.strerror}.")) from None
