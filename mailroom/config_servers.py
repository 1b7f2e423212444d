"""The keys of [imap] and [smtp]: where the servers are, how the way there is protected, and who we are to them."""

import ipaddress
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from mailroom.config_types import FilledLine, Host, Line, NotNegative, Positive, SecretFile, Some, Table, refuse, secret

Security = Literal["tls", "starttls", "plain"]
Port = Annotated[int, Field(ge=1, le=65535)]
_IMAP_PORTS = {"tls": 993, "starttls": 143, "plain": 143}
_SMTP_PORTS = {"tls": 465, "starttls": 587, "plain": 25}


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
    def _not_yet(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value:
            raise refuse("is not supported yet: use password_file")
        return value


class Imap(Server):
    """The mailbox that we empty."""

    username: FilledLine
    port: Port = Field(default_factory=lambda known: _IMAP_PORTS[known["security"]])
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
        if value is None and "token_command" in info.data:  # else that is told, with what to do
            raise refuse("is required")
        return value

    @field_validator("junk", "filed", "quarantine", "sent")
    @classmethod
    def _not_the_inbox(cls, value: str, info: ValidationInfo) -> str:
        if value and value == info.data.get("inbox"):
            raise refuse("must be another folder than inbox")
        return value


class Smtp(Server):
    """The server that takes our letters."""

    port: Port = Field(default_factory=lambda known: _SMTP_PORTS[known["security"]])
    password_file: Annotated[SecretFile | None, secret("smtp.password_file"), Field(validate_default=True)] = None

    @field_validator("password_file")
    @classmethod
    def _secret_with_a_name(cls, value: SecretFile | None, info: ValidationInfo) -> SecretFile | None:
        known = info.data
        if known.keys() >= {"username", "token_command"} and bool(known["username"]) != bool(value):
            raise refuse("username goes together with password_file")
        return value
