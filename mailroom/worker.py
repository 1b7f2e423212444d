"""The worker's side: one process that opens mails, within limits on memory, and may die of one.

Together with `daemon.py` this is where rooms meet: the daemon is one process, the worker the other.
"""

import os
import resource
import signal
from dataclasses import dataclass
from pathlib import Path

from mailroom.flow.filing import Understood
from mailroom.flow.opening import Reader
from mailroom.mail.message import RawMail
from mailroom.transport.gnupg import GnuPG
from mailroom.transport.sequoia import Sequoia
from mailroom.triage.triage import Lexicon

_GPG_SECONDS = 10.0  # as long as a mail may take in all: a gpg that takes longer would outlive its worker


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker needs to know; travels to the new process. `memory` and `max_output` in bytes."""

    home: Path
    key: str
    passphrase: str | None
    own_addresses: frozenset[str]
    configured: frozenset[str]
    authserv_id: str
    max_output: int
    memory: int
    lexicon: Lexicon

    def __repr__(self) -> str:  # the passphrase must not reach a log
        return "WorkerSettings(...)"


def reader(settings: WorkerSettings) -> Reader:
    """Build the reader that opens mails for these settings."""
    keyring = GnuPG(settings.home, settings.key, settings.passphrase, settings.max_output, deadline=_GPG_SECONDS)
    sequoia = Sequoia()
    return Reader(
        keyring=keyring,
        find_key=sequoia.certificate_for,
        own_addresses=settings.own_addresses,
        configured=settings.configured,
        authserv_id=settings.authserv_id,
        lexicon=settings.lexicon,
        signed_by=sequoia.signed_by,
    )


_readers: list[Reader] = []


def start(settings: WorkerSettings) -> None:
    """Prepare a fresh worker process: limits first, then what it opens mails with."""
    os.setpgrp()  # a signal to the group of the daemon is for the daemon, which ends us in order
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # blocked by the pool: see there
    resource.setrlimit(resource.RLIMIT_AS, (settings.memory, settings.memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _readers[:] = [reader(settings)]


def open_mail(raw: RawMail) -> Understood:
    """Open one mail, in the worker."""
    return _readers[0].understand(raw)
