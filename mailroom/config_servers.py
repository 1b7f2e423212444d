"""The keys of [imap] and [smtp]: where the servers are, how the way there is protected, and who we are to them."""

import ipaddress
import shutil
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from mailroom.config_types import (
    FilledLine,
    Host,
    Line,
    NotNegative,
    Place,
    Positive,
    SecretFile,
    Some,
    Table,
    refuse,
    secret,
)

Security = Literal["tls", "starttls", "plain"]
Port = Annotated[int, Field(ge=1, le=65535)]
#: The usual port of each kind of protection.
IMAP_PORTS = {"tls": 993, "starttls": 143, "plain": 143}
SMTP_PORTS = {"tls": 465, "starttls": 587, "plain": 25}


def is_loopback(host: str) -> bool:
    """Tell whether this host is this machine, without asking DNS (127.0.0.0/8, ::1, localhost)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class Server(Table):
    """What IMAP and SMTP have in common: where, how protected, and who we are there."""

    host: Host
    security: Annotated[Security, Field(validate_default=True)] = "tls"
    username: Line = ""
    token_command: Annotated[Some[str], Field(repr=False)] = ()

    @field_validator("security")
    @classmethod
    def _plain_stays_here(cls, value: Security, info: ValidationInfo) -> Security:
        if value == "plain" and not is_loopback(info.data.get("host", "localhost")):
            raise refuse("plain is allowed only for a server on this machine (localhost)", "tls")
        return value

    @field_validator("token_command")
    @classmethod
    def _program(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        """Find the program beside the configuration when its name is a relative path."""
        if not value:
            return value
        if not value[0] or any("\0" in word for word in value):
            raise refuse("must name a program and its arguments, each in quotes")
        place = info.context if isinstance(info.context, Place) else Place()
        program = str(place.file.absolute().parent / value[0]) if "/" in value[0] else value[0]
        if shutil.which(program) is None:
            raise refuse("names a program that is not there or that this user may not run")
        return (program, *value[1:])


class Imap(Server):
    """The mailbox that we empty."""

    username: FilledLine
    port: Port = Field(default_factory=lambda known: IMAP_PORTS[known["security"]])
    password_file: Annotated[SecretFile | None, secret("imap.password_file"), Field(validate_default=True)] = None
    inbox: FilledLine = "INBOX"
    junk: Line = ""
    filed: FilledLine = "Filed"
    quarantine: FilledLine = "Quarantine"
    sent: Line = ""
    after_filing: Literal["delete", "move"] = "delete"
    filed_days: NotNegative = 7
    idle: bool = True
    poll_seconds: Positive = 60
    max_message_bytes: Positive = 26214400
    authserv_id: Line = ""

    @field_validator("password_file")
    @classmethod
    def _some_secret(cls, value: SecretFile | None, info: ValidationInfo) -> SecretFile | None:
        known = info.data.get("token_command")
        if value is None and known == ():
            raise refuse("is required, unless there is a token_command")
        if value is not None and known:
            raise refuse("must be left out where token_command stands: there is one way to log in")
        return value

    @field_validator("junk", "filed", "quarantine", "sent")
    @classmethod
    def _not_the_inbox(cls, value: str, info: ValidationInfo) -> str:
        if value and value == info.data.get("inbox"):
            raise refuse("must be another folder than inbox")
        return value

    @field_validator("filed", "quarantine")
    @classmethod
    def _not_for_junk(cls, value: str, info: ValidationInfo) -> str:
        if value == info.data.get("junk"):  # what is moved there would be read again, and deleted as a second copy
            raise refuse("must be another folder than junk")
        return value


class Smtp(Server):
    """The server that takes our letters."""

    port: Port = Field(default_factory=lambda known: SMTP_PORTS[known["security"]])
    password_file: Annotated[SecretFile | None, secret("smtp.password_file"), Field(validate_default=True)] = None

    @field_validator("password_file")
    @classmethod
    def _secret_with_a_name(cls, value: SecretFile | None, info: ValidationInfo) -> SecretFile | None:
        known = info.data
        if not known.keys() >= {"username", "token_command"}:
            return value
        if value is not None and known["token_command"]:
            raise refuse("must be left out where token_command stands: there is one way to log in")
        if bool(known["username"]) != bool(value or known["token_command"]):
            raise refuse("username goes together with password_file or token_command")
        return value
