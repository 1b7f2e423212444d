"""What IMAP and SMTP share: how a connection is protected, and how its failure is told to the operator."""

import asyncio
import errno
import os
import socket
import ssl
from typing import Literal

Security = Literal["tls", "starttls", "plain"]


def tls_context(cafile: str | None) -> ssl.SSLContext:
    """Make a context that verifies chain and host name, TLS 1.2 or newer; `cafile` adds a PEM file of authorities.

    Raises:
        OSError: `cafile` cannot be read.
    """
    context = ssl.create_default_context(cafile=cafile)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def certificate_end(transport: asyncio.BaseTransport | None) -> int | None:
    """Give the Unix time at which the other side's certificate ends; None without TLS."""
    inside = transport.get_extra_info("ssl_object") if transport else None
    end = (inside.getpeercert() or {}).get("notAfter") if isinstance(inside, ssl.SSLObject) else None
    return int(ssl.cert_time_to_seconds(end)) if isinstance(end, str) else None


def reason(error: BaseException) -> str:
    """Say in a few words why a connection failed; never what was sent over it."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({error.verify_message})"
        case ssl.SSLError():
            return f"TLS failed ({error.reason})"
        case TimeoutError():
            return "no answer in time"
        case socket.gaierror():
            return "its host name is unknown"
        case OSError():
            return _words(error)
        case _:
            return "the connection was lost"


def _words(error: OSError) -> str:
    """Give the system's words: asyncio puts its own into strerror, and tells of several addresses in one text."""
    if error.errno is not None and error.errno in errno.errorcode:
        return os.strerror(error.errno)
    several = str(error).startswith("Multiple exceptions")
    return "no connection to any of its addresses" if several else error.strerror or "the connection was lost"
