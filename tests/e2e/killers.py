"""A worker that breaks over a mail as the decoder of some library might; it runs in the worker process."""

import os
import resource
import signal
import time
from pathlib import Path

from mailroom.flow.filing import Understood
from mailroom.mail.message import RawMail
from mailroom.worker import WorkerSettings, open_mail, start


def deadly(raw: RawMail) -> Understood:
    """Break as the subject says, after noting the try in the file that the text names."""
    subject = _after(raw.content, b"Subject: ")
    if subject in BREAKING:
        with Path(_after(raw.content, b"Tries: ")).open("a") as tries:
            tries.write("x")
        BREAKING[subject]()
    return open_mail(raw)


def _after(content: bytes, word: bytes) -> str:
    return content.partition(word)[2].partition(b"\r\n")[0].decode()


def _raise() -> None:
    raise ValueError("canary-in-an-error")


def _hang() -> None:
    time.sleep(3600)


def _eat() -> None:
    hoard = []
    while True:
        hoard.append(bytearray(64 * 1024 * 1024))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


BREAKING = {"raises": _raise, "hangs": _hang, "eats-memory": _eat, "dies": _die}


def start_small(settings: WorkerSettings) -> None:
    start(settings)
    resource.setrlimit(resource.RLIMIT_AS, (1024**3, 1024**3))
