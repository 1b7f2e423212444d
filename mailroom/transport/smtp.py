"""Letters to the SMTP server over one kept connection: the one file that knows aiosmtplib."""

import asyncio
import re
from collections.abc import Awaitable
from contextlib import ExitStack, suppress
from dataclasses import dataclass

import aiosmtplib
from aiosmtplib.email import parse_address

from mailroom.errors import DeliveryFailure, LoginRefused, PermanentFailure, ServerUnreachable, TemporaryFailure
from mailroom.flow.filing import Letter
from mailroom.transport.login import Secret
from mailroom.transport.network import Security, certificate_end, reason, tls_context

QUIT_SECONDS = 0.9
# What we call ourselves. It ends up in a Received field of every letter, so it must not name this machine; an
# address literal is what RFC 5321 section 4.1.4 allows a client without a name, and servers that refuse
# `localhost` as not fully qualified take it.
NEUTRAL_NAME = "[127.0.0.1]"

# Login refused or asked for (RFC 4954 section 6), commands out of order: faults of the session, not of the letter.
_NOT_THE_LETTER = frozenset({503, 530, 534, 535, 538})
# What a kept connection answers when its server has had enough of it; 0: it did not answer.
_STALE = frozenset({0, 421})
_ATOM = r'[^\s()<>\[\]:;,\\"@]+'
_ADDRESS = re.compile(rf'(?:{_ATOM}|"[^"\\<>]*")@{_ATOM}')
_FAILURES = (OSError, aiosmtplib.SMTPException)


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where the submission server is and how to get in; without `username` there is no login.

    `timeout`: seconds for each step. `data_timeout`: seconds to wait for the
    verdict on a whole letter; RFC 5321 section 4.5.3.2.6 asks for 10 minutes, because a server that takes the letter
    just after we gave up delivers it twice. `cafile`: a PEM file of authorities beside those of the system.
    """

    host: str
    port: int
    security: Security
    username: str | None = None
    secret: Secret | None = None
    timeout: float = 60.0
    data_timeout: float = 600.0
    cafile: str | None = None

    @property
    def place(self) -> str:
        """Name the server, for errors."""
        return f"{self.host}:{self.port}"


class SmtpCourier:
    """Takes letters to the server, one after the other, fitting `flow.ports.Courier`."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._smtp: aiosmtplib.SMTP | None = None
        self._certificate_end: int | None = None
        self._lock = asyncio.Lock()

    async def send(self, letter: Letter) -> None:
        """Hand over one letter; returning means the server answered 250 to its bytes.

        The bytes go as they are, except that every line must end with CRLF on the wire. A kept connection that has
        gone stale is replaced once, before anything of the letter was said.

        Raises:
            ServerUnreachable: no connection or no login; the letter was not tried.
            TemporaryFailure: not taken now; also when the server fell silent after the whole letter.
            PermanentFailure: never to be taken; also for an address that cannot be written on a command line.
        """
        if letter.sender:
            _check(letter.sender)
        _check(letter.recipient)
        async with self._lock:
            smtp = await self._mail(letter)
            encoding = "ascii" if letter.recipient.isascii() else "utf-8"
            await self._step("RCPT", smtp.rcpt(letter.recipient, encoding=encoding))
            await self._step("DATA", smtp.data(letter.content, timeout=self._settings.data_timeout))

    async def connect(self) -> None:
        """Open a session and log in, if there is none. Raises ServerUnreachable."""
        async with self._lock:
            if self._smtp is None or not self._smtp.is_connected:
                await self._connect()

    async def try_sender(self, sender: str) -> None:
        """Ask whether the server takes letters from `sender` ("" for the null one); sends none. Raises as `send`."""
        if sender:
            _check(sender)
        async with self._lock:
            smtp = await self._mail(Letter(sender, "", b""))
            await self._step("RSET", smtp.rset())

    def certificate_expires(self) -> int | None:
        """Unix time at which the certificate of the server ends that we met last; None without TLS."""
        return self._certificate_end

    async def close(self) -> None:
        """Say QUIT, or drop the connection within a second; never raises."""
        if self._smtp is None:
            return
        try:
            with suppress(*_FAILURES):
                async with asyncio.timeout(QUIT_SECONDS):
                    await self._smtp.quit()
        finally:
            self._drop()

    async def _mail(self, letter: Letter) -> aiosmtplib.SMTP:
        """Begin the letter, over the kept connection if that still works, else over a new one."""
        if self._smtp and self._smtp.is_connected:
            try:
                return await self._mail_over(self._smtp, letter)
            except TemporaryFailure as failure:
                if failure.code not in _STALE:
                    raise
        return await self._mail_over(await self._connect(), letter)

    async def _mail_over(self, smtp: aiosmtplib.SMTP, letter: Letter) -> aiosmtplib.SMTP:
        options = _options(smtp, letter)
        encoding = "utf-8" if "SMTPUTF8" in options else "ascii"
        await self._step("MAIL", smtp.mail(letter.sender, options=options, encoding=encoding))
        return smtp

    async def _step(self, name: str, step: Awaitable[object]) -> None:
        """Take one step of a letter; only after a clean refusal the connection is kept."""
        with ExitStack() as failure:
            failure.callback(self._drop)
            try:
                await step
            except aiosmtplib.SMTPResponseException as error:
                # `from None`: the library's errors quote addresses
                raise await self._refused(name, error.code, failure) from None
            except _FAILURES as error:
                raise TemporaryFailure(f"the SMTP server {self._settings.place}, at {name}: {reason(error)}") from None
            failure.pop_all()

    async def _refused(self, name: str, code: int, failure: ExitStack) -> DeliveryFailure:
        with suppress(*_FAILURES):
            if self._smtp:
                await self._smtp.rset()
                failure.pop_all()
        # A refusal at MAIL is about us, not about the letter, unless it is too large (RFC 1870 section 6.1, code 552).
        ours = code in _NOT_THE_LETTER or (name == "MAIL" and code != 552)
        permanent = 500 <= code < 600 and not ours
        kind = PermanentFailure if permanent else TemporaryFailure
        return kind(f"the SMTP server {self._settings.place} answered {code} at {name}", code)

    async def _connect(self) -> aiosmtplib.SMTP:
        """Connect and log in anew. A refused token is asked for anew, once."""
        self._drop()
        secret = self._settings.secret
        try:
            self._smtp = await connect(self._settings)
        except LoginRefused:
            if secret is None or not secret.renew():
                raise
            self._smtp = await connect(self._settings)
        self._certificate_end = certificate_end(self._smtp.transport)
        return self._smtp

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp:
            _abort(smtp)


async def connect(settings: SmtpSettings) -> aiosmtplib.SMTP:
    """Open a session and log in.

    Raises:
        LoginRefused: the server refuses name and secret, or there is no token to be had.
        ServerUnreachable: no connection, no TLS, no session.
    """
    smtp = _client(settings)
    with ExitStack() as failure:
        failure.callback(_abort, smtp)
        try:
            await smtp.connect()
            if smtp.is_ehlo_or_helo_needed:
                await smtp.ehlo()
            if settings.username and settings.secret:
                await _log_in(smtp, settings.username, settings.secret)
        except aiosmtplib.SMTPAuthenticationError as error:
            raise LoginRefused(f"the SMTP server {settings.place}: it refused the login ({error.code})") from None
        except LoginRefused as error:
            raise LoginRefused(f"the SMTP server {settings.place}: {error}") from None
        except _FAILURES as error:
            raise ServerUnreachable(f"the SMTP server {settings.place}: {_why(error)}") from None
        failure.pop_all()
    return smtp


async def _log_in(smtp: aiosmtplib.SMTP, username: str, secret: Secret) -> None:
    shown = await secret.get()
    if not secret.is_token:
        await smtp.login(username, shown)
    elif "xoauth2" in smtp.server_auth_methods:
        await smtp.auth_xoauth2(username, shown)
    else:
        raise aiosmtplib.SMTPException("it does not offer XOAUTH2, which token_command needs; use password_file")


def _client(settings: SmtpSettings) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        local_hostname=NEUTRAL_NAME,
        timeout=settings.timeout,
        use_tls=settings.security == "tls",
        start_tls=settings.security == "starttls",
        tls_context=None if settings.security == "plain" else tls_context(settings.cafile),
    )


def _abort(smtp: aiosmtplib.SMTP) -> None:
    # abort: nothing of a letter that we gave up may still leave a buffer
    if isinstance(smtp.transport, asyncio.WriteTransport):
        smtp.transport.abort()


def _check(address: str) -> None:
    """Refuse an address that could say more than an address on a command line (RFC 5321 section 4.1.2).

    Quoted local parts are taken, without `<`, `>` and backslash in them; domain literals are not.
    """
    if not address.isprintable() or not _ADDRESS.fullmatch(address) or parse_address(address) != address:
        raise PermanentFailure("an envelope address is not one that can be sent to; the letter was not tried")


def _options(smtp: aiosmtplib.SMTP, letter: Letter) -> list[str]:
    """Say in MAIL what the letter needs, as far as the server knows it.

    See Also:
        RFC 1870 (SIZE), RFC 6152 (8BITMIME), RFC 6531 (SMTPUTF8), https://www.rfc-editor.org/rfc/rfc6531#section-3.4
    """
    plain_addresses = (letter.sender + letter.recipient).isascii()
    if not plain_addresses and not smtp.supports_extension("smtputf8"):
        raise PermanentFailure("the SMTP server takes ASCII addresses only; the letter was not tried")
    plain_header = letter.content.partition(b"\r\n\r\n")[0].isascii()
    needs = {
        "size": f"SIZE={len(letter.content)}",
        "8bitmime": None if letter.content.isascii() else "BODY=8BITMIME",
        "smtputf8": None if plain_addresses and plain_header else "SMTPUTF8",
    }
    return [option for extension, option in needs.items() if option and smtp.supports_extension(extension)]


def _why(error: Exception) -> str:
    match error:
        case aiosmtplib.SMTPResponseException(code=code):
            return f"it refused the session ({code})"
        case OSError():
            return reason(error.__cause__ or error)
        case aiosmtplib.SMTPException(message=message):
            return message  # written by the library: no STARTTLS, no AUTH, no common method
        case _:
            return reason(error)
