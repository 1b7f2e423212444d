"""Whether the two mail servers can be reached, are to be trusted, and let us in. `mailroom init` asks the same."""

import time

from mailroom.doctor.finding import Finding, note, ok, wrong
from mailroom.errors import DeliveryFailure, LoginRefused, ServerUnreachable
from mailroom.transport.imap import ImapSettings
from mailroom.transport.imap import connect as imap_login
from mailroom.transport.login import Secret
from mailroom.transport.reach import reach
from mailroom.transport.smtp import SmtpCourier, SmtpSettings

#: Seconds that a server may keep us waiting at one step.
SECONDS = 10.0
_SOON = 14 * 24 * 3600
_ABOUT_XOAUTH2 = (
    "Run the token_command by hand and see what it prints; docs/oauth2.md tells how to get a token. "
    "Look at the user name too."
)


async def way_in(name: str, server: ImapSettings | SmtpSettings) -> list[Finding]:
    """Go to a server step by step, up to the login; `name` is "imap" or "smtp". Ends at the first step that fails.

    Each step may take `server.timeout` seconds.
    """
    place = f"{server.host}:{server.port}"
    try:
        await reach(server.host, server.port, server.timeout, tls=False)
    except ServerUnreachable as error:
        do = f"Look at host and port in [{name}], and whether a firewall lets this machine out to that port."
        return [wrong(f"{name} reach", f"{error}", do)]
    found = [ok(f"{name} reach", f"{place} answers"), await _protection(name, server)]
    return found if found[-1].state == "wrong" else [*found, await _login(name, server)]


async def _protection(name: str, server: ImapSettings | SmtpSettings) -> Finding:
    check = f"{name} tls"
    if server.security == "plain":
        return ok(check, "not used: the server is on this machine")
    if server.security == "starttls":
        return ok(check, "STARTTLS is asked for at the login; without it nothing is said")
    try:
        end = await reach(server.host, server.port, server.timeout, tls=True)
    except ServerUnreachable as error:
        return wrong(check, str(error), _tls_advice(name))
    if end is not None and end < time.time() + _SOON:
        day = time.strftime("%Y-%m-%d", time.gmtime(end))
        return note(check, f"the certificate of {server.host} ends on {day}", "Whoever runs the server renews it.")
    return ok(check, "the certificate is trusted")


def _tls_advice(name: str) -> str:
    return (
        f"Write in [{name}] host the name that the certificate is made out to. If it has ended, whoever runs the "
        f'server renews it. If the port begins in clear, as 143 and 587 do, set security = "starttls" in [{name}].'
    )


async def _login(name: str, server: ImapSettings | SmtpSettings) -> Finding:
    check = f"{name} login"
    if isinstance(server, SmtpSettings) and not server.username:
        return await _without_login(server)
    try:
        await _logged_in(server)
    except LoginRefused as error:
        return wrong(check, str(error), _login_advice(name, server.secret))
    except ServerUnreachable as error:
        return wrong(check, str(error), _session_advice(name, server))
    return ok(check, "the server lets us in")


async def _without_login(server: SmtpSettings) -> Finding:
    try:
        await _logged_in(server)
    except ServerUnreachable as error:
        return wrong("smtp login", str(error), _session_advice("smtp", server))
    return ok("smtp login", "not used: [smtp] username is empty")


async def _logged_in(server: ImapSettings | SmtpSettings) -> None:
    if isinstance(server, ImapSettings):
        (await imap_login(server)).drop()
        return
    courier = SmtpCourier(server)
    try:
        await courier.connect()
    finally:
        await courier.close()


def _login_advice(name: str, secret: Secret | None) -> str:
    if secret is not None and secret.is_token:
        return _ABOUT_XOAUTH2
    return (
        f"Look at username and password_file in [{name}]. Many providers want an app password, "
        "or that IMAP and SMTP are switched on for this mailbox."
    )


def _session_advice(name: str, server: ImapSettings | SmtpSettings) -> str:
    if server.security == "starttls":
        return (
            f'If the port is inside TLS from the start, as 993 and 465 are, set security = "tls" in [{name}]. '
            f"If the certificate is not trusted, write in host the name that it is made out to."
        )
    return f"Look whether port and security in [{name}] belong together, and whether this is the right server."


async def sender_taken(courier: SmtpCourier, sender: str, meant: str) -> Finding:
    """Ask the server whether it takes letters from `sender`; `meant` says in words which sender that is."""
    check = "smtp sender"
    try:
        await courier.try_sender(sender)
    except (DeliveryFailure, ServerUnreachable) as error:
        do = "At the provider, let this mailbox send with [service] address and with its suffixes."
        if sender and "+b." in sender:
            do += ' If it cannot, set envelope = "null" in [replies].'
        return wrong(check, f"{meant} is not taken: {error}", do)
    return ok(check, f"{meant} is taken")
