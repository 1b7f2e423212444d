"""A worker with a limit on processor time, which does not depend on what else the machine does; runs in the worker."""

import resource

from mailroom.flow.filing import Understood
from mailroom.mail.message import RawMail
from mailroom.worker import open_mail

SECONDS = 6  # of processor time; a desk gives a mail ten by the clock


def open_frugally(raw: RawMail) -> Understood:
    """Open one mail, or be killed by the system for using more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + SECONDS, hard))
    return open_mail(raw)
