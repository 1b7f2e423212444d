"""Whether a server can be reached, and whether its TLS is to be trusted: the two steps before anything is said."""

import asyncio

from mailroom.errors import ServerUnreachable
from mailroom.transport.network import certificate_end, reason, tls_context


async def reach(host: str, port: int, seconds: float, *, tls: bool) -> int | None:
    """Connect and hang up, at once inside TLS where `tls`; give the Unix time at which its certificate ends.

    Raises:
        ServerUnreachable: no connection within `seconds`, or no trusted TLS.
    """
    context = tls_context(None) if tls else None
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except OSError as error:
        raise ServerUnreachable(f"{host}:{port}: {reason(error)}") from None
    try:
        return certificate_end(writer.transport)
    finally:
        writer.transport.abort()
