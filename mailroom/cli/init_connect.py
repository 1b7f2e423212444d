"""How `mailroom init` tries the servers before anything is written, and writes to the record keeper."""

import asyncio
from datetime import UTC, datetime
from secrets import token_hex

from mailroom.cli.init_questions import Answers, problem
from mailroom.cli.init_texts import greeting
from mailroom.config_servers import IMAP_PORTS, SMTP_PORTS, is_loopback
from mailroom.doctor.finding import Finding
from mailroom.doctor.servers import SECONDS, way_in
from mailroom.errors import ConfigError, MailroomError, ServerUnreachable
from mailroom.flow.filing import Letter
from mailroom.mail import compose
from mailroom.transport.imap import ImapSettings
from mailroom.transport.login import Password, Secret, Token
from mailroom.transport.network import Security
from mailroom.transport.sequoia import Sequoia
from mailroom.transport.smtp import SmtpCourier, SmtpSettings

_SECURITIES: dict[str, Security] = {"tls": "tls", "starttls": "starttls", "plain": "plain"}


def attempt(answers: Answers, server: str) -> Finding | None:
    """Try "imap" or "smtp" up to the login; give what is wrong, or None."""
    found = asyncio.run(way_in(server, imap_settings(answers) if server == "imap" else smtp_settings(answers)))
    return next((finding for finding in found if finding.state == "wrong"), None)


def require_servers(answers: Answers) -> None:
    """Try both servers.

    Raises:
        ServerUnreachable: one is out of reach, or not to be trusted.
        MailroomError: one does not let us in.
    """
    for server in ("imap", "smtp"):
        if fault := attempt(answers, server):
            kind = MailroomError if fault.check.endswith(" login") else ServerUnreachable
            raise kind(f"nothing was written, because of {fault.check}: {fault.what}. {fault.do}")


def imap_settings(answers: Answers) -> ImapSettings:
    """Give the way into the mailbox."""
    security = _security(answers, answers.imap_host)
    port = answers.imap_port or IMAP_PORTS[security]
    return ImapSettings(answers.imap_host, port, security, answers.username, _secret(answers), timeout=SECONDS)


def smtp_settings(answers: Answers) -> SmtpSettings:
    """Give the way to the SMTP server."""
    security = _security(answers, answers.smtp_host)
    port = answers.smtp_port or SMTP_PORTS[security]
    return SmtpSettings(answers.smtp_host, port, security, answers.username, _secret(answers), timeout=SECONDS)


def _security(answers: Answers, host: str) -> Security:
    """Give the protection, before a password goes anywhere."""
    if answers.security not in _SECURITIES:
        raise ConfigError(problem("--security", "must be one of tls, starttls, plain."))
    if answers.security == "plain" and not is_loopback(host):
        raise ConfigError(problem("--security", "plain is allowed only for servers on this machine.", "tls"))
    return _SECURITIES[answers.security]


def _secret(answers: Answers) -> Secret:
    if answers.token_command:
        return Token(answers.token_command)

    async def password() -> str:
        text = (answers.password or b"").decode()
        return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text

    return Password(password)


def greet_keeper(answers: Answers, keeper: bytes, desk: bytes, fingerprint: str) -> None:
    """Send the record keeper one encrypted mail, which also brings the desk's key. Certificates are binary.

    Raises:
        ServerUnreachable: the SMTP server is out of reach.
        DeliveryFailure: it did not take the mail.
    """
    header = compose.Header(
        sender_address=answers.address,
        sender_name=answers.name,
        to=answers.keeper,
        subject="The mail desk can write to you",
        message_id=f"{token_hex(12)}@{answers.address.rpartition('@')[2]}",
        date=datetime.now(UTC),
        automatic=True,
        autocrypt=desk,
    )
    entity = compose.text_part(greeting(fingerprint), protected_subject=header.subject)
    content = compose.encrypted(header, Sequoia().encrypt(entity, [keeper], armor=True))
    asyncio.run(_sent(smtp_settings(answers), Letter(answers.address, answers.keeper, content)))


async def _sent(settings: SmtpSettings, letter: Letter) -> None:
    courier = SmtpCourier(settings)
    try:
        await courier.send(letter)
    finally:
        await courier.close()
