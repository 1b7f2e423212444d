"""A real Dovecot 2.3 on loopback, for tests: own ports, own users, own files, run by anyone.

`with Dovecot() as server:` gives a server that accepts logins. The interface is synchronous (a subprocess and
imaplib); from a test on an event loop call it directly or through `asyncio.to_thread`.
"""

import grp
import imaplib
import itertools
import os
import pwd
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from tests.servers.certificate import write_certificate
from tests.servers.dovecot_config import CONFIG
from tests.servers.tokens import Tokens

HOST = "127.0.0.1"
PASSWORD = "correct-horse"
START_SECONDS = 20.0


def free_port() -> int:
    """Find a port that nobody has, below the range that the system gives to outgoing connections."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port


class Dovecot:
    """One Dovecot process tree with its own temporary folder.

    Every name is a user with `PASSWORD`; `odd_users` have their own. `storage` is `maildir` or `sdbox`; `prefix` and
    `separator` shape the personal namespace; with `tls` there is a second port `tls_port`, STARTTLS on the first, and
    `cafile` names the certificate to trust. With `tokens` XOAUTH2 takes those that they issue.
    """

    def __init__(
        self,
        *,
        storage: str = "maildir",
        prefix: str = "",
        separator: str = "/",
        tls: bool = False,
        odd_users: Mapping[str, str] = MappingProxyType({}),
        tokens: Tokens | None = None,
    ) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="dc-", dir="/tmp"))  # short: socket paths end at 108 bytes
        self.root.chmod(0o755)
        self.port, self.tls_port = free_port(), free_port() if tls else 0
        self.cafile = self.root / "cert.pem"
        self._numbers, self._uidvalidity = itertools.count(1), itertools.count(2_000_000_000)
        self._odd_users = odd_users
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: dict[str, imaplib.IMAP4] = {}
        mail_user = _mail_user()
        (self.root / "mail").mkdir()
        os.chown(self.root / "mail", mail_user.pw_uid, mail_user.pw_gid)
        if tls:
            write_certificate(self.cafile, self.root / "key.pem")
        lines = [
            f"{_escaped(name)}:{{PLAIN.B64}}{b64encode(password.encode()).decode()}::::::\n"
            for name, password in odd_users.items()
        ]
        (self.root / "passwd").write_text("".join(lines))
        login = tokens.write_config(self.root) if tokens else ""
        self._write_config(storage=storage, prefix=prefix, separator=separator, mail_user=mail_user, login=login)
        for path in self.root.rglob("*"):  # Dovecot's own users read them, whatever umask we have
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def start(self) -> None:
        """Start, or start again on the same port; returns when a login works."""
        command = [_program("dovecot"), "-F", "-c", str(self.root / "dovecot.conf")]
        self._process = subprocess.Popen(command, cwd="/", start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(OSError, imaplib.IMAP4.error):
                self.client("ready").noop()
                return
            time.sleep(0.01)
        raise RuntimeError(f"Dovecot did not start:\n{self.log()}")

    def stop(self) -> None:
        """Stop it and all of its processes; connections are closed."""
        for client in self._clients.values():
            with suppress(OSError, imaplib.IMAP4.error):
                client.shutdown()
        self._clients.clear()
        if self._process:
            self._process.terminate()
            self._process.wait(timeout=START_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)  # processes that still serve a client
            self._process = None

    def log(self) -> str:
        """Give what Dovecot has logged so far."""
        path = self.root / "dovecot.log"
        return path.read_text() if path.exists() else ""

    def new_user(self) -> str:
        """Give the name of a user whose mailbox is still empty."""
        return f"desk{next(self._numbers)}"

    def client(self, user: str) -> imaplib.IMAP4:
        """Give the kept imaplib connection of a user, logged in."""
        if user not in self._clients:
            client = imaplib.IMAP4(HOST, self.port, timeout=START_SECONDS)
            credentials = f"\0{user}\0{self._odd_users.get(user, PASSWORD)}".encode()
            try:
                client.authenticate("PLAIN", lambda _: credentials)
            except imaplib.IMAP4.error:
                client.shutdown()
                raise
            self._clients[user] = client
        return self._clients[user]

    def append(self, user: str, content: bytes, folder: str = "INBOX", flags: str = "") -> None:
        """Put one message into a folder (the name as on the wire); imaplib makes every CR and LF a CRLF."""
        _done(self.client(user).append(f'"{folder}"', flags, "", content))

    def fill(self, user: str, content: bytes, count: int) -> None:
        """Put `count` copies of a message into a Maildir inbox at once, by hard links."""
        inbox = self.root / "mail" / user / "Maildir"
        _done(self.client(user).select())
        size, virtual = len(content), len(content.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        first = inbox / "tmp" / "first"
        first.write_bytes(content)
        os.chown(first, inbox.stat().st_uid, inbox.stat().st_gid)
        for number in range(count):
            os.link(first, inbox / "new" / f"1700000000.M{number:06}P1.host,S={size},W={virtual}")
        first.unlink()

    @contextmanager
    def examine(self, user: str, folder: str = "INBOX") -> Iterator[imaplib.IMAP4]:
        """Open a folder read-only, so that looking changes nothing."""
        client = self.client(user)
        _done(client.select(f'"{folder}"', readonly=True))
        yield client
        client.unselect()

    def messages(self, user: str, folder: str = "INBOX") -> list[tuple[int, bytes]]:
        """Give (UID, bytes) of everything in a folder."""
        with self.examine(user, folder) as client:
            parts = _done(client.uid("FETCH", "1:*", "(UID BODY.PEEK[])"))
        return [(_number(rb"UID (\d+)", part[0]), part[1]) for part in parts if isinstance(part, tuple)]

    def flags(self, user: str, folder: str = "INBOX") -> list[str]:
        """Give the flags of everything in a folder, sorted, as `\\Deleted \\Seen`; \\Recent is left out."""
        with self.examine(user, folder) as client:
            parts = [part for part in _done(client.uid("FETCH", "1:*", "(FLAGS)")) if part]
        found = [re.search(rb"FLAGS \(([^)]*)\)", part) for part in parts]
        return [" ".join(sorted(set(one[1].decode().split()) - {"\\Recent"})) for one in found if one]

    def folders(self, user: str) -> list[str]:
        """Give the names of a user's folders as on the wire."""
        lines = _done(self.client(user).list())
        return sorted(line.decode().split(" ", 2)[2].strip('"') for line in lines if line)

    def uidvalidity(self, user: str, folder: str = "INBOX") -> int:
        """Ask for the UIDVALIDITY of a folder."""
        return _number(rb"UIDVALIDITY (\d+)", _done(self.client(user).status(f'"{folder}"', "(UIDVALIDITY)"))[0])

    def bump_uidvalidity(self, user: str) -> None:
        """Give the inbox another UIDVALIDITY, as a restored backup would have."""
        value = str(next(self._uidvalidity))
        command = ["mailbox", "update", "-u", user, "--uid-validity", value, "INBOX"]
        program = [_program("doveadm"), "-c", str(self.root / "dovecot.conf")]
        subprocess.run([*program, *command], check=True, capture_output=True, cwd="/")

    def files_under(self, user: str) -> Path:
        """Give the folder that holds every byte stored for a user."""
        return self.root / "mail" / user

    def _write_config(
        self, *, storage: str, prefix: str, separator: str, mail_user: pwd.struct_passwd, login: str
    ) -> None:
        me = pwd.getpwuid(os.geteuid()).pw_name
        as_root = os.geteuid() == 0
        files = f"ssl_cert = <{self.cafile}\nssl_key = <{self.root}/key.pem"
        text = login + CONFIG.format(
            root=self.root,
            storage={"maildir": "maildir:~/Maildir", "sdbox": "sdbox:~/sdbox"}[storage],
            prefix=prefix,
            separator=separator,
            mail_user=mail_user.pw_name,
            mail_group=grp.getgrgid(mail_user.pw_gid).gr_name,
            login_user="dovenull" if as_root else me,
            internal_user="dovecot" if as_root else me,
            internal_group="dovecot" if as_root else grp.getgrgid(os.getegid()).gr_name,
            password=PASSWORD,
            ssl="yes" if self.tls_port else "no",
            certificate=files if self.tls_port else "",
            port=self.port,
            tls_port=self.tls_port,
        )
        (self.root / "dovecot.conf").write_text(text)


def _program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin")
    if not found:
        raise RuntimeError(f"These tests need `{name}`: install the Debian package dovecot-imapd.")
    return found


def _escaped(name: str) -> str:
    # the passwd-file driver escapes a name before it looks for it
    return name.replace("\\", "\\\\").replace('"', '\\"')


def _mail_user() -> pwd.struct_passwd:
    # Dovecot never serves mail as root.
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def _done(answer: tuple[str, list[Any]]) -> list[Any]:
    assert answer[0] == "OK", answer
    return answer[1]


def _number(pattern: bytes, line: bytes) -> int:
    found = re.search(pattern, line)
    assert found, line
    return int(found[1])
