"""A whole service for one test: configuration, keys, a Dovecot user, an SMTP sink; the daemon is the real one."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mailroom.config_writer import Value, render
from mailroom.records.keystore import KeyStore
from mailroom.share import share_path
from tests.cli.running import here
from tests.e2e import warm
from tests.gnupg_home import copied_home, fingerprint, new_home
from tests.servers.dovecot import PASSWORD, Dovecot
from tests.servers.sink import Delivery

ADDRESS = "desk@example.org"
KEEPER = "keeper@example.org"
WRAPPING_KEY = bytes(range(32))


@dataclass
class House:
    """One service. `config` is its configuration file; its inbox is that of `user` at `dovecot`."""

    folder: Path
    dovecot: Dovecot
    user: str
    home: Path

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def receive(self, *mails: bytes) -> None:
        """Let mails arrive in the inbox."""
        for mail in mails:
            self.dovecot.append(self.user, mail)

    def inbox(self) -> list[bytes]:
        """What lies in the inbox."""
        return [content for _, content in self.dovecot.messages(self.user)]

    def mailroom(
        self, *args: str, check: bool = True, env: Mapping[str, str] = MappingProxyType({})
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the command line in a process of its own."""
        done = warm.mailroom("--config", str(self.config), *args, env={**os.environ, **env})
        assert not check or done.returncode == 0, done.stderr.decode()
        return done

    def fresh(self, *args: str, env: Mapping[str, str] = MappingProxyType({})) -> subprocess.CompletedProcess[bytes]:
        """Run the command line as people do, in a fresh interpreter; it costs a second more."""
        command = [sys.executable, "-m", "mailroom", "--config", str(self.config), *args]
        done = subprocess.run(command, capture_output=True, check=False, timeout=120, env={**os.environ, **env})
        assert done.returncode == 0, done.stderr.decode()
        return done

    def lines(self, *args: str) -> list[dict[str, Any]]:
        """Run the command line and read the JSON lines that it prints."""
        return [json.loads(line) for line in self.mailroom(*args).stdout.splitlines()]

    def cases(self) -> list[dict[str, Any]]:
        """List the cases, in this process."""
        done = here("--config", str(self.config), "case", "list", "--json")
        assert done.status == 0, done.err
        return done.lines()


@contextmanager
def build(dovecot: Dovecot, smtp_port: int, desk_home: Path | None = None, **values: Value) -> Iterator[House]:
    """Set up a service; keys of `values` have two underscores for the dot: `imap__after_filing`.

    Its GnuPG home is a copy of `desk_home`, or a new one.
    """
    folder = Path(tempfile.mkdtemp(prefix="mr-", dir="/tmp"))
    user = dovecot.new_user()
    try:
        with copied_home(desk_home) if desk_home else new_home(["desk"], ["keeper", "deputy"]) as home:
            ports: dict[str, Value] = {"imap.port": dovecot.port, "smtp.port": smtp_port, "imap.username": user}
            _furnish(folder, home, ports | {name.replace("__", "."): value for name, value in values.items()})
            yield House(folder, dovecot, user, home)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _furnish(folder: Path, home: Path, values: dict[str, Value]) -> None:
    (folder / "data").mkdir()
    (folder / "wrapping.key").write_bytes(WRAPPING_KEY)
    (folder / "password").write_text(PASSWORD)
    KeyStore.create(folder / "data" / "keystore", WRAPPING_KEY)
    ours: dict[str, Value] = {
        "service.name": "Letter desk",
        "service.address": ADDRESS,
        "service.data_dir": "data",
        "imap.host": "127.0.0.1",
        "imap.security": "plain",
        "imap.password_file": "password",
        "smtp.host": "127.0.0.1",
        "smtp.security": "plain",
        "openpgp.home": str(home),
        "openpgp.key": fingerprint("desk"),
        "archive.recipients": [fingerprint("keeper")],
        "archive.key_file": "wrapping.key",
        "keepers.address": KEEPER,
        "keepers.fingerprint": fingerprint("keeper"),
        "notices.per_hour": 100000,
        "replies.per_domain_per_hour": 100000,
        "paths.rules": str(share_path("rules")),
        "paths.templates": str(share_path("templates")),
    }
    (folder / "config.toml").write_text(render(ours | values))


def parsed(delivery: Delivery) -> Message:
    """Read a letter that reached the sink."""
    return message_from_bytes(delivery.content)


def replies(deliveries: list[Delivery]) -> list[Delivery]:
    """Pick the letters to complainants."""
    return [one for one in deliveries if one.rcpt_tos != (KEEPER,)]


def notices(deliveries: list[Delivery]) -> list[Delivery]:
    """Pick the letters to the keeper."""
    return [one for one in deliveries if one.rcpt_tos == (KEEPER,)]
