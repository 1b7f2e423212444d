"""`mailroom demo`: the whole service on this machine, with mail servers of its own and invented mails."""

import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from mailroom import log
from mailroom.cli.init_questions import Answers
from mailroom.cli.init_write import write
from mailroom.errors import ConfigError, MailroomError, ServerUnreachable

if TYPE_CHECKING:
    from mailroom.demo.stage import Plan

_PROGRAMS = ("gpg", "gpg-agent")


def demo(
    keep: Annotated[Path | None, typer.Option(metavar="DIR", help="Keep everything in this new folder.")] = None,
) -> None:
    """See the whole service at work on this machine, with invented mails; asks nothing, keeps nothing."""
    log.configure("error")
    _require_gnupg()
    if keep is not None and keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise MailroomError(f"{keep} is not empty; give --keep a new folder")
    try:
        # brings mail servers, which an installation without the extra `demo` does not have
        from mailroom.demo import show  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        package = (missing.name or "a package").partition(".")[0]
        raise MailroomError(
            f"The demo needs {package}, which is not installed. Install it with: pip install 'mailroom[demo]'"
        ) from None
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        show.show(_furnish, keep)
    except (ConfigError, ServerUnreachable) as error:  # neither the reader's configuration nor her servers
        raise MailroomError(f"The demo could not be set up. {error}") from None


def _furnish(folder: Path, plan: "Plan") -> Path:
    """Make the desk's folder exactly as `mailroom init` does."""
    answers = Answers(
        address=plan.address,
        imap_host="127.0.0.1",
        smtp_host="127.0.0.1",
        username=plan.username,
        keeper=plan.keeper,
        keeper_key=str(plan.keeper_key),
        security="plain",
        password_file=plan.password_file,
        imap_port=plan.imap_port,
        smtp_port=plan.smtp_port,
    )
    return write(folder, answers, lambda _line: None)


def _require_gnupg() -> None:
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing:
        raise MailroomError(
            f"The demo needs GnuPG; there is no {' and no '.join(missing)} here. "
            "On Debian and Ubuntu: apt install gnupg gpg-agent"
        )


def _end(number: int, _frame: FrameType | None) -> None:
    """End in order, so that nothing is left behind."""
    sys.exit(128 + number)
