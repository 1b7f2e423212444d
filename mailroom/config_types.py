"""The kinds of value that the configuration is made of: each checks itself and says what it expected.

No refusal repeats the value itself: it may be an address, or a password put in the wrong place.
"""

import os
import re
from dataclasses import dataclass
from datetime import UTC, date, tzinfo
from pathlib import Path
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from babel import Locale
from babel.core import get_global
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo
from pydantic_core import PydanticCustomError

from mailroom.errors import ConfigError, Problem
from mailroom.nearest import nearest

KEY_BYTES = 32  # the wrapping key is an AES-256 key
CREDENTIAL = "credential:"

# RFC 5322 section 3.4.1 without quoted strings and literals, https://www.rfc-editor.org/rfc/rfc5322#section-3.4.1
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDR_SPEC = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@(?P<domain>{_LABEL}(?:\.{_LABEL})*)")
_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")
_HOURS = re.compile(r"([01]?[0-9]|2[0-3])-([01]?[0-9]|2[0-3])")

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a configuration is read: its file, and the folder of systemd's credentials ("" for none)."""

    file: Path = Path("config.toml")
    credentials: str = ""


def refuse(what: str, nearest: str | None = None) -> PydanticCustomError:
    """Make the error for one value: what was expected, and the nearest valid value if there is one."""
    return PydanticCustomError("refused", "{what}", {"what": what, "nearest": nearest})


def _matching(pattern: str, what: str) -> AfterValidator:
    def check(value: str) -> str:
        if re.fullmatch(pattern, value) is None:
            raise refuse(what)
        return value

    return AfterValidator(check)


def _address(value: str) -> str:
    found = _ADDR_SPEC.fullmatch(value)
    if found is None:
        raise refuse("must be one bare mail address, such as desk@community.example")
    return f"{found['local']}@{found['domain'].lower()}"


def _fingerprint(value: str) -> str:
    bare = re.sub(r"\s", "", value).upper()
    if _FINGERPRINT.fullmatch(bare) is None:
        raise refuse("must be the whole fingerprint of a key: 40 or 64 hexadecimal digits, spaces allowed")
    return bare


def zone(name: str) -> tzinfo:
    """Give the time zone of this name; UTC needs no time zone files on the machine.

    Raises:
        ValueError: there is no such time zone.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError("no such time zone") from error


def _timezone(value: str) -> str:
    try:
        zone(value)
    except ValueError:
        zones = available_timezones()
        city = (name for name in sorted(zones) if name.lower().endswith(f"/{value.lower()}"))
        hint = next(city, None) or nearest(value, zones)
        raise refuse("must be a time zone such as UTC or Europe/Berlin", hint) from None
    return value


def _country(value: str) -> str:
    # Locale knows regions ("150") beside countries; a code that is silently wrong would withhold nothing.
    if len(value) == 2 and value.isupper() and value in Locale("en").territories:
        return value
    aliases = get_global("territory_aliases").get(value.upper(), [value.upper()])
    hint = next((code for code in aliases if code in Locale("en").territories), None)
    raise refuse("must be a country code of ISO 3166-1: two capital letters, such as DE", hint)


def quiet_hours(value: str) -> tuple[int, int] | None:
    """Read quiet hours "20-07": (first quiet hour, first hour that is not); None for "".

    Raises:
        ValueError: not two different hours of the day.
    """
    if not value:
        return None
    found = _HOURS.fullmatch(value)
    if found is None or int(found[1]) == int(found[2]):
        raise ValueError("not two different hours")
    return int(found[1]), int(found[2])


def _quiet(value: str) -> str:
    try:
        quiet_hours(value)
    except ValueError:
        raise refuse('must be two different hours of the day, such as "20-07"') from None
    return value


def _date(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise refuse("must be a date, such as 2030-12-31") from None


def _place(info: ValidationInfo) -> Place:
    return info.context if isinstance(info.context, Place) else Place()


def _absolute(value: str, place: Place) -> Path:
    if not value or "\0" in value or value.startswith("~"):
        raise refuse("must be a path, written whole or relative to the folder of this file")
    return place.file.absolute().parent / value


def _path(value: object, info: ValidationInfo) -> object:
    return _absolute(str(value), _place(info)) if isinstance(value, str | Path) else value


def _path_or_none(value: object, info: ValidationInfo) -> object:
    return None if value == "" else _path(value, info)


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file that holds a secret, named by `key` of the configuration `file`; read only when it is needed."""

    path: Path
    file: str
    key: str

    def read(self) -> str:
        """Read the secret as text, without one trailing newline.

        Raises:
            ConfigError: the file cannot be read, or is not UTF-8 text.
        """
        try:
            text = self._bytes().decode()
        except UnicodeDecodeError:
            raise self._error("the file must hold UTF-8 text") from None
        return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text

    def read_key(self) -> bytes:
        """Read a key of exactly 32 bytes.

        A 33rd byte is dropped when it is a newline, as in every secret file; a 32nd never is, because a random key may
        well end in one.

        Raises:
            ConfigError: the file cannot be read, or has another length.
        """
        content = self._bytes()
        if len(content) == KEY_BYTES + 1:
            content = content.removesuffix(b"\n")
        if len(content) != KEY_BYTES:
            raise self._error(f"the file must hold exactly {KEY_BYTES} bytes")
        return content

    def _bytes(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            raise self._error(f"the file cannot be read: {error.strerror}") from None

    def _error(self, what: str) -> ConfigError:
        return ConfigError(Problem(self.file, self.key, what))


def _credential(name: str, place: Place) -> Path:
    # as systemd.exec(5) says under CREDENTIALS
    if not place.credentials:
        raise refuse(
            "names a systemd credential, but systemd gave none: run the command as mailroom-desk, "
            "or set CREDENTIALS_DIRECTORY to the folder that holds it"
        )
    if re.fullmatch(r"[\w.-]+", name) is None or name in {".", ".."}:
        raise refuse("must name a systemd credential, such as credential:imap-password")
    return Path(place.credentials) / name


def secret(key: str) -> BeforeValidator:
    """Make the check of a `*_file` key: a path or `credential:NAME` becomes a SecretFile, "" becomes None."""

    def read(value: object, info: ValidationInfo) -> object:
        if value == "" or not isinstance(value, str):
            return value or None
        place = _place(info)
        named = value.startswith(CREDENTIAL)
        path = _credential(value.removeprefix(CREDENTIAL), place) if named else _absolute(value, place)
        if not os.access(path, os.R_OK) or path.is_dir():
            raise refuse(f"there is no file {path} that this user may read")
        return SecretFile(path, str(place.file), key)

    return BeforeValidator(read)


Line = Annotated[str, _matching(r"[^\x00-\x1f\x7f]*", "must be one line of text")]
FilledLine = Annotated[str, _matching(r"[^\x00-\x1f\x7f]+", "must be one line of text, and not empty")]
ShortLine = Annotated[str, _matching(r"[^\x00-\x1f\x7f]{0,80}", "must be one line of at most 80 characters")]
Host = Annotated[str, _matching(r"[^\s/@\x00]+", "must be the name or address of a server, without port or path")]
LanguageTag = Annotated[
    str, _matching(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", "must be a language tag, such as en or zh-Hant")
]
WebAddress = Annotated[str, _matching(r"(https?://[^\s]+)?", 'must be a web address that begins with https://, or ""')]
Address = Annotated[str, AfterValidator(_address)]
Fingerprint = Annotated[str, AfterValidator(_fingerprint)]
FingerprintOrNone = Annotated[Fingerprint | None, BeforeValidator(lambda value: None if value == "" else value)]
Timezone = Annotated[str, AfterValidator(_timezone)]
Country = Annotated[str, AfterValidator(_country)]
Quiet = Annotated[str, AfterValidator(_quiet)]
Day = Annotated[date, BeforeValidator(_date)]
AbsolutePath = Annotated[Path, BeforeValidator(_path)]
AbsolutePathOrNone = Annotated[Path | None, BeforeValidator(_path_or_none)]
Positive = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]

# TOML has lists; ours are tuples, so that a configuration never changes.
Some = Annotated[tuple[_Item, ...], BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)]


class Table(BaseModel):
    """One table of the file: frozen, strict about types, closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)
